"""What a worker does for one job, with a crop process that does what the test says."""

import signal
from collections.abc import Callable

import pytest

from cropsvc.cropping import runner as module
from cropsvc.cropping.process import STORE_LOST, CropProcessDied, JobTimeout, Reply
from cropsvc.cropping.runner import JobRunner
from cropsvc.model.job import JobRef, Problem
from cropsvc.store import BeginVerdict, StoreFull, StoreUnavailable

REF = JobRef("ann", "a")
Step = Reply | Exception


class FakeProcess:
    """Answers each wait with the next step; notes what it is sent."""

    def __init__(self, *steps: Step) -> None:
        self.steps = list(steps)
        self.sent = self.killed = self.started = 0
        self.dies_idle = False

    def send(self, ref: JobRef, upload_from: str) -> None:
        self.sent += 1
        if self.dies_idle:
            self.dies_idle = False
            raise CropProcessDied(-9, out_of_memory=False)

    def wait(
        self, seconds: float, on_progress: Callable[..., None], on_tick: Callable[[], None]
    ) -> Reply:
        on_progress("cropping", 0.5)
        on_tick()
        step = self.steps.pop(0)
        if isinstance(step, Exception):
            raise step
        return step

    def start(self) -> None:
        self.started += 1

    def kill(self) -> None:
        self.killed += 1


class FakeStore:
    """Notes ends and counts; can be down or full."""

    def __init__(self) -> None:
        self.failed: list[Problem] = []
        self.counted: list[str] = []
        self.stopped = False
        self.canceled = 0
        self.shed = 0
        self.refusals: list[Exception] = []
        self.object_refusals: list[Exception] = []
        self.keeps_objects = False
        self.count_error: Exception | None = None

    def is_stopped(self, ref: JobRef) -> bool:
        return self.stopped

    def fail(self, ref: JobRef, problem: Problem) -> bool:
        self.failed.append(problem)
        return True

    def cancel(self, ref: JobRef) -> None:
        self.canceled += 1

    def trace(self, ref: JobRef) -> str:
        return "trace"

    def count(self, increments: dict[str, int]) -> None:
        if self.count_error:
            raise self.count_error
        self.counted += increments

    def check_writable(self) -> None:
        if self.refusals:
            raise self.refusals.pop(0)

    def check_objects(self) -> None:
        if self.object_refusals:
            raise self.object_refusals.pop(0)

    def shed_sources(self, count: int) -> int:
        self.shed += 1
        return count


class FakeReporter:
    """Notes progress and heartbeats; fails if told to."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.stages: list[str] = []
        self.stopped = False

    def progress(self, stage: str, fraction: float) -> None:
        if self.error:
            raise self.error
        self.stages.append(stage)

    def alive(self) -> None:
        if self.error:
            raise self.error

    def is_stopped(self) -> bool:
        return self.stopped


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RETRY_SECONDS", 0.001)


@pytest.fixture
def store() -> FakeStore:
    return FakeStore()


def run(store: FakeStore, process: FakeProcess, reporter: FakeReporter | None = None) -> Reply:
    runner = JobRunner(store, process, 30)  # type: ignore[arg-type]
    runner.start(REF, "a")
    return runner.finish(REF, "a", reporter or FakeReporter())


def died(status: int = -11, *, out_of_memory: bool = False) -> CropProcessDied:
    return CropProcessDied(status, out_of_memory=out_of_memory)


def test_the_reply_is_the_jobs_end(store: FakeStore) -> None:
    process, reporter = FakeProcess(Reply("done")), FakeReporter()
    assert run(store, process, reporter) == Reply("done")
    assert reporter.stages == ["cropping"]
    assert (store.failed, process.started) == ([], 1)


def test_a_process_that_died_idle_costs_no_attempt(store: FakeStore) -> None:
    process = FakeProcess(died(), Reply("done"))
    process.dies_idle = True
    assert run(store, process).state == "done"


def test_a_dead_process_gets_a_second_attempt(store: FakeStore) -> None:
    process = FakeProcess(died(), Reply("done"))
    assert run(store, process).state == "done"
    assert process.sent == 2
    assert store.counted == ["crop_process_deaths:SIGSEGV"]


@pytest.mark.parametrize(
    ("death", "code", "detail"),
    [
        (died(-11), "crop-failed", "SIGSEGV ended the crop process, twice"),
        (died(3), "crop-failed", "exited with status 3, twice"),
        (died(-9, out_of_memory=True), "out-of-memory", "more memory"),
    ],
)
def test_two_deaths_fail_the_job(
    store: FakeStore, death: CropProcessDied, code: str, detail: str
) -> None:
    reply = run(store, FakeProcess(death, death))
    assert (reply.state, reply.code, reply.trace) == ("failed", code, "trace")
    assert detail in store.failed[0].detail


@pytest.mark.parametrize("end", [JobTimeout(), died(-signal.SIGXCPU)])
def test_a_job_that_takes_too_long_fails_at_once(store: FakeStore, end: Exception) -> None:
    reply = run(store, FakeProcess(end))
    assert (reply.state, reply.code) == ("failed", "timed-out")
    assert "30 s" in reply.detail


def test_a_canceled_job_is_killed_and_counts_no_death(store: FakeStore) -> None:
    store.stopped = True
    process = FakeProcess(died(-9))
    assert run(store, process).state == "canceled"
    assert (process.killed, store.counted, store.canceled) == (1, [], 1)


def test_a_job_that_the_queue_stops_is_killed(store: FakeStore) -> None:
    process, reporter = FakeProcess(died(-9)), FakeReporter()
    reporter.stopped = True
    assert run(store, process, reporter).state == "canceled"
    assert process.killed == 1


def test_a_store_that_refuses_heartbeats_does_not_hide_a_cancel(store: FakeStore) -> None:
    store.stopped = True
    process = FakeProcess(died(-9))
    assert run(store, process, FakeReporter(StoreFull("OOM"))).state == "canceled"
    assert process.killed == 1


def test_the_crop_goes_on_while_the_store_is_down(store: FakeStore) -> None:
    process = FakeProcess(Reply("done"))
    assert run(store, process, FakeReporter(StoreUnavailable("down"))).state == "done"
    assert process.killed == 0


def test_a_job_whose_store_was_lost_is_sent_again(store: FakeStore) -> None:
    store.refusals = [StoreUnavailable("down")] * 2
    process = FakeProcess(Reply(STORE_LOST), Reply("done"))
    assert run(store, process).state == "done"
    assert (process.sent, store.refusals, store.shed) == (2, [], 0)


def test_a_worker_makes_room_in_a_full_store(store: FakeStore) -> None:
    store.refusals = [StoreFull("OOM")]
    assert run(store, FakeProcess(Reply(STORE_LOST), Reply("done"))).state == "done"
    assert store.shed == 1


def test_a_store_too_full_to_count_a_death_does_not_hold_the_job_up(store: FakeStore) -> None:
    store.count_error = StoreFull("OOM")
    assert run(store, FakeProcess(died(), Reply("done"))).state == "done"


def test_a_job_that_was_begun_too_often_fails(store: FakeStore) -> None:
    reply = run(store, FakeProcess(Reply(BeginVerdict.TOO_MANY_RUNS)))
    assert (reply.state, reply.code) == ("failed", "crop-failed")
    assert "again and again" in store.failed[0].detail


def test_a_job_that_had_ended_is_left_as_it_is(store: FakeStore) -> None:
    assert run(store, FakeProcess(Reply(BeginVerdict.ALREADY_ENDED))).state == "already-ended"
    assert store.failed == []


def test_a_job_waits_for_its_object_store_and_stays_alive(store: FakeStore) -> None:
    store.keeps_objects, store.object_refusals = True, [StoreUnavailable("away")] * 3
    beats: list[int] = []
    reporter = FakeReporter()
    reporter.alive = lambda: beats.append(1)  # type: ignore[method-assign]
    process = FakeProcess(Reply(STORE_LOST), Reply("done"))
    assert run(store, process, reporter).state == "done"
    assert (process.sent, store.object_refusals, len(beats) >= 3) == (2, [], True)


def test_no_heartbeat_is_tried_while_redis_is_away(store: FakeStore) -> None:
    """It would raise what nobody expects there, and the job would hang."""
    store.keeps_objects, store.refusals = True, [StoreUnavailable("away")] * 3

    def alive() -> None:
        assert len(store.refusals) in (0, 3)  # after it, or before it

    reporter = FakeReporter()
    reporter.alive = alive  # type: ignore[method-assign]
    assert run(store, FakeProcess(Reply(STORE_LOST), Reply("done")), reporter).state == "done"
