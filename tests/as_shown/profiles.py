"""Files of every format and mode with an ICC profile: of their own colours, of others, none."""

from collections.abc import Iterator
from io import BytesIO

from PIL import Image

from cropsvc.imaging.headers.color import ColorDescription
from cropsvc.imaging.render.described_color import icc_profile
from tests.as_shown.webps import P3, picture
from tests.imaging.test_color import WIDE, gray_profile

PROFILES = {
    "p3": icc_profile(ColorDescription(P3, 1, 2.2)),
    "linear": icc_profile(ColorDescription(P3, 8, 1.0)),
    "wide": WIDE,
    "gray": gray_profile(1.8),
}
OPTIONS: dict[str, dict[str, object]] = {
    "PNG": {},
    "JPEG": {"quality": 90},
    "AVIF": {"quality": 95, "subsampling": "4:4:4"},
}
MODES = {
    "PNG": ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"),
    "JPEG": ("L", "RGB"),
    "AVIF": ("RGB",),
}
SIDES = (60, 40)


def files() -> Iterator[tuple[str, bytes]]:
    """Every file with its name."""
    for kind, modes in MODES.items():
        for mode in modes:
            for name, profile in {"none": b"", **PROFILES}.items():
                yield f"{kind.lower()}-{mode}-{name}", _saved(_in(mode), kind, profile or b"")
    for span in ("full", "limited"):
        for subsampling in ("4:2:0", "4:4:4", "4:0:0"):
            for name in ("p3", "wide"):
                options = {"range": span, "subsampling": subsampling, "quality": 95}
                yield (
                    f"avif-{span}-{subsampling}-{name}",
                    _saved(picture("RGB", SIDES), "AVIF", PROFILES[name] or b"", **options),
                )
    moving = [picture("RGB", SIDES, turn=turn) for turn in range(3)]
    for name in ("p3", "wide"):
        options = {"save_all": True, "append_images": moving[1:], "duration": 200}
        yield f"apng-{name}", _saved(moving[0], "PNG", PROFILES[name] or b"", **options)
    yield "jpeg-rgb", _saved(moving[0], "JPEG", PROFILES["p3"] or b"", keep_rgb=True)


def _in(mode: str) -> Image.Image:
    image = picture("RGBA" if mode in ("LA", "RGBA") else "RGB", SIDES)
    if mode == "P":
        return image.quantize(50)
    if mode == "I;16":
        return image.convert("L").convert("I").point(lambda value: value * 257).convert("I;16")
    return image.convert(mode)


def _saved(image: Image.Image, kind: str, profile: bytes, **options: object) -> bytes:
    out = BytesIO()
    image.save(out, kind, **{**OPTIONS[kind], **options}, icc_profile=profile)
    return out.getvalue()
