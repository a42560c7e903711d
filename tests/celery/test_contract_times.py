"""Those of the contract's tests that compare times, against the service on Celery."""

import pytest

from tests.broker import Broker
from tests.celery.test_contract import SECONDS, run_contract

pytestmark = [pytest.mark.alone, pytest.mark.timeout(SECONDS + 60)]


def test_the_contracts_times_hold_on_celery(broker: Broker) -> None:
    run_contract(broker, "alone")
