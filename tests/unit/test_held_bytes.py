"""Bytes that many clients take at once are read once, and are in memory once."""

import gc

import gevent

from cropsvc.web.held_bytes import PIECE, Held, await_reader, held, hold, reading


def test_answers_with_the_same_bytes_share_them_until_the_last_is_sent() -> None:
    first, second = hold("a", b"bytes"), hold("a", bytes(bytearray(b"bytes")))
    assert first is second
    assert held("a", 5) is first
    assert hold("a", b"other bytes") is not first
    del first, second
    gc.collect()
    assert held("a", 5) is None


def test_pieces_make_up_the_bytes() -> None:
    data = bytes(range(256)) * (PIECE // 100)
    pieces = list(Held(data))
    assert b"".join(pieces) == data
    assert max(map(len, pieces)) == PIECE


def test_of_a_crowd_one_reads_for_all() -> None:
    reads = []

    def answer() -> Held:
        if await_reader("key") and (found := held("b", 5)):
            return found
        with reading("key"):
            reads.append(1)
            gevent.sleep(0.01)
            return hold("b", bytes(bytearray(b"bytes")))

    crowd = [gevent.spawn(answer) for _ in range(5)]
    gevent.joinall(crowd, raise_error=True)  # a timeout counts from when gevent's loop ran last
    assert len({id(one.value) for one in crowd}) == 1
    assert len(reads) == 1
    assert not await_reader("key")


def fail(key: str) -> None:
    with reading(key):
        gevent.sleep(0)
        raise ConnectionError


def test_a_read_that_failed_lets_those_go_who_waited_for_it() -> None:
    reader = gevent.spawn(fail, "key")
    waiter = gevent.spawn(await_reader, "key")
    gevent.joinall([reader, waiter])
    assert isinstance(reader.exception, ConnectionError)
    assert waiter.value is True
    assert not await_reader("key")
