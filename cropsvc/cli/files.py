"""Where the command line client reads images, and what it names the crops."""

import contextlib
import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from cropsvc.imaging import formats

STREAM = "-"
FIELDS = "{stem}, {index}, {name}, {ext}"


class BadTarget(Exception):
    """An -o that cannot be used; the message says why."""


@dataclass(frozen=True)
class OutputFile:
    """One output to be named: of which image, its own name (None: the only one), its format."""

    source: str
    index: int
    name: str | None
    format: str


@dataclass(frozen=True)
class Target:
    """The -o: a file, a directory, a template with braces, or `-` for standard output."""

    pattern: str

    @classmethod
    def of(cls, given: str | None, sources: list[str]) -> "Target":
        """Return the target for these *sources*. Raises BadTarget if they would share one file."""
        target = cls(_pattern(given, sources))
        _check_suffix(target.pattern)
        if len(sources) > 1 and "{index}" not in target.pattern:
            _check_apart(target.pattern, sources)
        return target

    @property
    def format(self) -> str | None:
        """The format that the suffix asks for, if any."""
        row = formats.BY_SUFFIX.get(_suffix(self.pattern))
        return row.name if row else None

    def path(self, made: OutputFile) -> str:
        """Return the file of one output. Raises BadTarget where there is none for it."""
        if self.pattern == STREAM:
            if made.name is not None:
                raise BadTarget("-o -: standard output takes one output; give a file or directory")
            return STREAM
        filled = self._filled(made)
        if made.name is not None and not {"{name}", "{part}"} & _braces(self.pattern):
            filled = str(Path(filled).with_stem(f"{Path(filled).stem}-{made.name}"))
        if made.source != STREAM and Path(filled).resolve() == Path(made.source).resolve():
            raise BadTarget(f"-o {self.pattern}: that would overwrite {made.source}")
        return filled

    def _filled(self, made: OutputFile) -> str:
        try:
            return self.pattern.format(
                stem=_stem(made.source),
                index=made.index,
                name=made.name or "0",
                part="" if made.name is None else f"-{made.name}",
                ext=formats.OUTPUTS[made.format].suffixes[0],
            )
        except (KeyError, IndexError, ValueError, AttributeError) as error:
            raise BadTarget(f"-o {self.pattern}: {error} is none of {FIELDS}") from None


def read(source: str) -> bytes:
    """Return the image's bytes, from a file or standard input. Raises OSError."""
    if source != STREAM:
        return Path(source).read_bytes()
    if sys.stdin is None:
        raise OSError("it is closed")
    return sys.stdin.buffer.read()


def write(path: str, data: bytes) -> None:
    """Write the whole file or nothing. Raises OSError."""
    if path == STREAM:
        _to_standard_output(data)
        return
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, draft = tempfile.mkstemp(dir=target.parent, prefix=".cropsvc-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        Path(draft).chmod(0o666 & ~_umask())  # mkstemp's files are for the owner alone
        Path(draft).replace(target)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            Path(draft).unlink()
        raise


def _to_standard_output(data: bytes) -> None:
    if sys.stdout is None:
        raise OSError("standard output is closed")
    try:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except BrokenPipeError:  # Python would complain once more when it ends
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise OSError("nobody reads the standard output any more") from None


def _suffix(pattern: str) -> str:
    return Path(pattern).suffix[1:].lower()


def _check_suffix(pattern: str) -> None:
    suffix = _suffix(pattern)
    if pattern == STREAM or not suffix or "{" in suffix or "}" in suffix:
        return
    if suffix not in formats.BY_SUFFIX:
        known = ", ".join(f".{one}" for one in formats.BY_SUFFIX)
        raise BadTarget(f"-o {pattern}: .{suffix} files cannot be written; use one of {known}")


def _pattern(given: str | None, sources: list[str]) -> str:
    if given is None:
        return STREAM if sources == [STREAM] else "{stem}-crop{part}.{ext}"
    if given != STREAM and (given.endswith(("/", os.sep)) or Path(given).is_dir()):
        literal = given.replace("{", "{{").replace("}", "}}")
        return str(Path(literal) / "{stem}{part}.{ext}")
    return given


def _check_apart(pattern: str, sources: list[str]) -> None:
    if "{stem}" not in pattern:
        raise BadTarget(
            f"-o {pattern}: {len(sources)} images need a directory (with a / at its end) or a "
            f"template like 'out/{{stem}}.{{ext}}'; it may hold {FIELDS}"
        )
    stems = [_stem(source) for source in sources]
    twice = next((stem for stem in stems if stems.count(stem) > 1), None)
    if twice is not None:
        raise BadTarget(
            f"two images would be named {twice!r}: add {{index}} to the template, for example "
            "-o 'out/{index}-{stem}.{ext}'"
        )


def _braces(pattern: str) -> set[str]:
    return {name for name in ("{name}", "{part}") if name in pattern}


def _stem(source: str) -> str:
    return "stdin" if source == STREAM else Path(source).stem


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current
