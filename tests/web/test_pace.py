"""Retry-After comes from how fast the queue works, not from how often somebody sends a job."""

import time

import pytest

from tests import pictures
from tests.contract.client import Client
from tests.stack import until

QUIET = 4  # seconds without any job


@pytest.mark.timeout(60)
def test_quiet_times_do_not_make_a_quick_queue_look_slow(make_stack) -> None:
    stack = make_stack(workers=1)
    with Client(stack.url) as api:
        for side in (20, 21):
            ended = time.monotonic()
            api.crop(pictures.png(side, 20))
            until(lambda at=ended: time.monotonic() > at + QUIET, seconds=30, what="it is quiet")
        answer = api.submit(pictures.png(22, 20))
        assert 1 <= int(answer.headers["Retry-After"]) < QUIET
