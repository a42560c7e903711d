"""What the clients were promised: every acknowledged id is written down before anything else."""

import json
import threading
from dataclasses import dataclass
from pathlib import Path

from cropsvc.imaging.params.parser import parse
from cropsvc.imaging.render.render import render
from cropsvc.model.limits import Limits


@dataclass(frozen=True)
class Promise:
    """A 202: the job's id, the picture and the box it was for; whether it can only fail."""

    id: str
    picture: int
    box: str
    broken: bool


class Ledger:
    """The promises, on disk in the order of their coming."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._file = path.open("a", encoding="utf-8")

    def note(self, promise: Promise) -> None:
        """Writes a promise down; it is on disk when this returns."""
        line = json.dumps(vars(promise))
        with self._lock:
            self._file.write(line + "\n")
            self._file.flush()

    def promises(self) -> list[Promise]:
        """All of them, read back from the disk."""
        lines = self.path.read_text(encoding="utf-8").splitlines()
        return [Promise(**json.loads(line)) for line in lines]


def reference(picture: bytes, box: str) -> bytes:
    """What the crop must be, byte for byte: the same render, in this process."""
    request = parse([("box", box), ("size", "120x")])
    return render(picture, request, Limits(), lambda stage, fraction: None)[0].data
