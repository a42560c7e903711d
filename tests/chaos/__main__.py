"""`make chaos`: the campaign's report; exit code 1 if a promise was broken."""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests import broker, components
from tests.chaos.campaign import FULL, SHORT, campaign


def main() -> int:
    """Runs one campaign and prints its report."""
    parser = argparse.ArgumentParser(prog="make chaos")
    parser.add_argument("--short", action="store_true", help="40 seconds instead of 4 minutes")
    parser.add_argument("--seed", type=int, default=int(time.time()) % 100_000)
    parser.add_argument("--queue", choices=["rq", "celery"], default="rq")
    parser.add_argument("--store", choices=["valkey", "redis-server"], default="valkey")
    parser.add_argument("--objects", action="store_true", help="images in a directory; 13 minutes")
    options = parser.parse_args()
    if options.store != "valkey":
        os.environ["CROPSVC_TEST_STORE"] = components.require(options.store)
    form = SHORT if options.short else FULL
    with _queue(options.queue):
        report = campaign(form, options.seed, objects=options.objects)
    sys.stdout.write(f"engines             {options.queue}, {options.store}\n{report.text()}\n")
    return 1 if report.is_broken else 0


@contextmanager
def _queue(name: str) -> Iterator[None]:
    """What the queue needs; stacks read the variables."""
    if name == "rq":
        yield
        return
    with broker.running(Path(tempfile.mkdtemp(prefix="cropsvc-chaos-broker-"))) as started:
        os.environ.update(
            CROPSVC_TEST_QUEUE=name,
            CROPSVC_TEST_BROKER_URL=started.url,
            CROPSVC_TEST_BROKER_API=started.api_url,
        )
        yield


if __name__ == "__main__":
    sys.exit(main())
