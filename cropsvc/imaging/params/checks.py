"""What a crop asks for and can never get, whatever the image is."""

from cropsvc.imaging import extras, formats
from cropsvc.imaging.params.model import Crop
from cropsvc.model.errors import BadParameter, FieldError
from cropsvc.model.limits import Limits


def check_extras(crop: Crop) -> None:
    """Raise BadParameter if the crop needs an extra that is not installed."""
    if crop.anchor.method == "face" and not extras.is_installed("faces"):
        raise BadParameter.of(FieldError("anchor", f"'face': {extras.cure('faces')}"))


def check_size(crop: Crop, limits: Limits) -> None:
    """Raise BadParameter if `size` asks for a side that no output may have."""
    sides = (crop.size.width or 0, crop.size.height or 0) if crop.size else (0, 0)
    if max(sides) > limits.side:
        detail = f"a side of {max(sides)} pixels is too long; ask for at most {limits.side}"
        raise BadParameter.of(FieldError("size", detail))


def check_encoding(crop: Crop, output: str) -> None:
    """Raise BadParameter if the format *output* cannot do what the crop asks of it."""
    row = formats.OUTPUTS[output]
    lossy = row.default_quality is not None
    if crop.lossless and lossy and not row.can_be_lossless:
        detail = f"{row.label} cannot be written without loss; ask for WebP or PNG"
        raise BadParameter.of(FieldError("lossless", detail))
    if crop.max_bytes and (not lossy or crop.lossless):
        kind = f"lossless {row.label}" if lossy else row.label
        detail = f"{kind} has no quality to lower; ask for JPEG, WebP or AVIF"
        raise BadParameter.of(FieldError("max_bytes", detail))
