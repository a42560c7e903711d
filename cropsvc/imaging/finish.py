"""What happens to a cut and scaled region before it is encoded: turned, in sRGB, padded, opaque."""

from PIL import Image, ImageColor

from cropsvc.imaging import formats
from cropsvc.imaging.color import to_srgb
from cropsvc.imaging.turn import ORIENTATIONS, Turn

TRANSPOSES = {
    ORIENTATIONS[2]: Image.Transpose.FLIP_LEFT_RIGHT,
    ORIENTATIONS[3]: Image.Transpose.ROTATE_180,
    ORIENTATIONS[4]: Image.Transpose.FLIP_TOP_BOTTOM,
    ORIENTATIONS[5]: Image.Transpose.TRANSPOSE,
    ORIENTATIONS[6]: Image.Transpose.ROTATE_270,
    ORIENTATIONS[7]: Image.Transpose.TRANSVERSE,
    ORIENTATIONS[8]: Image.Transpose.ROTATE_90,
}
Finished = tuple[Image.Image, tuple[str, ...]]


def finish(
    image: Image.Image,
    turn: Turn,
    profile: bytes | None,
    *,
    canvas: tuple[int, int],
    background: str,
    output: str,
) -> Finished:
    """The picture as it is encoded to *output*, and the notes on what that cost."""
    image, converted = to_srgb(image, profile)
    if turn in TRANSPOSES:
        image = image.transpose(TRANSPOSES[turn])
    color = _color(background, output)
    if image.size != canvas:
        image = _padded(image, canvas, color)
    image, flattened = _flattened(image, color) if output in formats.OPAQUE else (image, False)
    return image, ("profile-converted",) * converted + ("alpha-flattened",) * flattened


def _color(background: str, output: str) -> tuple[int, ...]:
    """The background's red, green, blue and alpha; over white where the output is opaque."""
    red, green, blue, *rest = ImageColor.getrgb(background)
    alpha = rest[0] if rest else 255
    if output not in formats.OPAQUE:
        return (red, green, blue, alpha)
    mixed = [(value * alpha + 255 * (255 - alpha) + 127) // 255 for value in (red, green, blue)]
    return (*mixed, 255)


def _padded(image: Image.Image, canvas: tuple[int, int], color: tuple[int, ...]) -> Image.Image:
    alpha = image.mode in ("LA", "RGBA") or color[3] < 255
    mode = "RGBA" if alpha else "RGB"
    padded = Image.new(mode, canvas, color if alpha else color[:3])
    place = ((canvas[0] - image.width) // 2, (canvas[1] - image.height) // 2)
    padded.paste(image.convert(mode), place)
    return padded


def _flattened(image: Image.Image, color: tuple[int, ...]) -> tuple[Image.Image, bool]:
    if image.mode not in ("LA", "RGBA"):
        return image, False
    alpha = image.getchannel("A")
    bare = image.convert(image.mode[:-1])
    if alpha.getextrema()[0] == 255:
        return bare, False
    under = Image.new("RGB", image.size, color[:3])
    under.paste(bare, mask=alpha)
    return under, True
