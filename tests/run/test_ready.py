import pytest

from cropsvc.processes.supervisor import Supervisor
from cropsvc.run.readiness import StartupTimeout, other_store
from tests.stack import Stack


def test_a_database_that_the_server_does_not_have_is_named_at_once(stack: Stack) -> None:
    url = f"{stack.redis_url.rpartition('/')[0]}/99999"
    with (
        Supervisor() as supervisor,
        pytest.raises(StartupTimeout, match=r"^CROPSVC_REDIS_URL: .*DB"),
    ):
        other_store(supervisor, url)
