"""Where an image is interesting: edges, unusual colours and skin, on a small copy, by Pillow alone.

Colour contrast is the distance from the image's mean colour after a blur, as in Achanta et al.,
"Frequency-tuned Salient Region Detection" (CVPR 2009). The range of skin colours in YCbCr is that
of Chai and Ngan, "Face segmentation using skin-color map" (1999).
"""

from collections.abc import Iterable, Sequence

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageStat

from cropsvc.imaging.geometry.orientation import Region, Sides

SIDE = 128  # pixels of the longer side of the copy
SKIN_CB, SKIN_CR = (77, 127), (133, 173)
MOST_SKIN = 0.4  # of the image: more of that colour is a wall or a desert, not a person
CUT = 0.75  # how much interest along a cut edge counts against a place, to that inside
FLAT = 0.02  # of the whole: what the best place must be better than the middle
FACE = 255  # interest of a face


class InterestMap:
    """The interest of each place of an image that is displayed at *width* x *height* pixels."""

    def __init__(self, image: Image.Image, sides: Sides, faces: Iterable[Region] = ()) -> None:
        self._sides = sides
        self._map = _with_faces(_interest(small(image, SIDE)), sides, faces)

    def best(self, sides: Sides, within: Region) -> tuple[float, float] | None:
        """Return the centre of the most interesting region of these *sides* in *within*.

        None if no place is clearly better than the middle.
        """
        x, y, width, height = within
        across = sides[0] < width
        profile = self._profile(within, across=across)
        length, whole = (sides[0], width) if across else (sides[1], height)
        start = _best_start(profile, length / whole)
        if start is None:
            return None
        middle = start * whole + length / 2
        return (x + middle, y + height / 2) if across else (x + width / 2, y + middle)

    def _profile(self, within: Region, *, across: bool) -> list[float]:
        scale_x, scale_y = self._map.width / self._sides[0], self._map.height / self._sides[1]
        x, y, width, height = within
        box = (x * scale_x, y * scale_y, (x + width) * scale_x, (y + height) * scale_y)
        steps = SIDE
        shape = (steps, 1) if across else (1, steps)
        line = self._map.resize(shape, Image.Resampling.BOX, box=box)
        return [float(value) for value in line.tobytes()]


def small(image: Image.Image, side: int) -> Image.Image:
    """Return an RGB copy over grey whose sides are at most *side* pixels."""
    scale = side / max(image.size)
    if scale < 1:
        sides = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
        image = image.resize(sides, Image.Resampling.BOX, reducing_gap=2.0)
    if image.mode in ("LA", "RGBA"):
        under = Image.new("RGB", image.size, (128, 128, 128))
        under.paste(image, (0, 0), image)
        return under
    return image.convert("RGB")


def _interest(image: Image.Image) -> Image.Image:
    contrast = _contrast(image)
    interest = ImageChops.add(contrast, _edges(image), scale=2.0)
    return ImageChops.add(interest, _skin(image))


def _contrast(image: Image.Image) -> Image.Image:
    """Return how far each colour is from the mean colour; its chroma counts twice."""
    blurred = image.filter(ImageFilter.GaussianBlur(2)).convert("YCbCr")
    mean = ImageStat.Stat(blurred).mean
    light, blue, red = (
        ImageChops.difference(band, Image.new("L", band.size, round(value)))
        for band, value in zip(blurred.split(), mean, strict=True)
    )
    chroma = ImageChops.add(blue, red)
    halved = light.point([value // 2 for value in range(256)])
    return ImageChops.add(halved, ImageChops.add(chroma, chroma))


def _edges(image: Image.Image) -> Image.Image:
    """Return the strength of edges, less that of their surroundings: texture is no subject."""
    edges = image.convert("L").filter(ImageFilter.FIND_EDGES)
    ImageDraw.Draw(edges).rectangle((0, 0, image.width - 1, image.height - 1), outline=0)
    near = edges.filter(ImageFilter.GaussianBlur(3))
    mean = ImageStat.Stat(near).mean[0]
    return ImageChops.subtract(near, Image.new("L", near.size, min(255, round(mean))))


def _skin(image: Image.Image) -> Image.Image:
    light, blue, red = image.filter(ImageFilter.GaussianBlur(1)).convert("YCbCr").split()
    mask = ImageChops.multiply(_within(blue, *SKIN_CB), _within(red, *SKIN_CR))
    mask = ImageChops.multiply(mask, _within(light, 40, 250))
    share = ImageStat.Stat(mask).mean[0] / 255
    weight = max(0.0, 1 - share / MOST_SKIN)
    mask = mask.filter(ImageFilter.GaussianBlur(2))
    return mask.point([int(value * weight) for value in range(256)])


def _within(band: Image.Image, low: int, high: int) -> Image.Image:
    return band.point([255 if low <= value <= high else 0 for value in range(256)])


def _with_faces(interest: Image.Image, sides: Sides, faces: Iterable[Region]) -> Image.Image:
    draw = ImageDraw.Draw(interest)
    across, down = interest.width / sides[0], interest.height / sides[1]
    for x, y, width, height in faces:
        draw.rectangle((x * across, y * down, (x + width) * across, (y + height) * down), fill=FACE)
    return interest


def _best_start(profile: Sequence[float], share: float) -> float | None:
    """Return where the best window of this *share* of the line begins, as a share of the line."""
    count = len(profile)
    length = max(1, min(count, round(share * count)))
    if length == count or not any(profile):
        return None
    sums = [0.0]
    for value in profile:
        sums.append(sums[-1] + value)
    reach = max(1, length // 12)

    def score(start: int) -> float:
        end = start + length
        inside = sums[end] - sums[start]
        cut = _edge(sums, start, reach) * (start > 0) + _edge(sums, end, reach) * (end < count)
        return inside - CUT * cut

    middle = (count - length) // 2
    best = max(range(count - length + 1), key=lambda start: (score(start), -abs(start - middle)))
    if score(best) - score(middle) <= FLAT * sums[-1]:
        return None
    return best / count


def _edge(sums: Sequence[float], place: int, reach: int) -> float:
    low, high = max(0, place - reach), min(len(sums) - 1, place + reach)
    return sums[high] - sums[low]
