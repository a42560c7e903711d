"""Where a region goes that the image itself places, and why."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from cropsvc.imaging.geometry.orientation import Region, Sides

Method = Literal["face", "smart", "center"]
HEADROOM = 0.12  # of a face's height, above it; of its width, at its sides


@dataclass(frozen=True)
class Face:
    """A face in displayed coordinates, and how sure the detector is (0 to 1)."""

    box: Region
    score: float


@dataclass(frozen=True)
class Decision:
    """How a region was placed."""

    method: Method
    faces: tuple[Face, ...]
    reason: str

    def to_json(self) -> dict[str, Any]:
        """Return it as the contract writes it."""
        faces = [{"box": list(face.box), "score": face.score} for face in self.faces]
        return {"method": self.method, "faces": faces, "reason": self.reason}


def around_faces(
    faces: Sequence[Face], sides: Sides, within: Region
) -> tuple[tuple[float, float], str] | None:
    """Return the centre of a region of these *sides* in *within*, and why it is there.

    It holds all faces if it can, else the one with the highest score x area. None without a face
    that lies in *within*.
    """
    inside = [face for face in faces if _overlaps(face.box, within)]
    if not inside:
        return None
    attempts: list[tuple[Sequence[Face], Callable[[Region], Region], str]] = [
        (inside, _with_headroom, "all faces are inside"),
        (inside, _bare, "all faces are inside, without headroom"),
    ]
    for some, grown, reason in attempts:
        union = _union([grown(face.box) for face in some], within)
        if union[2] <= sides[0] and union[3] <= sides[1]:
            return _centre(union), reason if len(inside) > 1 else "the face is inside"
    best = max(inside, key=lambda face: face.score * face.box[2] * face.box[3])
    reason = "the most prominent face" if len(inside) > 1 else "the face is larger than the region"
    return _centre(_union([_with_headroom(best.box)], within)), reason


def _bare(box: Region) -> Region:
    return box


def _with_headroom(box: Region) -> Region:
    x, y, width, height = box
    beside, above = round(width * HEADROOM), round(height * HEADROOM)
    return (x - beside, y - above, width + 2 * beside, height + 2 * above)


def _union(boxes: Sequence[Region], within: Region) -> Region:
    left = max(within[0], min(box[0] for box in boxes))
    top = max(within[1], min(box[1] for box in boxes))
    right = min(within[0] + within[2], max(box[0] + box[2] for box in boxes))
    bottom = min(within[1] + within[3], max(box[1] + box[3] for box in boxes))
    return (left, top, max(0, right - left), max(0, bottom - top))


def _centre(box: Region) -> tuple[float, float]:
    return box[0] + box[2] / 2, box[1] + box[3] / 2


def _overlaps(box: Region, within: Region) -> bool:
    return (
        box[0] < within[0] + within[2]
        and within[0] < box[0] + box[2]
        and box[1] < within[1] + within[3]
        and within[1] < box[1] + box[3]
    )
