"""What Docker asks of the containers' health ends by itself."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", ["docker-compose.yml", "Dockerfile"])
def test_a_check_that_takes_too_long_is_killed(name: str) -> None:
    """Docker stops waiting but leaves the process: on a busy machine dozens piled up."""
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    checks = [line for line in lines if '"cropsvc.run.health"' in line]
    assert checks
    assert all('"timeout", "-s", "KILL", "5", "python"' in check for check in checks)
