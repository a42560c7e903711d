"""One photo, cropped by the service under test."""

import httpx

from tests.compose.project import Project
from tests.stack import ROOT

PHOTO = ROOT / "tests/photos/stream-6mp.jpg"


def crop(project: Project) -> httpx.Response:
    """The answer to a submit that waits for the bytes."""
    return httpx.post(
        f"{project.url}/v1/crops?box=4,100,1500,1200&size=300x300&wait=20",
        content=PHOTO.read_bytes(),
        headers={"Content-Type": "image/jpeg", "Accept": "image/*"},
        timeout=90,
    )
