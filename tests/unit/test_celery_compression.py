"""A packed Celery message does not unfold in the worker."""

import bz2
import zlib
from collections.abc import Iterator

import pytest
from kombu import compression

from cropsvc.queues.celery.compression import UnpackError, bound


@pytest.fixture(autouse=True)
def _bounded() -> Iterator[None]:
    kinds = compression.encoders()
    ways = [(compression.get_encoder(k)[0], compression.get_decoder(k), k) for k in kinds]
    bound(1000)
    yield
    for encoder, decoder, kind in ways:
        compression.register(encoder, decoder, kind)


@pytest.mark.parametrize("size", [0, 1, 1000])
def test_what_fits_is_unpacked(size: int) -> None:
    assert compression.decompress(zlib.compress(b"x" * size), "gzip") == b"x" * size


@pytest.mark.parametrize("size", [1001, 50_000_000])
def test_what_unpacks_to_more_is_refused(size: int) -> None:
    with pytest.raises(UnpackError, match="1000 bytes"):
        compression.decompress(zlib.compress(b"x" * size), "application/x-gzip")


def test_what_is_cut_off_is_refused() -> None:
    with pytest.raises(UnpackError, match="cut off"):
        compression.decompress(zlib.compress(b"x" * 500)[:-6], "gzip")


def test_no_other_method_is_used() -> None:
    with pytest.raises(UnpackError, match="x-bz2"):
        compression.decompress(bz2.compress(b"x"), "bzip2")
