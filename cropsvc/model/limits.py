"""What an image may cost, and how long its data lives, for every client."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """The bounds on one upload and on what is made of it; the defaults are the settings'."""

    pixels: int = 50_000_000  # of the source, all frames of an animation added up; of an output
    frames: int = 500
    scans: int = 64  # of a JPEG; real files show up to 20
    side: int = 16_384  # of an output
    source_pixels: int = 400_000_000  # of a JPEG as its header states them


@dataclass(frozen=True)
class Lifetimes:
    """How long results and uploads are kept after the job's end, in seconds."""

    result: int
    source: int
