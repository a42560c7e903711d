"""Crops of others beside 100 slow origins: `python -m bench.slow_origins`.

Rounds without and with 100 fetches of one byte a second, in turns. Prints the ratio of the medians
of a crop's time, and how the fetches end.
"""

import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median

from tests import pictures
from tests.contract.client import Client
from tests.stack import running
from tests.web.origin import serving

ORIGINS, CROPS, ROUNDS, TIMEOUT = 100, 40, 4, 10


def seconds_of_crops(api: Client, first: int) -> list[float]:
    """Return how long each crop of a picture never seen before takes."""
    taken = []
    for number in range(first, first + CROPS):
        data = pictures.unlike(number)
        began = time.perf_counter()
        api.crop(data, size="100x")
        taken.append(time.perf_counter() - began)
    return taken


def main() -> int:
    """Measure, print, and return the exit code."""
    alone: list[float] = []
    beside: list[float] = []
    ends: Counter[int] = Counter()
    longest = 0.0
    with serving() as origin, tempfile.TemporaryDirectory() as directory:
        settings = {"url_hosts": f"127.0.0.1:{origin.port}", "url_networks": "127.0.0.1/32"}
        with (
            running(Path(directory), workers=1, url_timeout=TIMEOUT, **settings) as stack,
            Client(stack.url) as api,
            ThreadPoolExecutor(ORIGINS) as threads,
        ):
            seconds_of_crops(api, 10_000)  # warm
            for turn in range(ROUNDS):
                alone += seconds_of_crops(api, 20_000 + turn * CROPS)
                began = time.perf_counter()
                slow = [threads.submit(api.submit, url=origin.url("/drip")) for _ in range(ORIGINS)]
                time.sleep(1)
                beside += seconds_of_crops(api, 30_000 + turn * CROPS)
                ends.update(one.result().status_code for one in slow)
                longest = max(longest, time.perf_counter() - began)
    ratio = median(beside) / median(alone)
    print(
        f"{ORIGINS} origins, {ROUNDS} rounds of {CROPS} crops: alone "
        f"{median(alone) * 1000:.1f} ms, beside {median(beside) * 1000:.1f} ms, ratio {ratio:.2f}\n"
        f"ends: {dict(ends)}; the last one after {longest:.1f} s (timeout {TIMEOUT} s)"
    )
    return int(ratio > 1.5)


if __name__ == "__main__":
    sys.exit(main())
