"""Crops on this machine, without a server: the same image code, in this process."""

from collections.abc import Sequence
from dataclasses import dataclass

from cropsvc.cli.files import OutputFile, Target, read, write
from cropsvc.cli.progress import Board
from cropsvc.imaging.geometry.validate import check
from cropsvc.imaging.headers.probe import probe
from cropsvc.imaging.params.parser import CropRequest
from cropsvc.imaging.render.render import Rendered, render
from cropsvc.model.errors import CropFailed
from cropsvc.model.limits import Limits


@dataclass(frozen=True)
class Local:
    """One run on this machine."""

    target: Target
    board: Board
    limits: Limits

    def crop(self, source: str, index: int, request: CropRequest) -> None:
        """Crop one image. Raises a CropError, OSError, BadTarget."""
        line = self.board.line(source)
        line.show("reading", 0.0)
        data = read(source)
        check(request, probe(data, self.limits), self.limits)
        rendered = render(data, request, self.limits, line.show)
        self._write_all(rendered, source, index)
        line.show("done", 1.0)

    def _write_all(self, rendered: Sequence[Rendered], source: str, index: int) -> None:
        only = len(rendered) == 1
        for one in rendered:
            if one.error:
                continue
            path = self.target.path(
                OutputFile(source, index, None if only else one.name, one.format)
            )
            write(path, one.data)
            notes = f" ({', '.join(one.notes)})" if one.notes else ""
            size = f"{one.width}x{one.height}"
            self.board.say(f"{path}: {size} {one.format}, {len(one.data):,} bytes{notes}")
        errors = [(one.name, one.error) for one in rendered if one.error]
        if errors and only:
            raise errors[0][1]
        if errors:
            raise CropFailed("; ".join(f"output {name}: {error.detail}" for name, error in errors))
