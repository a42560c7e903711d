"""Kills everything while jobs with webhooks run: `python -m tests.webhooks.campaign 500 [BLOBS]`.

The receiver fetches the image when a message arrives, before it answers. Every job's message must
arrive, none before the image can be fetched, and twice only under one `webhook-id`. Prints the
figures; exits with 1 if one of these does not hold.
"""

import hashlib
import random
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

import httpx
import psutil

from tests import pictures
from tests.processes import crop_processes
from tests.stack import Part, Stack, running, until
from tests.webhooks.receiver import SECRET, receiving

SEED = 19
PAUSE = 1.2  # seconds between two kills
TAKE_SECONDS = 120.0  # for a job to be taken, on a busy machine
ARRIVE_SECONDS = 900.0  # a message that was sent in vain four times waits for 600 s
FETCH_SECONDS = 12.0  # the sender gives up after 15
KINDS = ("worker", "crop process", "web", "webhooks", "valkey")


class Killer(threading.Thread):
    """Kills one part after another, and starts it again.

    It lives until `ended` is set: the kernel ends what a thread has started together with it.
    """

    def __init__(self, stack: Stack, courier: Part) -> None:
        super().__init__(daemon=True)
        self.stack, self.courier, self.kills = stack, courier, Counter[str]()
        self.over, self.idle, self.ended = threading.Event(), threading.Event(), threading.Event()
        self._rng = random.Random(SEED)

    def run(self) -> None:
        while not self.over.wait(PAUSE):
            kind = self._rng.choice(KINDS)
            self._kill(kind)
            self.kills[kind] += 1
        self.idle.set()
        self.ended.wait()

    def _kill(self, kind: str) -> None:
        if kind in ("worker", "crop process"):
            tree = self.stack.worker.tree()
            crops = crop_processes(tree)
            chosen = crops if kind == "crop process" else [one for one in tree if one not in crops]
            if chosen:
                with suppress(psutil.Error):
                    self._rng.choice(chosen).kill()
            if not self.stack.worker.running:
                self.stack.worker.start()
            return
        part = {"web": self.stack.web, "webhooks": self.courier, "valkey": self.stack.valkey}[kind]
        part.signal(signal.SIGKILL)
        part.join(10)
        # The next kill waits for these two: on a busy machine they would never be up else.
        if kind == "valkey":
            self.stack.start_valkey()
        elif kind == "web":
            self.stack.start_web()
        else:
            part.start()


def submitted(stack: Stack, url: str, number: int) -> str:
    """The id of a job; asked again until it is taken."""
    deadline = time.monotonic() + TAKE_SECONDS
    while time.monotonic() < deadline:
        with suppress(httpx.TransportError):
            answer = httpx.post(
                f"{stack.url}/v1/crops", params={"webhook": url}, content=pictures.unlike(number),
                headers={"Idempotency-Key": f"n{number}", "Content-Type": "image/png"}, timeout=10,
            )  # fmt: skip
            if answer.status_code == 202:
                return str(answer.json()["id"])
        time.sleep(0.2)
    raise SystemExit(f"job {number} was not taken")


class Fetches:
    """Fetches the image of each message as it arrives, and counts how that ends."""

    def __init__(self, stack: Stack) -> None:
        self.ends, self._url = Counter[str](), stack.url

    def fetch(self, message: dict) -> bool:
        """Fetch it, and return whether a front end answered; one that is down is asked again."""
        if not message:
            return True  # a wrong signature; the receiver counts it
        job, deadline = message["data"], time.monotonic() + FETCH_SECONDS
        while time.monotonic() < deadline:
            with suppress(httpx.TransportError):
                answer = httpx.get(self._url + job["links"]["image"], timeout=FETCH_SECONDS)
                if answer.status_code != 503:
                    self.ends[_kind_of(answer, job)] += 1
                    return True
            time.sleep(0.1)
        return False  # the message must come again


def _kind_of(answer: httpx.Response, job: dict) -> str:
    if answer.status_code != 200:
        return str(answer.status_code)
    is_same = hashlib.sha256(answer.content).hexdigest() == job["outputs"][0]["sha256"]
    return "fetched" if is_same else "other bytes"


def main(count: int, **stored: str) -> int:
    """Run it, and return the exit code."""
    with receiving() as receiver, tempfile.TemporaryDirectory() as directory:
        hosts = f"127.0.0.1:{receiver.port}"
        settings = {"webhook_secret": SECRET, "webhook_hosts": hosts, "queue_cap": 1000, **stored}
        with running(Path(directory), workers=2, url_networks="127.0.0.1/32", **settings) as stack:
            command = [sys.executable, "-m", "cropsvc.webhooks"]
            courier = stack._part("webhooks", command, dict(stack.web._environ))
            courier.start()
            fetches = Fetches(stack)
            receiver.on_message = fetches.fetch
            killer = Killer(stack, courier)
            killer.start()
            began = time.monotonic()
            ids = {submitted(stack, receiver.url("/ok"), number) for number in range(count)}
            killer.over.set()
            assert killer.idle.wait(TAKE_SECONDS), "the last part does not start again"

            def missing() -> set[str]:
                return ids - {came[1].removeprefix("msg_") for came in list(receiver.came)}

            with suppress(TimeoutError):
                until(
                    lambda: not missing(), seconds=ARRIVE_SECONDS, what="every message has arrived"
                )
            took = time.monotonic() - began
            courier.signal(signal.SIGTERM)
            courier.join(25)
            killer.ended.set()
    twice = len(receiver.came) - len({came[1] for came in receiver.came})
    kinds = Counter(came[2].get("type") for came in receiver.came)
    report = (
        f"{len(ids)} jobs in {took:.0f} s, kills: {dict(killer.kills)}\n"
        f"missing {len(missing())}, twice {twice}, wrong signatures {len(receiver.wrong)}\n"
        f"messages by type: {dict(kinds)}\n"
        f"images as the messages arrived: {dict(fetches.ends)}"
    )
    print(report)  # noqa: T201 - its output
    is_well = set(fetches.ends) == {"fetched"} and set(kinds) == {"crop.done"}
    return 0 if is_well and not missing() and not receiver.wrong else 1


if __name__ == "__main__":
    blobs = {"blobs": sys.argv[2]} if len(sys.argv) > 2 else {}
    sys.exit(main(int(sys.argv[1]), **blobs))
