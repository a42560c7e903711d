"""Cut a region and scale it, from its own pixels alone; alpha premultiplied: no dark fringes."""

from PIL import Image

GAP = 2.0  # how much larger than its result an image stays in the cheap first step of scaling
PREMULTIPLIED = {"LA": "La", "RGBA": "RGBa"}
Box = tuple[float, float, float, float]  # left, top, right, bottom


def cut(image: Image.Image, box: Box, sides: tuple[int, int]) -> Image.Image:
    """Return the pixels in *box*, scaled to *sides*; the image itself if that is all of it."""
    left, top = int(box[0]), int(box[1])
    right, bottom = min(image.width, -int(-box[2] // 1)), min(image.height, -int(-box[3] // 1))
    # Pillow scales a box with its neighbours' colours along the edges: so it is cut out before.
    part = _part(image, (left, top, right, bottom))
    inner = (box[0] - left, box[1] - top, box[2] - left, box[3] - top)
    if inner == (0, 0, *sides):
        return part
    if part.mode in PREMULTIPLIED:
        return _scaled(part.convert(PREMULTIPLIED[part.mode]), inner, sides).convert(part.mode)
    return _scaled(part, inner, sides)


def _scaled(part: Image.Image, inner: Box, sides: tuple[int, int]) -> Image.Image:
    width, height = part.size
    across = max(1, int((inner[2] - inner[0]) / sides[0] / GAP))
    down = max(1, int((inner[3] - inner[1]) / sides[1] / GAP))
    if across > 1 or down > 1:
        part = reduced(part, across, down)
        x, y = part.width / width, part.height / height
        inner = (inner[0] * x, inner[1] * y, inner[2] * x, inner[3] * y)
    return part.resize(sides, Image.Resampling.LANCZOS, box=inner)


def reduced(part: Image.Image, across: int, down: int) -> Image.Image:
    """Return a smaller copy in which every pixel stands for as many of *part*.

    `reduce` gives the last row and column the weight of whole blocks where they are only parts of
    one: a frame of one pixel came out twice as strong at the right and at the bottom.
    """
    if part.width % across == 0 and part.height % down == 0:
        return part.reduce((across, down))
    return part.resize((part.width // across, part.height // down), Image.Resampling.BOX)


def _part(image: Image.Image, edges: tuple[int, int, int, int]) -> Image.Image:
    return image if edges == (0, 0, *image.size) else image.crop(edges)
