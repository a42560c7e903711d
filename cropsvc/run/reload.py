"""`make run DEV=1`: workers start again when a source file changes (gunicorn reloads itself)."""

import signal
from collections.abc import Sequence
from pathlib import Path

from cropsvc.processes.supervisor import Child


class Watch:
    """Compares the package's files with those of the last look."""

    def __init__(self, package: Path, workers: Sequence[Child]) -> None:
        self._package, self._workers = package, workers
        self._seen = self._stamps()

    def look(self) -> bool:
        """End the workers, each after its running crop, if a file changed; the supervisor
        starts them again."""
        stamps = self._stamps()
        changed = stamps != self._seen
        self._seen = stamps
        for worker in self._workers if changed else ():
            worker.signal(signal.SIGTERM)
        return changed

    def _stamps(self) -> dict[Path, int | None]:
        return {path: _stamp(path) for path in self._package.rglob("*.py")}


def _stamp(path: Path) -> int | None:
    try:
        return path.stat().st_mtime_ns
    except FileNotFoundError:  # an editor's lock, a link to nothing, or a file just replaced
        return None
