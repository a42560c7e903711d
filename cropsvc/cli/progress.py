"""What the command line client shows while it works, on standard error."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

UPLOAD_SHARE = 0.3  # of the bar; the job's own progress fills the rest


@dataclass(frozen=True)
class Line:
    """One image's line."""

    progress: Progress
    task: TaskID

    def show(self, words: str, fraction: float) -> None:
        """Show what happens now, and how much of all is done (0 to 1)."""
        self.progress.update(self.task, stage=escape(harmless(words)), completed=fraction)


class Board:
    """A line with a bar for each image; only text where nobody watches."""

    def __init__(self, console: Console, *, quiet: bool) -> None:
        self._console = console
        self._quiet = quiet
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=30),
            TextColumn("{task.percentage:>3.0f} %"),
            TextColumn("{task.fields[stage]}"),
            TimeElapsedColumn(),
            console=console,
            disable=quiet or not console.is_terminal,
        )

    @property
    def is_watched(self) -> bool:
        """Whether somebody sees the bars move."""
        return not self._progress.disable

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Show the bars while the block runs."""
        with self._progress:
            yield

    def line(self, source: str) -> Line:
        """Return a new line for this image."""
        task = self._progress.add_task(Path(source).name or source, total=1.0, stage="")
        return Line(self._progress, task)

    def say(self, words: str) -> None:
        """Say what went well, but not to those who want quiet."""
        if not self._quiet:
            self._console.print(harmless(words), markup=False, highlight=False, soft_wrap=True)

    def complain(self, words: str) -> None:
        """Say what went wrong."""
        self._console.print(
            harmless(words), style="red", markup=False, highlight=False, soft_wrap=True
        )


def harmless(text: str) -> str:
    """Return the text with control characters written out: names of files may hold any."""
    return "".join(c if c.isprintable() or c == "\n" else repr(c)[1:-1] for c in text)
