"""Images in a directory beside images in Redis: throughput over HTTP, and what Redis carries."""

from bench.engines import Side, race_over_http
from bench.images import MP6, SMALL
from bench.plan import Plan
from bench.results import Claim, Results, ratios
from bench.service import scratch

LEAST = 1.0  # of the rate with images in Redis


def objects(plan: Plan, results: Results) -> None:
    """8 clients over HTTP, with images in Redis and in a directory, in turns."""
    for case in (SMALL, MP6):
        with scratch() as directory:
            place = {"CROPSVC_BLOBS": f"file://{directory}/objects"}
            sides = (Side("ours in Redis", dict), Side("ours in a directory", lambda: place))  # noqa: B023
            in_redis, in_directory = race_over_http("objects", sides, case, plan, results)
        what = f"8 clients, {case.words}, images in a directory / in Redis"
        of_redis = ratios(in_directory.rates, in_redis.rates)
        results.claims.append(Claim("objects", what, of_redis, LEAST))
