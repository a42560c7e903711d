"""A job whose worker died runs again within seconds, and has one effect."""

import time

from cropsvc.queues.rq.queue import CropQueue
from tests.worker.conftest import Bench

SLACK = 10  # seconds, where the machine does other things too


def test_a_job_whose_worker_died_is_done_within_ten_seconds(own_bench: Bench) -> None:
    held = own_bench.held()
    own_bench.stack.kill(own_bench.stack.worker)
    began = time.monotonic()
    own_bench.stack.worker.start()
    assert own_bench.ended(held.id, 10 + SLACK)["state"] == "done"
    assert time.monotonic() - began <= 10 + SLACK


def test_a_job_that_died_between_pop_and_start_is_done_within_ten_seconds(
    own_bench: Bench,
) -> None:
    own_bench.stack.kill(own_bench.stack.worker)
    job_id = own_bench.submit()
    queue = CropQueue(connection=own_bench.redis)
    own_bench.redis.lmove(queue.key, queue.intermediate_queue_key, "LEFT", "RIGHT")
    began = time.monotonic()
    own_bench.stack.worker.start()
    assert own_bench.ended(job_id, 10 + SLACK)["state"] == "done"
    assert time.monotonic() - began <= 10 + SLACK
    assert own_bench.redis.llen(queue.intermediate_queue_key) == 0


def test_maintenance_whose_holder_died_is_taken_over(own_bench: Bench) -> None:
    held = own_bench.held()
    own_bench.stack.kill(own_bench.stack.worker)
    queue = CropQueue(connection=own_bench.redis)
    own_bench.redis.set(queue.registry_cleaning_key, 1, ex=10)
    own_bench.stack.worker.start()
    assert own_bench.ended(held.id, 20 + SLACK)["state"] == "done"


def test_a_job_that_runs_twice_leaves_one_result(bench: Bench) -> None:
    job_id = bench.submit()
    first = bench.ended(job_id)
    image = bench.api.get(f"/v1/crops/{job_id}/image").content
    bench.until(lambda: bench.rq_status(job_id) == "finished", "RQ is through with it")
    queue = CropQueue(connection=bench.redis)
    bench.redis.rpush(queue.key, job_id)
    bench.until(lambda: bench.redis.llen(queue.key) == 0, "the worker took it again")
    bench.ended(bench.submit())  # the one after it is through, so it is through
    assert bench.api.get(f"/v1/crops/{job_id}").json() == first
    assert bench.api.get(f"/v1/crops/{job_id}/image").content == image


def test_a_job_whose_workers_keep_dying_is_given_up(own_bench: Bench) -> None:
    own_bench.stack.kill(own_bench.stack.worker)
    job_id = own_bench.submit()
    own_bench.redis.hset(f"cropsvc:job:-:{job_id}", "runs", 5)
    own_bench.stack.worker.start()
    job = own_bench.ended(job_id, 15 + SLACK)
    assert (job["state"], job["error"]["code"]) == ("failed", "crop-failed")
    assert "again and again" in job["error"]["detail"]


def test_a_job_seen_between_pop_and_start_leaves_no_trace_for_a_day(bench: Bench) -> None:
    queue = CropQueue(connection=bench.redis)
    assert queue.intermediate_queue.set_first_seen("passing-by")
    key = queue.intermediate_queue.get_first_seen_key("passing-by")
    assert 0 < bench.redis.ttl(key) <= 10
    bench.redis.delete(key)
