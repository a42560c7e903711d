"""More than the service can do: refused in time, truthfully, fairly, and nothing held for ever."""

import hashlib
import socket
import statistics
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests import pictures
from tests.contract.client import Client, problem
from tests.stack import Stack, until

SUBMITTERS = 50
CAP = 20


def say(stack: Stack, words: bytes) -> socket.socket:
    """A connection on which this was said."""
    sock = socket.create_connection(("127.0.0.1", stack.port), timeout=10)
    sock.sendall(words)
    return sock


def announcement(length: int) -> bytes:
    """The head of a submit whose body has *length* bytes."""
    head = f"POST /v1/crops HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n"
    return f"{head}Content-Type: image/png\r\n\r\n".encode()


def status(sock: socket.socket) -> int:
    """The answer's status."""
    return int(sock.makefile("rb").readline().split()[1])


@pytest.fixture
def idle(make_stack) -> Stack:
    return make_stack(worker=False, queue_cap=CAP)


def test_fifty_submitters_never_pass_the_cap(idle: Stack) -> None:
    store, deepest, over = idle.redis(), [0], threading.Event()

    def watch() -> None:
        while not over.is_set():
            depth = max(store.zcard("cropsvc:pending"), store.llen("rq:queue:cropsvc"))
            deepest[0] = max(deepest[0], depth)

    def submit(number: int) -> list[int]:
        with Client(idle.url) as api:
            answers = [api.submit(pictures.unlike(number * 10 + n)) for n in range(4)]
        for answer in answers:
            if answer.status_code != 202:
                problem(answer, 429, "busy")
                assert int(answer.headers["Retry-After"]) >= 1
        return [answer.status_code for answer in answers]

    watcher = threading.Thread(target=watch)
    watcher.start()
    with ThreadPoolExecutor(SUBMITTERS) as pool:
        answers = [one for several in pool.map(submit, range(SUBMITTERS)) for one in several]
    over.set()
    watcher.join()
    assert deepest[0] <= CAP
    assert answers.count(202) == CAP
    assert store.llen("rq:queue:cropsvc") == CAP


def test_a_refusal_comes_before_the_body_is_read_and_soon(idle: Stack, record_property) -> None:
    with Client(idle.url) as api:
        for number in range(CAP):
            api.accepted(pictures.unlike(number))

    def refused(_: int) -> list[float]:
        took = []
        for _ in range(5):
            began = time.monotonic()
            with say(idle, announcement(30_000_000)) as sock:
                assert status(sock) == 429
            took.append(time.monotonic() - began)
            time.sleep(0.5)  # who is refused waits before the next try
        return took

    with ThreadPoolExecutor(SUBMITTERS) as pool:
        took = sorted(one for several in pool.map(refused, range(SUBMITTERS)) for one in several)
    p99 = statistics.quantiles(took, n=100)[98]
    record_property("refusals_p50_ms", round(statistics.median(took) * 1000))
    record_property("refusals_p99_ms", round(p99 * 1000))
    print(f"refusals: p50 {statistics.median(took) * 1e3:.0f} ms, p99 {p99 * 1e3:.0f} ms")  # noqa: T201
    assert p99 < 2  # promised: 0.1, on a machine of its own


@pytest.fixture
def narrow(make_stack) -> Stack:
    return make_stack(worker=False, queue_cap=1)


def test_the_place_of_a_client_that_vanished_in_its_upload_is_free_again(narrow: Stack) -> None:
    with Client(narrow.url) as api:
        vanishing = say(narrow, announcement(100_000) + b"\x89PNG" + bytes(1000))
        until(lambda: narrow.redis().zcard("cropsvc:pending"), seconds=5, what="it has a place")
        problem(api.submit(pictures.png()), 429, "busy")
        vanishing.close()
        until(
            lambda: api.submit(pictures.png()).status_code == 202,
            seconds=5,
            what="the place is free",
        )


def test_a_small_upload_takes_a_place_only_when_it_is_there(narrow: Stack) -> None:
    with Client(narrow.url) as api:
        vanishing = say(narrow, announcement(60_000) + b"\x89PNG" + bytes(1000))
        api.accepted(pictures.png())
        vanishing.close()


@pytest.mark.parametrize("size", [0, 70_000], ids=["small", "large"])
def test_a_full_queue_refuses_what_is_done_already_too(make_stack, size: int) -> None:
    stack = make_stack(workers=1, queue_cap=1)
    picture = pictures.png() + bytes(size)
    with Client(stack.url) as api:
        api.crop(picture)
        assert api.accepted(picture)["cached"]
        stack.kill(stack.worker)
        waiting = api.accepted(pictures.unlike(1))
        records = stack.redis().keys("cropsvc:job:*")
        problem(api.submit(picture), 429, "busy")
        assert sorted(stack.redis().keys("cropsvc:job:*")) == sorted(records)
        api.delete(waiting["links"]["self"])
        assert api.accepted(picture)["cached"]


def test_a_refused_upload_gives_its_place_back(narrow: Stack) -> None:
    with Client(narrow.url) as api:
        for _ in range(3):
            problem(api.submit(b"no picture at all"), 415, "unsupported-format")
            problem(api.submit(pictures.png(), box="nonsense"), 400, "bad-parameter")
        api.accepted(pictures.png())


def test_retry_after_matches_the_queues_speed(make_stack) -> None:
    stack = make_stack(workers=1, queue_cap=4)
    with Client(stack.url) as api:
        answer = None
        for number in range(200):
            answer = api.submit(pictures.unlike(number), size="3000x", format="webp")
            if answer.status_code == 429:
                break
        assert answer is not None
        problem(answer, 429, "busy")
        time.sleep(int(answer.headers["Retry-After"]))
        until(
            lambda: api.submit(pictures.unlike(999)).status_code == 202,
            seconds=3,  # a busy machine's pace changes
            what="there is room by then",
        )


def test_retry_after_grows_while_nothing_gets_done(make_stack) -> None:
    stack = make_stack(workers=1, queue_cap=4)
    with Client(stack.url) as api:
        for number in range(4):
            api.crop(pictures.unlike(number))
        stack.kill(stack.worker)
        for number in range(4):
            api.accepted(pictures.unlike(10 + number))
        first = problem_seconds(api)
        until(lambda: problem_seconds(api) > first + 1, seconds=30, what="it grows")


def problem_seconds(api: Client) -> int:
    """What a refusal says."""
    answer = api.submit(pictures.unlike(99))
    problem(answer, 429, "busy")
    return int(answer.headers["Retry-After"])


@pytest.fixture
def shared(make_stack) -> Iterator[tuple[Client, Client]]:
    keys = ",".join(f"{n}:{hashlib.sha256(n.encode()).hexdigest()}" for n in ("alice", "bob"))
    stack = make_stack(worker=False, queue_cap=10, api_keys=keys)
    with (
        Client(stack.url, headers={"Authorization": "Bearer alice"}) as alice,
        Client(stack.url, headers={"Authorization": "Bearer bob"}) as bob,
    ):
        yield alice, bob


def test_a_flood_leaves_another_owner_a_place_and_then_its_share(
    shared: tuple[Client, Client],
) -> None:
    alice, bob = shared
    flood = [alice.submit(pictures.unlike(n)) for n in range(12)]
    taken = [answer.json()["id"] for answer in flood if answer.status_code == 202]
    assert len(taken) == 9  # all but bob's
    assert bob.submit(pictures.png()).status_code == 202
    problem(alice.submit(pictures.unlike(20)), 429, "busy")
    for job_id in taken[:6]:
        alice.delete(f"/v1/crops/{job_id}")
    answers = [bob.submit(pictures.unlike(30 + n)).status_code for n in range(6)]
    assert answers.count(202) == 4  # with the first: his half of the cap
    assert [alice.submit(pictures.unlike(40 + n)).status_code for n in range(3)] == [202, 202, 429]
