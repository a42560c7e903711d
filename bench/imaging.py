"""The crop engine against the plain way with Pillow: ratios, likeness, peak memory.

`python -m bench.imaging [ROUNDS]` (or `python bench/imaging.py`) prints a table. Sides are measured
in turn in one process, A B A B, and compared by their best and by their median; memory is that of
a process of its own for each side. The plain way decodes everything, cuts, scales with Lanczos
and saves with the same quality.
"""

import io
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parents[1]
if not __package__:  # run as a script: this directory's names must not hide others
    sys.path[0] = str(ROOT)

import numpy as np  # noqa: E402
from PIL import Image  # noqa: E402
from skimage.metrics import structural_similarity  # noqa: E402

from cropsvc.imaging.params.parser import CropRequest, parse  # noqa: E402
from cropsvc.imaging.render.render import Rendered, render  # noqa: E402
from cropsvc.model.limits import Limits  # noqa: E402

PHOTOS = ROOT / "tests" / "photos"
QUALITY = 82
ROUNDS = 15
LIKENESS = 0.99
SIZES = [(64 * step, 43 * step) for step in range(1, 17)]
Box = tuple[int, int, int, int]  # left, top, right, bottom
Job = tuple[Box | None, tuple[int, int] | None]  # region, size


@dataclass(frozen=True)
class Line:
    """One comparison: the plain jobs, ours that does the same, and the ratio that is asked."""

    name: str
    photo: str
    jobs: tuple[Job, ...]
    asked: float

    def data(self) -> bytes:
        """The upload."""
        return (PHOTOS / self.photo).read_bytes()

    def request(self) -> CropRequest:
        """All jobs as outputs of one request."""
        return parse([("outputs", [_entry(*job) for job in self.jobs])])


def _entry(box: Box | None, size: tuple[int, int] | None) -> dict[str, str]:
    entry = {"fit": "stretch"}
    if box:
        entry["box"] = f"{box[0]},{box[1]},{box[2] - box[0]},{box[3] - box[1]}"
    if size:
        entry["size"] = f"{size[0]}x{size[1]}"
    return entry


def _centred(photo: tuple[int, int], width: int, height: int) -> Box:
    left, top = (photo[0] - width) // 2, (photo[1] - height) // 2
    return (left, top, left + width, top + height)


STREAM, SUNSET = "stream-6mp.jpg", "sunset-12mp.jpg"
REGION6, REGION12 = _centred((3088, 2056), 1500, 1200), _centred((4272, 2848), 1500, 1200)
LINES = (
    Line("6 MP, 1500x1200 -> 300x300", STREAM, ((REGION6, (300, 300)),), 2.0),
    Line("12 MP whole -> 256x256", SUNSET, ((None, (256, 256)),), 3.0),
    Line("6 MP whole -> 256x256", STREAM, ((None, (256, 256)),), 3.0),
    Line("12 MP, 16 sizes in one job", SUNSET, tuple((None, size) for size in SIZES), 5.0),
    Line("6 MP, 1500x1200 unscaled", STREAM, ((REGION6, None),), 1.0),
    Line("12 MP, 1500x1200 unscaled", SUNSET, ((REGION12, None),), 1.0),
)


def plain(data: bytes, job: Job) -> tuple[bytes, Image.Image]:
    """What anybody would write."""
    box, size = job
    image = Image.open(io.BytesIO(data))
    part = image.crop(box) if box else image
    if size:
        part = part.resize(size, Image.Resampling.LANCZOS)
    out = io.BytesIO()
    part.save(out, "JPEG", quality=QUALITY)
    return out.getvalue(), part


def ours(data: bytes, request: CropRequest) -> list[Rendered]:
    """One job of the engine, whose outputs must all succeed."""
    made = render(data, request, Limits(), lambda stage, fraction: None)
    for one in made:
        if one.error:
            raise one.error
    return made


def sides(line: Line) -> dict[str, Callable[[], object]]:
    """What is compared on this line."""
    data, request = line.data(), line.request()
    singles = [CropRequest((crop,)) for crop in request.outputs]
    found: dict[str, Callable[[], object]] = {
        "plain": lambda: [plain(data, job) for job in line.jobs],
        "ours": lambda: ours(data, request),
    }
    if len(singles) > 1:
        found["ours, a job each"] = lambda: [ours(data, single) for single in singles]
    return found


def timed(work: dict[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Milliseconds of each side, measured in turn."""
    times: dict[str, list[float]] = {name: [] for name in work}
    for name in list(work) * (rounds + 1):
        start = time.perf_counter()
        work[name]()
        times[name].append(1000 * (time.perf_counter() - start))
    return {name: found[1:] for name, found in times.items()}  # the first round warms


def likeness(line: Line) -> float:
    """The least SSIM of the line's outputs, without loss by encoding, against the plain way."""
    entries = [{**_entry(*job), "format": "png"} for job in line.jobs]
    made = ours(line.data(), parse([("outputs", entries)]))
    found = []
    for one, job in zip(made, line.jobs, strict=True):
        shown = np.asarray(Image.open(io.BytesIO(one.data)).convert("RGB"))
        expected = np.asarray(plain(line.data(), job)[1].convert("RGB"))
        found.append(float(structural_similarity(shown, expected, channel_axis=2)))
    return min(found)


def grown(line: Line, side: str) -> float:
    """Megabytes by which the peak of a process grows that does this side once."""
    command = [sys.executable, "-m", "bench.imaging", "--peak", line.name, side]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return float(done.stdout)


def _peak() -> int:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


def _print_peak(name: str, side: str) -> None:
    line = next(line for line in LINES if line.name == name)
    work = sides(line)[side]
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak so far
    before = _peak()
    work()
    print((_peak() - before) / 1e6)


def rows(line: Line, rounds: int) -> list[tuple[str, ...]]:
    """The line of the table, and one more for each further side."""
    times = timed(sides(line), rounds)
    base = next(iter(times.values()))
    made = []
    for name, found in times.items():
        best, middle = min(base) / min(found), median(base) / median(found)
        is_ours = name == "ours"
        made.append(
            (
                line.name if name == "plain" else "",
                name,
                f"{min(found):.1f}",
                f"{median(found):.1f}",
                f"{best:.2f}x" if name != "plain" else "",
                f"{middle:.2f}x" if name != "plain" else "",
                f">= {line.asked:.1f}x" if is_ours else "",
                ("yes" if min(best, middle) >= line.asked else "NO") if is_ours else "",
                f"{likeness(line):.4f}" if is_ours else "",
                f"{grown(line, name):.0f}",
            )
        )
    return made


HEAD = ("work", "side", "best ms", "median", "best", "median", "asked", "met", "SSIM", "peak MB")


def table(found: Sequence[tuple[str, ...]]) -> str:
    """In columns."""
    widths = [max(len(row[column]) for row in (HEAD, *found)) for column in range(len(HEAD))]
    lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in (HEAD, *found)]
    return "\n".join(lines)


def main() -> int:
    """0 where every ratio and likeness holds."""
    if sys.argv[1:2] == ["--peak"]:
        _print_peak(*sys.argv[2:])
        return 0
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    found = [row for line in LINES for row in rows(line, rounds)]
    print(table(found))
    met = all(row[7] != "NO" and (not row[8] or float(row[8]) >= LIKENESS) for row in found)
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
