"""Plain RQ: `python -m bench.peers.rq_plain Worker|SimpleWorker`, with BENCH_REDIS_URL.

The render is imported before the first fork, which spares `rq worker` half of each job's time.
"""

import os
import sys

from redis import Redis
from rq import Queue, SimpleWorker, Worker, get_current_job
from rq.serializers import JSONSerializer

from bench.peers import plain

QUEUE = "bench"


def crop(source: str, result: str, request: str) -> None:
    """The job."""
    job = get_current_job()
    assert job
    plain.crop(job.connection, source, result, request)


def queue(client: Redis) -> Queue:
    """The queue, with the serializer that ours has too."""
    return Queue(QUEUE, connection=client, serializer=JSONSerializer)


def main(kind: str) -> None:
    """Works until told to stop."""
    client = Redis.from_url(os.environ["BENCH_REDIS_URL"])
    worker = {"Worker": Worker, "SimpleWorker": SimpleWorker}[kind]
    worker([queue(client)], connection=client, serializer=JSONSerializer).work()


if __name__ == "__main__":
    main(sys.argv[1])
