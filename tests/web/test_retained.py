"""The list of uploads kept for cropping again does not grow with the jobs."""

from tests import pictures
from tests.contract.client import Client
from tests.stack import until


def test_the_names_of_expired_uploads_are_forgotten(make_stack) -> None:
    stack = make_stack(workers=1, source_ttl=1)
    with Client(stack.url) as api, stack.redis() as redis:
        first = [api.crop(pictures.png(20 + n, 20))["id"] for n in range(3)]
        gone = [f"cropsvc:source:-:{job_id}" for job_id in first]
        until(lambda: not redis.exists(*gone), seconds=5, what="the uploads have expired")
        last = api.crop(pictures.png(40, 20))["id"]
        assert redis.zrange("cropsvc:retained", 0, -1) == [f"cropsvc:source:-:{last}".encode()]
