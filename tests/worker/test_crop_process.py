"""Whatever happens to the crop process: the worker lives, and the job ends as it should."""

import json
import signal
import time

import psutil
import pytest

from tests import pictures
from tests.contract.client import Client
from tests.processes import lives
from tests.worker.conftest import Bench

pytestmark = pytest.mark.alone  # it tells how soon a crop is killed


def test_the_crop_process_is_warm_and_the_same_for_many_jobs(bench: Bench) -> None:
    before = bench.crop_process().pid
    for job_id in [bench.submit() for _ in range(5)]:
        assert bench.ended(job_id)["state"] == "done"
    assert bench.crop_process().pid == before


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT])
def test_a_death_that_may_be_an_accident_gets_a_second_attempt(bench: Bench, number: int) -> None:
    worker, held = bench.stack.worker.pid, bench.held()
    held.kill(number)
    assert bench.ended(held.id)["state"] == "done"
    assert bench.stack.worker.pid == worker
    assert bench.stack.worker.running


def test_a_job_that_kills_its_crop_process_twice_fails(bench: Bench) -> None:
    worker, held = bench.stack.worker.pid, bench.held()
    held.kill(signal.SIGSEGV)
    bench.until(lambda: bench.crop_process().pid != held.process.pid, "a second crop process")
    bench.crop_process().send_signal(signal.SIGSEGV)  # long before it has loaded Pillow
    began = time.monotonic()
    job = bench.ended(held.id)
    assert (job["state"], job["error"]["code"]) == ("failed", "crop-failed")
    assert "SIGSEGV" in job["error"]["detail"]
    assert time.monotonic() - began < 1
    assert (bench.stack.worker.pid, bench.stack.worker.running) == (worker, True)


def test_a_job_over_its_limit_is_timed_out_and_not_tried_again(bench: Bench) -> None:
    began, held = time.monotonic(), bench.held()
    job = bench.ended(held.id)
    took = time.monotonic() - began
    assert (job["state"], job["error"]["code"]) == ("failed", "timed-out")
    assert "3 s" in job["error"]["detail"]
    assert 2.5 < took < 3 + 1.5
    assert bench.ended(bench.submit())["state"] == "done"


def test_a_canceled_running_job_is_killed_within_a_second(bench: Bench) -> None:
    held = bench.held()
    began = time.monotonic()
    assert bench.api.delete(f"/v1/crops/{held.id}").status_code == 204
    bench.until(lambda: not lives(held.process), "the crop process is gone", seconds=3)
    assert time.monotonic() - began < 1
    assert bench.state(held.id) == "canceled"
    assert bench.ended(bench.submit())["state"] == "done"


def test_a_crop_that_needs_too_much_memory_fails_as_out_of_memory(make_stack) -> None:
    stack = make_stack(workers=1, job_memory="300MiB")
    with Client(stack.url) as api:
        bench = Bench(stack, api)
        job = bench.ended(api.accepted(pictures.png(50, 40), size="16384x16384")["id"], 30)
        assert (job["state"], job["error"]["code"]) == ("failed", "out-of-memory")
        assert bench.ended(bench.submit())["state"] == "done"


def test_memory_that_a_codec_keeps_when_it_gives_up_harms_no_later_job(make_stack) -> None:
    stack = make_stack(workers=1, job_memory="300MiB")
    with Client(stack.url) as api:
        bench = Bench(stack, api)
        before = bench.crop_process().pid
        first = {"name": "huge", "size": "3500x3500", "format": "avif"}
        outputs = json.dumps([first, {"name": "small", "size": "20x20"}])
        job = bench.ended(api.accepted(pictures.png(50, 40), outputs=outputs)["id"], 60)
        huge, small = job["outputs"]
        assert (huge["error"]["code"], small["state"]) == ("out-of-memory", "done")
        bench.until(lambda: bench.crop_process().pid != before, "a fresh crop process")
        later = api.accepted(pictures.png(50, 41), size="2000x2000", format="avif")
        assert bench.ended(later["id"], 60)["state"] == "done"


def test_a_flipped_bit_in_the_stored_upload_is_noticed_before_decoding(bench: Bench) -> None:
    process = bench.crop_process()
    process.suspend()
    job_id = bench.submit()
    key = f"cropsvc:source:-:{job_id}"
    data = bytearray(bench.redis.get(key))
    data[len(data) // 2] ^= 1
    bench.redis.set(key, bytes(data))
    process.resume()
    job = bench.ended(job_id)
    assert (job["state"], job["error"]["code"]) == ("failed", "crop-failed")
    assert "integrity" in job["error"]["detail"]


def test_the_crop_process_does_not_survive_its_worker(own_bench: Bench) -> None:
    held = own_bench.held()
    worker = psutil.Process(own_bench.stack.worker.pid)
    worker.kill()
    own_bench.until(lambda: not lives(held.process), "the crop process died with it", 3)


def test_an_idle_crop_process_that_died_costs_no_attempt(bench: Bench) -> None:
    bench.crop_process().kill()
    job = bench.ended(bench.submit())
    assert job["state"] == "done"


def test_progress_and_stage_are_in_the_jobs_meta(bench: Bench) -> None:
    big = pictures.jpeg(4000, 3000, seed=9)
    job_id = bench.api.accepted(big, format="webp", size="3000x")["id"]
    seen = []

    def ended() -> bool:
        seen.append((bench.rq_status(job_id), bench.meta(job_id)))
        return seen[-1][0] in ("finished", "failed")

    bench.until(ended, "RQ sees the end", 20)
    stages = [meta.get("stage") for _, meta in seen]
    fractions = [meta["progress"] for _, meta in seen if "progress" in meta]
    assert {"decoding", "cropping", "encoding"} & set(stages), stages
    assert fractions == sorted(fractions)
    assert seen[-1] == ("finished", {"progress": 1.0, "stage": "done"})
