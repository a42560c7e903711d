"""A job that RQ has lost, whoever lost it, does not wait for ever."""

import time

import redis

from cropsvc.queues.rq.queue import CropQueue
from tests.worker.conftest import Bench

PATIENCE = 30  # seconds; 3 between looks, 5 of grace, and a busy machine


def test_jobs_of_an_emptied_queue_are_done_all_the_same(bench: Bench) -> None:
    held = bench.held()
    waiting = [bench.submit() for _ in range(3)]
    queue = CropQueue(connection=bench.redis)
    bench.redis.delete(queue.key)
    bench.redis.delete(*(f"rq:job:{job_id}" for job_id in waiting))
    held.go_on()
    assert [bench.ended(job_id, PATIENCE)["state"] for job_id in waiting] == ["done"] * 3
    assert bench.ended(held.id)["state"] == "done"


def test_a_job_whose_hash_was_deleted_is_done_all_the_same(bench: Bench) -> None:
    held = bench.held()
    waiting = bench.submit()
    bench.redis.delete(f"rq:job:{waiting}")
    held.go_on()
    assert bench.ended(waiting, PATIENCE)["state"] == "done"


def test_a_running_job_that_rq_forgot_with_its_worker_is_done_all_the_same(bench: Bench) -> None:
    held = bench.held()
    held.go_on()
    bench.ended(held.id)
    job_id = running_without_trace(bench)
    assert bench.ended(job_id, PATIENCE)["state"] == "done"


def running_without_trace(bench: Bench) -> str:
    """A job that began, and whose worker, queue entry, execution and hash are gone."""
    held = bench.held()
    held.go_on()  # for as long as it takes to say that it runs
    bench.stack.kill(bench.stack.worker)
    queue = CropQueue(connection=bench.redis)
    bench.redis.delete(queue.started_job_registry.key, queue.intermediate_queue_key)
    bench.redis.delete(queue.key, f"rq:job:{held.id}")
    if bench.state(held.id) == "queued":  # killed before it said so: as if it had
        bench.redis.zrem("cropsvc:pending", f"-/{held.id}")
        bench.redis.zadd("cropsvc:running", {f"-/{held.id}": 1})
        bench.redis.hset(f"cropsvc:job:-:{held.id}", "state", "running")
    bench.stack.start_worker()
    return held.id


def test_a_place_of_a_job_that_is_no_more_is_given_back(bench: Bench) -> None:
    bench.redis.zadd("cropsvc:pending", {"-/nobody": 1})
    bench.redis.zadd("cropsvc:pending:-", {"-/nobody": 1})

    def given_back() -> bool:
        return bench.redis.zscore("cropsvc:pending", "-/nobody") is None

    bench.until(given_back, "the place is free", PATIENCE)
    assert bench.redis.zscore("cropsvc:pending:-", "-/nobody") is None


def test_a_canceled_orphan_stays_canceled(bench: Bench) -> None:
    held = bench.held()
    waiting = bench.submit()
    bench.redis.delete(CropQueue(connection=bench.redis).key)
    assert bench.api.delete(f"/v1/crops/{waiting}").status_code == 204
    held.go_on()
    bench.ended(held.id)
    assert bench.state(waiting) == "canceled"
    deadline = time.monotonic() + 9
    while time.monotonic() < deadline:
        assert bench.state(waiting) == "canceled"
        time.sleep(0.1)


def test_nothing_is_left_running_when_all_has_ended(bench: Bench) -> None:
    done, canceled = bench.submit(), bench.held()
    bench.api.delete(f"/v1/crops/{canceled.id}")
    bench.until(lambda: bench.rq_status(canceled.id) != "started", "the worker let go of it")
    bench.ended(done)
    store: redis.Redis = bench.redis
    assert store.zcard("cropsvc:running") == 0
    assert store.zcard("cropsvc:pending") == 0
