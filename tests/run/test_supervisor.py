import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from cropsvc.processes.supervisor import Child, Program, Supervisor
from tests.processes import lives
from tests.stack import ROOT, until

StartOuter = Callable[..., psutil.Popen]
SLEEP = (sys.executable, "-ISc", "import time; time.sleep(600)")
DEAF = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)"


@pytest.fixture(name="supervisor")
def _supervisor() -> Iterator[Supervisor]:
    with Supervisor() as started:
        yield started


@pytest.fixture(name="start_outer")
def _start_outer() -> Iterator[StartOuter]:
    """Starts a process that supervises one program, which has run *prelude* and sleeps."""
    started: list[psutil.Popen] = []

    def start(prelude: str = "pass", grace: float = 5) -> psutil.Popen:
        code = f"{prelude}; import time; print('running', flush=True); time.sleep(600)"
        command = (sys.executable, "-ISc", code)
        # Under nohup the tests, and what they start, would ignore a SIGHUP.
        script = f"""\
            import signal; signal.signal(signal.SIGHUP, signal.SIG_DFL)
            from cropsvc.processes.supervisor import Program, Supervisor
            with Supervisor() as supervisor:
                supervisor.start([Program("inner", {command!r}, grace={grace})])
                supervisor.run()
            """
        outer = psutil.Popen(
            [sys.executable, "-c", textwrap.dedent(script)], cwd=ROOT, stdout=subprocess.PIPE
        )
        started.append(outer)
        assert outer.stdout.readline() == b"running\n"
        return outer

    yield start
    for outer in started:
        if outer.poll() is None:
            outer.kill()
            outer.wait()


def turn(supervisor: Supervisor, seconds: float) -> None:
    """Lets the supervisor work for *seconds*."""
    deadline = time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0:
        supervisor.tick(left)


def kill_and_await_next(supervisor: Supervisor, child: Child) -> float:
    """Kills the child's process; gives the seconds until the next one runs."""
    before, begun = child.pid, time.monotonic()
    child.signal(signal.SIGKILL)
    while child.pid in (before, None):
        supervisor.tick(0.5)
    return time.monotonic() - begun


def test_what_is_killed_25_times_comes_back_at_once_each_time(supervisor: Supervisor) -> None:
    [child] = supervisor.start([Program("sleep", SLEEP)])
    waits = []
    for _ in range(25):
        turn(supervisor, 0.25)
        waits.append(kill_and_await_next(supervisor, child))

    assert child.starts == 26
    assert max(waits) < 0.5


def test_what_fails_at_once_is_tried_for_ever_but_not_in_a_hot_loop(
    supervisor: Supervisor,
) -> None:
    [child] = supervisor.start([Program("broken", (sys.executable, "-ISc", "raise SystemExit(3)"))])
    turn(supervisor, 3)
    early = child.starts
    turn(supervisor, 3)

    assert 4 <= early <= 12
    assert child.starts > early


def test_a_missing_program_is_tried_again_too(supervisor: Supervisor) -> None:
    [child] = supervisor.start([Program("nothing", ("/nonexistent/program",))])
    turn(supervisor, 1)

    assert child.starts >= 2


def test_what_a_dead_program_left_in_its_group_ends_with_it(supervisor: Supervisor) -> None:
    script = f"import subprocess; subprocess.Popen({SLEEP!r}).wait()"
    [child] = supervisor.start([Program("parent", (sys.executable, "-ISc", script))])
    [left] = until(lambda: psutil.Process(child.pid).children(), seconds=5, what="a grandchild")
    kill_and_await_next(supervisor, child)

    until(lambda: not lives(left), seconds=5, what="the grandchild's end")


def test_exit_stops_stages_in_reverse_order() -> None:
    slow = "import signal, time\nsignal.signal(15, lambda *_: (time.sleep(1), exit()))\n"
    with Supervisor() as supervisor:
        [store] = supervisor.start([Program("store", SLEEP)])
        command = (sys.executable, "-ISc", f"{slow}print(1, flush=True)\ntime.sleep(600)")
        [worker] = supervisor.start([Program("worker", command)])
        processes = [psutil.Process(store.pid), psutil.Process(worker.pid)]
        turn(supervisor, 0.5)  # until its handler stands
        store.signal(signal.SIGKILL)
        begun = time.monotonic()
    seconds = time.monotonic() - begun

    assert store.starts == 2  # it died while the worker was ending, and was needed
    assert 0.9 < seconds < 3
    assert not any(map(lives, processes))


def is_deaf(process: psutil.Process) -> bool:
    """Whether the kernel drops SIGTERM to it (proc(5), SigIgn)."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    return bool(int(status.partition("SigIgn:")[2].split()[0], 16) >> (signal.SIGTERM - 1) & 1)


def test_a_program_that_ignores_sigterm_is_killed_after_its_grace() -> None:
    with Supervisor() as supervisor:
        command = (sys.executable, "-ISc", f"{DEAF}; import time; time.sleep(600)")
        [child] = supervisor.start([Program("deaf", command, grace=0.7)])
        process = psutil.Process(child.pid)
        until(lambda: is_deaf(process), seconds=10, what="it ignores the signal")
        begun = time.monotonic()

    assert 0.6 < time.monotonic() - begun < 2
    assert not lives(process)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_the_run_and_the_programs(
    start_outer: StartOuter, number: signal.Signals
) -> None:
    outer = start_outer()
    [inner] = until(outer.children, seconds=5, what="the program")
    outer.send_signal(number)

    assert outer.wait(5) == 0
    assert not lives(inner)


def test_a_second_ctrl_c_waits_for_nothing_more(start_outer: StartOuter) -> None:
    outer = start_outer(DEAF, grace=60)
    [inner] = until(outer.children, seconds=5, what="the program")
    outer.send_signal(signal.SIGINT)
    with pytest.raises(psutil.TimeoutExpired):
        outer.wait(1.5)
    assert lives(inner)
    outer.send_signal(signal.SIGINT)

    assert outer.wait(5) == 0
    assert not lives(inner)


def test_nothing_survives_a_sigkill_of_the_supervisor(start_outer: StartOuter) -> None:
    outer = start_outer()
    [inner] = until(outer.children, seconds=5, what="the program")
    outer.kill()

    until(lambda: not lives(inner), seconds=5, what="the program's end")


def test_a_program_whose_supervisor_is_gone_already_does_not_start() -> None:
    command = [
        sys.executable,
        "-IS",
        str(ROOT / "cropsvc/processes/parent_death.py"),
        str(os.getpid() + 1),
    ]
    ended = subprocess.run([*command, "/bin/echo", "started"], capture_output=True, text=True)

    assert ended.returncode == 1
    assert ended.stdout == ""
    assert "has ended" in ended.stderr
