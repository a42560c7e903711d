"""The command line: `python -m cropsvc crop` asks a server, `local` crops on this machine."""

import os
import sys
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import click
from rich.console import Console

from cropsvc import __version__
from cropsvc.cli.files import STREAM, BadTarget, Target
from cropsvc.cli.local import Local
from cropsvc.cli.progress import Board
from cropsvc.cli.remote import Remote, Stopped
from cropsvc.client import Client, ClientError
from cropsvc.imaging.params.parser import PARAMETERS, CropRequest, parse
from cropsvc.imaging.params.presets import BUILT_IN, Presets, presets_of
from cropsvc.model.errors import BadParameter, CropError
from cropsvc.settings.settings import ConfigError, Settings

INTERRUPTED = 130  # the shell's status for Ctrl-C
EXAMPLES = """\b
Examples:
  python -m cropsvc {name} photo.jpg --box 10%,10%,80%,80% --size 300x300 -o out.jpg
  python -m cropsvc {name} *.jpg --aspect 16:9 --size 1280x -o 'small/{{stem}}.webp'
  python -m cropsvc {name} - --preset classic < in.jpg > out.jpg
"""
TARGET_HELP = (
    "Where to: a file, a directory, a template with {stem}, {index}, {name} (of the output), "
    "{ext}, or - for standard output. The suffix chooses the format.  [default: {stem}-crop.{ext}]"
)

Command = Callable[..., None]


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="cropsvc")
def main() -> None:
    """Crop images, by a cropsvc server or on this machine."""


def _parameters(command: Command) -> Command:
    """Add an option for each parameter of the API, the files, and -o."""
    for row in reversed(PARAMETERS):
        words = f"{row.description.replace('`', '')}  [default: {row.default}]"
        names = dict.fromkeys((f"--{row.name.replace('_', '-')}", f"--{row.name}"))
        option = click.option(*names, row.name, help=words, metavar=_metavar(row.schema))
        command = option(command)
    command = click.option("-q", "--quiet", is_flag=True, help="Say only what went wrong.")(command)
    command = click.option("-o", "--output", "target", metavar="TARGET", help=TARGET_HELP)(command)
    return click.argument("files", nargs=-1, required=True, metavar="FILE...")(command)


def _metavar(schema: Any) -> str:
    choices = [choice for choice in schema.get("enum", ()) if isinstance(choice, str)]
    return "|".join(choices) if choices else str(schema.get("examples", ["TEXT"])[0])


@main.command(epilog=EXAMPLES.format(name="crop"))
@_parameters
@click.option(
    "--server",
    envvar="CROPSVC_SERVER",
    default="http://127.0.0.1:5000",
    show_default=True,
    show_envvar=True,
    metavar="URL",
    help="The service.",
)
@click.option(
    "--key",
    metavar="KEY",
    help="The API key. Better in the environment as CROPSVC_KEY: others see a command's options.",
)
@click.option(
    "--patience",
    type=click.FloatRange(0, 3600),
    default=60.0,
    show_default=True,
    metavar="SECONDS",
    help="How long a server may be busy or away.",
)
@click.option(
    "--jobs",
    type=click.IntRange(1, 32),
    default=4,
    show_default=True,
    help="Images that are cropped at the same time.",
)
def crop(
    files: tuple[str, ...],
    target: str | None,
    quiet: bool,
    server: str,
    key: str | None,
    patience: float,
    jobs: int,
    **given: str | None,
) -> None:
    """Crop images by a server; - is standard input. Ctrl-C cancels what runs."""
    place, pairs = _prepared(files, target, given)
    _parsed([pair for pair in pairs if pair[0] != "preset"], BUILT_IN)  # the server knows its own
    stop = threading.Event()
    key = key or os.environ.get("CROPSVC_KEY")

    def sleep(seconds: float) -> None:
        if stop.wait(seconds):
            raise Stopped

    try:
        client = Client(server, key, patience=patience, sleep=sleep)
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    remote = Remote(client, place, _board(quiet), stop)
    with client, remote.board.shown():
        status = _all(remote, list(files), pairs, jobs)
    sys.exit(status)


@main.command(epilog=EXAMPLES.format(name="local"))
@_parameters
def local(files: tuple[str, ...], target: str | None, quiet: bool, **given: str | None) -> None:
    """Crop images on this machine, without a server; - is standard input.

    The limits are those of the service: CROPSVC_MAX_PIXELS, _FRAMES, _SCANS and _SIDE.
    """
    place, pairs = _prepared(files, target, given)
    settings = _settings()
    request = _parsed(pairs, presets_of(settings))
    run = Local(place, _board(quiet), settings.limits)
    failed = False
    try:
        with run.board.shown():
            for index, source in enumerate(files):
                words = _failure(lambda: run.crop(source, index, request))  # noqa: B023 - called at once
                failed = failed or words is not None
                if words is not None:
                    run.board.complain(f"{_shown(source)}: {words}")
    except KeyboardInterrupt:
        run.board.complain("stopped")
        sys.exit(INTERRUPTED)
    sys.exit(1 if failed else 0)


def _prepared(
    files: Iterable[str], given: str | None, options: dict[str, str | None]
) -> tuple[Target, list[tuple[str, str]]]:
    try:
        target = Target.of(given, list(files))
        pairs = [(name, value) for name, value in options.items() if value is not None]
        asked = options["format"]
        if target.format and asked not in (None, "auto", target.format):
            raise BadTarget(f"-o {target.pattern}: its suffix is not that of --format {asked}")
        if target.format and asked is None:
            pairs.append(("format", target.format))
        return target, pairs
    except BadTarget as error:
        raise click.UsageError(str(error)) from None


def _parsed(pairs: list[tuple[str, str]], presets: Presets) -> CropRequest:
    try:
        return parse(pairs, presets=presets)
    except BadParameter as error:
        raise click.UsageError(error.detail) from None


def _settings() -> Settings:
    try:
        return Settings.from_env(os.environ)
    except ConfigError as error:
        raise click.UsageError(str(error)) from None


def _board(quiet: bool) -> Board:
    if sys.stderr is None:  # closed by the caller
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - until the end
    return Board(Console(stderr=True), quiet=quiet)


def _shown(source: str) -> str:
    return "standard input" if source == STREAM else source


def _all(remote: Remote, files: list[str], pairs: list[tuple[str, str]], jobs: int) -> int:
    with ThreadPoolExecutor(jobs) as pool:
        futures = {
            pool.submit(remote.crop, source, index, pairs): source
            for index, source in enumerate(files)
        }
        try:
            return _collected(remote.board, futures)
        except KeyboardInterrupt:
            remote.stop.set()
            pool.shutdown(wait=False, cancel_futures=True)
            remote.cancel_all()
            remote.board.complain("stopped; what ran was canceled")
            return INTERRUPTED


def _collected(board: Board, futures: dict[Future[None], str]) -> int:
    failed = False
    for future, source in futures.items():
        words = _failure(future.result)
        if words is not None:
            failed = True
            board.complain(f"{_shown(source)}: {words}")
    return 1 if failed else 0


def _failure(attempt: Callable[[], object]) -> str | None:
    """Return why it failed; None if it did not."""
    try:
        attempt()
    except CropError as error:
        return f"{error.detail} ({error.code})"
    except (ClientError, BadTarget) as error:
        return str(error)
    except Stopped:
        return "canceled"
    except OSError as error:
        return error.strerror or str(error)
    return None
