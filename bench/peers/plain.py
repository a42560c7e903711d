"""The job that the plain workers do: fetch, render, store. The render is ours, for all sides."""

from typing import cast

from redis import Redis

from cropsvc.imaging.params.parser import CropRequest
from cropsvc.imaging.render.render import render
from cropsvc.model.limits import Limits

KEEP_SECONDS = 3600


def crop(client: Redis, source: str, result: str, request: str) -> None:
    """Renders the upload under the key *source* and stores it under *result*."""
    made = render(
        cast(bytes, client.get(source)), CropRequest.from_json(request), Limits(), _silent
    )[0]
    if made.error:
        raise made.error
    client.set(result, made.data, ex=KEEP_SECONDS)


def _silent(stage: str, fraction: float) -> None:
    pass
