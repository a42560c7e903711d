"""What happens to a cut and scaled region before it is encoded: turned, in sRGB, padded, opaque."""

from PIL import Image, ImageColor

from cropsvc.imaging import formats
from cropsvc.imaging.color import to_srgb
from cropsvc.imaging.turn import ORIENTATIONS, Sides, Turn

TRANSPOSES = {
    ORIENTATIONS[2]: Image.Transpose.FLIP_LEFT_RIGHT,
    ORIENTATIONS[3]: Image.Transpose.ROTATE_180,
    ORIENTATIONS[4]: Image.Transpose.FLIP_TOP_BOTTOM,
    ORIENTATIONS[5]: Image.Transpose.TRANSPOSE,
    ORIENTATIONS[6]: Image.Transpose.ROTATE_270,
    ORIENTATIONS[7]: Image.Transpose.TRANSVERSE,
    ORIENTATIONS[8]: Image.Transpose.ROTATE_90,
}
WITH_ALPHA = ("LA", "RGBA")
OPAQUE_FROM = 128  # alpha from which GIF, which knows nothing between, shows a pixel


class Finish:
    """The last steps for one output; `notes` collects what they cost."""

    def __init__(self, turn: Turn, profile: bytes | None, output: str) -> None:
        self._turn = turn
        self._profile = profile
        self._output = output
        self.notes: set[str] = set()

    def __call__(self, image: Image.Image, canvas: Sides, background: str) -> Image.Image:
        """The picture as it is encoded, padded to *canvas* with *background*."""
        image, converted = to_srgb(image, self._profile)
        if converted:
            self.notes.add("profile-converted")
        if self._turn in TRANSPOSES:
            image = image.transpose(TRANSPOSES[self._turn])
        color = _color(background, self._output)
        if image.size != canvas:
            image = _padded(image, canvas, color)
        return self._with_alpha_as_possible(image, color) if image.mode in WITH_ALPHA else image

    def _with_alpha_as_possible(self, image: Image.Image, color: tuple[int, ...]) -> Image.Image:
        alpha = image.getchannel("A")
        if self._output in formats.OPAQUE:
            return self._flattened(image, alpha, color)
        return self._all_or_nothing(image, alpha) if self._output == "gif" else image

    def _flattened(
        self, image: Image.Image, alpha: Image.Image, color: tuple[int, ...]
    ) -> Image.Image:
        bare = image.convert(image.mode[:-1])
        if alpha.getextrema()[0] == 255:
            return bare
        self.notes.add("alpha-flattened")
        under = Image.new("RGB", image.size, color[:3])
        under.paste(bare, mask=alpha)
        return under

    def _all_or_nothing(self, image: Image.Image, alpha: Image.Image) -> Image.Image:
        if any(alpha.histogram()[1:255]):
            self.notes.add("alpha-flattened")
        shown = image.copy()  # it may be the decoded picture itself, which others need
        shown.putalpha(alpha.point([0] * OPAQUE_FROM + [255] * (256 - OPAQUE_FROM)))
        return shown


def _color(background: str, output: str) -> tuple[int, ...]:
    """The background's red, green, blue and alpha; over white where the output is opaque."""
    red, green, blue, *rest = ImageColor.getrgb(background)
    alpha = rest[0] if rest else 255
    if output not in formats.OPAQUE:
        return (red, green, blue, alpha)
    mixed = [(value * alpha + 255 * (255 - alpha) + 127) // 255 for value in (red, green, blue)]
    return (*mixed, 255)


def _padded(image: Image.Image, canvas: Sides, color: tuple[int, ...]) -> Image.Image:
    alpha = image.mode in WITH_ALPHA or color[3] < 255
    mode = "RGBA" if alpha else "RGB"
    padded = Image.new(mode, canvas, color if alpha else color[:3])
    place = ((canvas[0] - image.width) // 2, (canvas[1] - image.height) // 2)
    padded.paste(image.convert(mode), place)
    return padded
