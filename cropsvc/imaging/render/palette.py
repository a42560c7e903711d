"""An image to at most 256 colours, one of them transparent."""

from PIL import Image

COLORS = 256
COPIED_ABOVE = 2_000_000  # pixels from which the palette is made from a smaller copy
SAMPLED = 4  # how much smaller


def to_palette(image: Image.Image, *, quick: bool = False, hole: bool = False) -> Image.Image:
    """Return the image with a palette; exact where its colours fit into one.

    Alpha must be 0 or 255. *quick* takes a cheaper way where colours must be merged; *hole* has a
    transparent colour in the palette even if no pixel needs one.
    """
    alpha = image.getchannel("A") if image.mode in ("LA", "RGBA") else None
    if alpha is None and not hole:
        return image if image.mode == "L" else _reduced(image, COLORS, quick)
    bare = image.convert("RGB")
    if alpha is None:
        return _with_hole(_reduced(bare, COLORS - 1, quick))
    empty = alpha.point([255] + [0] * 255)
    bare.paste((0, 0, 0), mask=empty)
    punched = _with_hole(_reduced(bare, COLORS - 1, quick))
    punched.paste(punched.info["transparency"], mask=empty)
    return punched


def _with_hole(image: Image.Image) -> Image.Image:
    """Return the image with one more colour in its palette, the transparent one."""
    colors = image.getpalette() or []
    image.putpalette([*colors, 0, 0, 0])
    image.info["transparency"] = len(colors) // 3
    return image


def _reduced(image: Image.Image, colors: int, quick: bool) -> Image.Image:
    """Median cut, which is exact where the colours fit, and slow and hungry where they do not."""
    few = image.getcolors(colors) is not None
    large = image.width * image.height > COPIED_ABOVE
    try:
        if few or not (quick or large):
            return image.quantize(colors, method=Image.Quantize.MEDIANCUT)
        if not large:
            return image.quantize(colors, method=Image.Quantize.FASTOCTREE)
        palette = image.reduce(SAMPLED).quantize(colors, method=Image.Quantize.MEDIANCUT)
        return image.quantize(palette=palette, dither=Image.Dither.NONE)
    except ValueError as error:  # "quantization error": how Pillow says here that memory ended
        raise MemoryError from error
