"""The contract's own tests, unchanged, against the service on Celery.

Only those whose outcome a queue can change: submit, wait, cancel, retry, order. What the front
end and the crop process do alone (parameters, refusals, images, headers) is tested once, on RQ.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.broker import Broker

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 600
ANY_QUEUE = ("cancel", "events", "outputs", "queued", "repeats", "waiting")


@pytest.mark.timeout(SECONDS + 60)
def test_the_contract_holds_on_celery(broker: Broker) -> None:
    run_contract(broker, "not alone")


def run_contract(broker: Broker, marked: str) -> None:
    """Runs those of the contract's tests; fails with what they say."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST_CURRENT", "CROPSVC"))}
    environ = {
        **kept,
        "CROPSVC_TEST_QUEUE": "celery",
        "CROPSVC_TEST_BROKER_URL": broker.url,
        "CROPSVC_TEST_BROKER_API": broker.api_url,
    }
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "-m",
            marked,
            *(f"tests/contract/test_{name}.py" for name in ANY_QUEUE),
        ],
        cwd=ROOT,
        env=environ,
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    assert done.returncode == 0, done.stdout[-6000:]
    assert " passed" in done.stdout.splitlines()[-1]
