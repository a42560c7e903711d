"""Broken files at random: only our own errors come out, within the memory bound.

25 seconds where CI=true, 3 elsewhere; CROPSVC_FUZZ_SECONDS says otherwise.
"""

import json
import os
import random
import subprocess
import sys
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.imaging import fuzz

ROOT = Path(__file__).resolve().parents[2]
SECONDS = os.environ.get("CROPSVC_FUZZ_SECONDS") or (
    "25" if os.environ.get("CI") == "true" else "3"
)
OURS = {"done", "unreadable", "unsupported-format", "too-many-pixels", "too-complex",
        "crop-failed", "box-outside"}  # fmt: skip
FILES = fuzz.corpus()


def test_only_our_errors_come_out_within_the_memory_bound(tmp_path: Path) -> None:
    seed = str(random.randrange(10**6))
    done = subprocess.run(
        [sys.executable, "-m", "tests.imaging.fuzz", SECONDS, seed],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,  # libtiff writes to stderr about every broken file
        timeout=float(SECONDS) + 200,
        check=False,
    )
    assert done.returncode == 0, (seed, done.stderr[-2000:].decode(errors="replace"))
    told = json.loads(done.stdout)
    codes = {code for codes in told["outcomes"] for code in codes.split("+")}
    assert codes <= OURS
    assert {"done", "unreadable"} <= codes
    assert told["files"] > 20 * float(SECONDS)
    assert told["most"] > 0


@settings(max_examples=150, deadline=None)
@given(st.randoms(use_true_random=False), st.sampled_from(fuzz.REQUESTS))
def test_a_broken_file_gives_a_picture_or_an_error_of_ours(
    chance: random.Random, request_: object
) -> None:
    data = fuzz.broken(FILES, chance)
    codes = fuzz.outcome(data, request_).split("+")  # type: ignore[arg-type]
    assert set(codes) <= OURS


@settings(max_examples=100, deadline=None)
@given(st.sampled_from([file[:16] for file in FILES]), st.binary(max_size=400))
def test_any_bytes_after_the_first_ones_give_an_error_of_ours(start: bytes, rest: bytes) -> None:
    for request in fuzz.REQUESTS[:2]:
        assert set(fuzz.outcome(start + rest, request).split("+")) <= OURS
