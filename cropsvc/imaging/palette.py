"""A picture to at most 256 colours, one of them transparent."""

from PIL import Image

COLORS = 256
OPAQUE_FROM = 128  # alpha from which a pixel is shown; GIF knows nothing between


def to_palette(image: Image.Image) -> Image.Image:
    """The picture with a palette; exact where its colours fit into one."""
    if image.mode in ("LA", "RGBA"):
        alpha = image.getchannel("A")
        if alpha.getextrema()[0] < OPAQUE_FROM:  # type: ignore[operator]  # one band: two numbers
            return _with_hole(image.convert("RGB"), alpha)
        image = image.convert(image.mode[:-1])
    return image if image.mode == "L" else _reduced(image, COLORS)


def _with_hole(image: Image.Image, alpha: Image.Image) -> Image.Image:
    hole = alpha.point([255] * OPAQUE_FROM + [0] * (256 - OPAQUE_FROM))
    image.paste((0, 0, 0), mask=hole)
    reduced = _reduced(image, COLORS - 1)
    index = len(reduced.getpalette() or ()) // 3
    reduced.putpalette([*(reduced.getpalette() or ()), 0, 0, 0])
    reduced.paste(index, mask=hole)
    reduced.info["transparency"] = index
    return reduced


def _reduced(image: Image.Image, colors: int) -> Image.Image:
    return image.quantize(colors, method=Image.Quantize.MEDIANCUT)
