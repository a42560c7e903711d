"""Crowds that watch a few jobs: `python -m bench.watchers 1000`.

So many event streams and as many long polls, on 50 jobs that take about a second each. Prints how
each ended, and what `/readyz` said meanwhile.
"""

import asyncio
import json
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests import pictures
from tests.contract.client import Client
from tests.stack import running

JOBS = 50
LONGEST = 180  # seconds
ENDS = ("done", "failed", "canceled")


async def asked(port: int, path: str) -> tuple[int, str]:
    """Return the status and the body of a GET on a connection of its own."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = f"GET {path} HTTP/1.0\r\nHost: 127.0.0.1:{port}\r\n\r\n"
    writer.write(head.encode())
    async with asyncio.timeout(LONGEST):
        answer = (await reader.read(-1)).decode()
    writer.close()
    start, _, body = answer.partition("\r\n\r\n")
    return int(start.split()[1]), body


async def stream(port: int, job_id: str) -> str:
    """Return the last event of a job's stream, or the status that is no stream."""
    status, body = await asked(port, f"/v1/crops/{job_id}/events")
    if status != 200:
        return str(status)
    kinds = [line.partition(": ")[2] for line in body.splitlines() if line.startswith("event:")]
    return kinds[-1] if kinds else "no event"


async def poll(port: int, job_id: str) -> str:
    """Return the state that a job ends in, or the status that is no job."""
    while True:
        status, body = await asked(port, f"/v1/crops/{job_id}?wait=20")
        if status != 200:
            return str(status)
        if (state := json.loads(body)["state"]) in ENDS:
            return str(state)


async def ready(port: int, seen: Counter[int]) -> None:
    """Count the answers of `/readyz`, one a second."""
    while True:
        seen[(await asked(port, "/readyz"))[0]] += 1
        await asyncio.sleep(1)


async def watched(port: int, ids: list[str], count: int) -> None:
    """Let *count* streams and *count* polls watch the jobs, and print how they end."""
    seen: Counter[int] = Counter()
    looking = asyncio.create_task(ready(port, seen))
    began = time.monotonic()
    jobs = [ids[number % len(ids)] for number in range(count)]
    ends = await asyncio.gather(
        *(stream(port, job) for job in jobs), *(poll(port, job) for job in jobs),
        return_exceptions=True,
    )  # fmt: skip
    looking.cancel()
    told = [repr(end) if isinstance(end, BaseException) else end for end in ends]
    print(f"{count} streams: {dict(Counter(told[:count]))}, {count} polls: "
          f"{dict(Counter(told[count:]))}, /readyz: {dict(seen)}, "
          f"{time.monotonic() - began:.0f} s")  # fmt: skip


def main() -> None:
    """Submit the jobs and watch them."""
    count = int(sys.argv[1])
    with tempfile.TemporaryDirectory() as directory, running(Path(directory), workers=1) as stack:
        with Client(stack.url) as api:
            ids = [
                api.accepted(pictures.large(seed=number), format="avif", size="2000x")["id"]
                for number in range(JOBS)
            ]
        asyncio.run(watched(stack.port, ids, count))


if __name__ == "__main__":
    main()
