"""The samples of the documentation crop as they stand."""

import re
from pathlib import Path

import pytest

from tests import pictures
from tests.stack import ROOT, Stack


@pytest.mark.parametrize(
    ("page", "made"),
    [
        ("README.md", "out.jpg"),
        ("docs/reference/python-client.md", "crop.webp"),
        ("docs/howto/python-applications.md", None),
    ],
)
def test_the_first_python_sample_of_a_page_crops(
    stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, page: str, made: str | None
) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    sample = re.findall(r"```python\n(.*?)```", text, re.DOTALL)[0]
    monkeypatch.chdir(tmp_path)
    for name in ("in.jpg", "cat.jpg"):
        Path(name).write_bytes(pictures.jpeg(800, 600))
    names: dict = {}
    exec(sample.replace("http://localhost:5000", stack.url), names)
    if made is None:
        with Path("in.jpg").open("rb") as file:
            data = names["avatar"](file)
        names["client"].close()
        with pytest.raises(ValueError, match="JPEG"):
            names["avatar"](b"no image")
    else:
        data = Path(made).read_bytes()
    assert pictures.decode(data).shape[:2] in ((300, 300), (256, 256))
