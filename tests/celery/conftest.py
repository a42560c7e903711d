"""The service on Celery and a RabbitMQ of the tests' own."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import psutil
import pytest
import redis
from celery import Celery

from tests import broker as brokers
from tests import pictures
from tests.broker import Broker, QueueView
from tests.contract.client import TERMINAL, Client
from tests.processes import crop_processes
from tests.stack import Stack, until

numbers = iter(range(20, 10**6))  # widths, so that no picture comes twice


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A RabbitMQ that lives through the run; who kills it starts it again."""
    with brokers.running(tmp_path_factory.mktemp("rabbitmq")) as started:
        yield started


@dataclass
class Service:
    """A stack on Celery, its virtual host, and what a test asks of it."""

    stack: Stack
    api: Client
    queue: QueueView
    broker_url: str

    def submit(self, **parameters: object) -> str:
        """The id of a new job on a picture never seen before.

        A broker that makes a new queue on a busy machine may take too long for the first answer.
        """
        data = picture()

        def accepted() -> str | None:
            answer = self.api.submit(data, **parameters)
            return None if answer.status_code == 503 else self.api.accept(answer)["id"]

        return until(accepted, seconds=30, what="the submit is accepted")

    def job(self, job_id: str) -> dict:
        """The job as a client sees it."""
        return self.api.get(f"/v1/crops/{job_id}").json()

    def ended(self, job_id: str, seconds: float = 30) -> dict:
        """The job once it is terminal."""

        def terminal() -> dict | None:
            job = self.job(job_id)
            if "state" not in job:
                assert job["code"] == "unavailable", job  # on a machine that is too busy
            return job if job.get("state") in TERMINAL else None

        return until(terminal, seconds=seconds, what=f"{job_id} ends")

    def until(self, condition: Callable[[], object], what: str, seconds: float = 30) -> object:
        """Waits for a condition."""
        return until(condition, seconds=seconds, what=what)

    def crop_process(self) -> psutil.Process:
        """The worker's crop process, warm."""

        def warm() -> psutil.Process | None:
            return next(iter(crop_processes(self.stack.worker.tree())), None)

        return until(warm, seconds=30, what="the worker has a crop process")

    @property
    def redis(self) -> redis.Redis:
        """The store."""
        return self.stack.redis()

    def program(self) -> Celery:
        """A foreign program, set up as the contract's section on Celery says."""
        app = Celery("foreign", broker=self.broker_url, backend=self.stack.redis_url)
        app.conf.update(
            accept_content=["json", "msgpack"],
            result_serializer="msgpack",
            task_default_queue="cropsvc",
            task_default_queue_type="quorum",
            broker_transport_options={"confirm_publish": True},
        )
        return app


def picture() -> bytes:
    """One that was never sent before."""
    return pictures.png(next(numbers), 40)


MakeService = Callable[..., Service]


def _factory(broker: Broker, make_stack: Callable[..., Stack]) -> MakeService:
    def make(**settings: object) -> Service:
        url = broker.vhost()
        settings = {"workers": 1, "queue": "celery", "broker_url": url, **settings}
        stack = make_stack(**settings)
        return Service(stack, Client(stack.url), QueueView(broker, url), url)

    return make


@pytest.fixture(scope="module")
def service(broker: Broker, make_module_stack: Callable[..., Stack]) -> Service:
    """One worker process; leave it running."""
    return _factory(broker, make_module_stack)()


@pytest.fixture
def make_service(broker: Broker, make_stack: Callable[..., Stack]) -> MakeService:
    """`make_service(**settings)`: one of the test's own, to kill parts of."""
    return _factory(broker, make_stack)
