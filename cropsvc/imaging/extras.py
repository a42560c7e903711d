"""Which optional packages are there. Looking loads none of them."""

from functools import cache
from importlib.util import find_spec

EXTRAS = {  # name -> the modules it brings
    "faces": ("cv2", "numpy"),
    "heif": ("pillow_heif",),
}


@cache
def is_installed(extra: str) -> bool:
    """Return whether the packages of *extra* can be imported."""
    return all(find_spec(module) for module in EXTRAS[extra])


def cure(extra: str) -> str:
    """Return the sentence for a request that needs *extra*."""
    return f"This server lacks the extra `{extra}`: pip install -r requirements/{extra}.txt"
