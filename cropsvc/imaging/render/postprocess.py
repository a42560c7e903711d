"""What happens to a cut and scaled region before it is encoded: turned, in sRGB, padded, opaque."""

from collections.abc import Callable

from PIL import Image, ImageColor

from cropsvc.imaging import formats
from cropsvc.imaging.geometry.orientation import ORIENTATIONS, Region, Sides
from cropsvc.imaging.geometry.straighten import Tilt
from cropsvc.imaging.headers.color import ColorDescription
from cropsvc.imaging.render.color import Profile, least_alpha, to_srgb
from cropsvc.imaging.render.output_plan import OutputPlan

TRANSPOSES = {
    ORIENTATIONS[2]: Image.Transpose.FLIP_LEFT_RIGHT,
    ORIENTATIONS[3]: Image.Transpose.ROTATE_180,
    ORIENTATIONS[4]: Image.Transpose.FLIP_TOP_BOTTOM,
    ORIENTATIONS[5]: Image.Transpose.TRANSPOSE,
    ORIENTATIONS[6]: Image.Transpose.ROTATE_270,
    ORIENTATIONS[7]: Image.Transpose.TRANSVERSE,
    ORIENTATIONS[8]: Image.Transpose.ROTATE_90,
}
Step = Callable[[Image.Image], Image.Image]

WITH_ALPHA = ("LA", "RGBA")
OPAQUE_FROM = 128  # alpha from which GIF, which knows nothing between, shows a pixel


class Postprocessor:
    """The last steps for one output; `notes` collects what they cost."""

    def __init__(self, task: OutputPlan, profile: Profile) -> None:
        self._task = task
        self._profile = profile
        self._color = _color(task.crop.background, task.output)
        self.notes: set[str] = set()

    def __call__(self, image: Image.Image) -> Image.Image:
        """Return the image as it is encoded; each step lets go of what it was given."""
        for step in self.steps():
            image = step(image)
        return image

    def steps(self) -> tuple[Step, ...]:
        """Return the steps in their order, so that a caller holds one image at a time."""
        return (
            self._to_srgb,
            self._turned,
            self._straightened,
            self._alpha_as_possible,
            self._padded,
        )

    def _to_srgb(self, image: Image.Image) -> Image.Image:
        image, converted = to_srgb(image, self._profile)
        if converted:
            self.notes.add("profile-converted")
        if isinstance(self._profile, ColorDescription) and self._profile.is_hdr:
            self.notes.add("tone-mapped")
        return image

    def _alpha_as_possible(self, image: Image.Image) -> Image.Image:
        if image.mode not in WITH_ALPHA:
            return image
        alpha = formats.OUTPUTS[self._task.output].alpha
        if alpha == "none":
            return self._flattened(image)
        return self._all_or_nothing(image) if alpha == "on or off" else image

    def _flattened(self, image: Image.Image) -> Image.Image:
        if least_alpha(image) == 255:
            return image.convert(image.mode[:-1])
        self.notes.add("alpha-flattened")
        under = Image.new("RGB", image.size, self._color[:3])
        under.paste(image, (0, 0), image)
        return under

    def _all_or_nothing(self, image: Image.Image) -> Image.Image:
        alpha = image.getchannel("A")
        if any(alpha.histogram()[1:255]):
            self.notes.add("alpha-flattened")
        shown = image.copy()  # it may be the decoded image itself, which others need
        shown.putalpha(alpha.point([0] * OPAQUE_FROM + [255] * (256 - OPAQUE_FROM)))
        return shown

    def _turned(self, image: Image.Image) -> Image.Image:
        turn = self._task.turn
        return image.transpose(TRANSPOSES[turn]) if turn in TRANSPOSES else image

    def _straightened(self, image: Image.Image) -> Image.Image:
        tilt, plan = self._task.tilt, self._task.plan
        return straightened(image, tilt, plan.region, plan.scaled) if tilt else image

    def _padded(self, image: Image.Image) -> Image.Image:
        canvas = self._task.plan.canvas
        if image.size == canvas:
            return image
        alpha = image.mode in WITH_ALPHA or self._color[3] < 255
        mode = "RGBA" if alpha else "RGB"
        padded = Image.new(mode, canvas, self._color if alpha else self._color[:3])
        place = ((canvas[0] - image.width) // 2, (canvas[1] - image.height) // 2)
        padded.paste(image if image.mode == mode else image.convert(mode), place)
        return self._alpha_as_possible(padded)  # the padding's own may be between, too


def straightened(image: Image.Image, tilt: Tilt, region: Region, scaled: Sides) -> Image.Image:
    """Return the tilted *region* at *scaled*; *image* shows `tilt.bounds(region)`."""
    affine = tilt.affine(region, scaled, image.size)
    return image.transform(
        scaled, Image.Transform.AFFINE, affine, Image.Resampling.BICUBIC, fillcolor=None
    )


def _color(background: str, output: str) -> tuple[int, ...]:
    """Return the background's red, green, blue and alpha; over white where the output is opaque."""
    red, green, blue, *rest = ImageColor.getrgb(background)
    alpha = rest[0] if rest else 255
    if formats.OUTPUTS[output].alpha != "none":
        return (red, green, blue, alpha)
    mixed = [(value * alpha + 255 * (255 - alpha) + 127) // 255 for value in (red, green, blue)]
    return (*mixed, 255)
