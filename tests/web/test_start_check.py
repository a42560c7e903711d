"""A front end that starts on a Redis that can lose jobs says so, and serves all the same."""

import signal

import httpx

from tests.stack import Stack, until


def test_each_fault_is_logged_once_and_shown_by_readyz(idle_stack: Stack) -> None:
    stack = idle_stack
    with stack.redis() as redis:
        assert httpx.get(f"{stack.url}/readyz").json()["warnings"] == []
        stack.kill(stack.web, signal.SIGTERM)
        logged_before = _logged(stack)
        redis.config_set("maxmemory-policy", "allkeys-lru")
        try:
            stack.start_web()
            until(lambda: _logged(stack) > logged_before, seconds=5, what="the warning is logged")
            ready = [httpx.get(f"{stack.url}/readyz").json() for _ in range(3)]
        finally:
            redis.config_set("maxmemory-policy", "noeviction")
    assert [len(answer["warnings"]) for answer in ready] == [1, 1, 1]
    assert "allkeys-lru" in ready[0]["warnings"][0]
    assert ready[0]["failing"] == ["workers"]  # a warning is no failure
    assert _logged(stack) == logged_before + 1


def _logged(stack: Stack) -> int:
    return stack.web.log.read_text(encoding="utf-8").count("allkeys-lru")
