"""/openapi.json is true to the service: schemathesis asks, with every check of its own on."""

import io
import os

import hypothesis
import pytest
import schemathesis
from hypothesis import HealthCheck
from hypothesis import strategies as st
from PIL import Image

from tests import pictures

EXAMPLES = int(os.environ.get("CROPSVC_TEST_EXAMPLES", "25"))  # per operation
WAIT = 0.2  # seconds: a generated wait must not hold the run for its 30

KINDS = ("png", "jpeg", "webp", "gif", "bmp", "tiff")


@st.composite
def images(draw: st.DrawFn) -> bytes:
    """A real picture, small, in any format that is read."""
    size = draw(st.tuples(st.integers(1, 64), st.integers(1, 64)))
    colour = draw(st.tuples(*[st.integers(0, 255)] * 3))
    return pictures.save(Image.new("RGB", size, colour), draw(st.sampled_from(KINDS)))


IMAGE_TYPES = ["image/*", "application/octet-stream", *(f"image/{k}" for k in (*KINDS, "avif"))]
for name in IMAGE_TYPES:
    schemathesis.openapi.media_type(name, images())
schemathesis.openapi.format("binary", images())


@schemathesis.hook
def map_query(context, query):  # type: ignore[no-untyped-def]
    """Keeps a valid wait short; what is not a valid one goes out as it was made."""
    if not query or "wait" not in query:
        return query
    try:
        valid = 0 <= float(query["wait"]) <= 30
    except (TypeError, ValueError):
        return query
    return {**query, "wait": min(float(query["wait"]), WAIT)} if valid else query


@pytest.fixture(scope="session")
def api_schema(base_url: str):  # type: ignore[no-untyped-def]
    return schemathesis.openapi.from_url(f"{base_url}/openapi.json")


schema = schemathesis.pytest.from_fixture("api_schema")


@schema.parametrize()
@hypothesis.settings(
    max_examples=EXAMPLES,
    deadline=None,  # the other half of the machine is busy with the service itself
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    derandomize=True,
)
def test_the_service_is_what_its_description_says(case) -> None:  # type: ignore[no-untyped-def]
    case.call_and_validate(timeout=40)


def test_the_strategy_makes_images() -> None:
    @hypothesis.given(images())
    @hypothesis.settings(max_examples=10, deadline=None)
    def opens(data: bytes) -> None:
        Image.open(io.BytesIO(data)).load()

    opens()
