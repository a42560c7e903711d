"""Cut a region and scale it, in one step; alpha premultiplied, so that no hidden colour bleeds."""

from PIL import Image

GAP = 2.0  # how much larger than its result a picture stays in the cheap first step of scaling
PREMULTIPLIED = {"LA": "La", "RGBA": "RGBa"}
Box = tuple[float, float, float, float]  # left, top, right, bottom


def cut(image: Image.Image, box: Box, sides: tuple[int, int]) -> Image.Image:
    """The pixels within *box*, scaled to *sides*; the image itself where that is all of it."""
    if (box[2] - box[0], box[3] - box[1]) == sides and all(edge == int(edge) for edge in box):
        whole = box == (0, 0, *image.size)
        return image if whole else image.crop((int(box[0]), int(box[1]), int(box[2]), int(box[3])))
    if image.mode in PREMULTIPLIED:
        return _cut_alpha(image, box, sides)
    return image.resize(sides, Image.Resampling.LANCZOS, box=box, reducing_gap=GAP)


def _cut_alpha(image: Image.Image, box: Box, sides: tuple[int, int]) -> Image.Image:
    left, top = int(box[0]), int(box[1])
    right, bottom = min(image.width, -int(-box[2] // 1)), min(image.height, -int(-box[3] // 1))
    edges = (left, top, right, bottom)
    part = image if edges == (0, 0, *image.size) else image.crop(edges)
    part = part.convert(PREMULTIPLIED[image.mode])
    inner = (box[0] - left, box[1] - top, box[2] - left, box[3] - top)
    small = part.resize(sides, Image.Resampling.LANCZOS, box=inner, reducing_gap=GAP)
    return small.convert(image.mode)
