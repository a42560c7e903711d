"""The short form of `make chaos`: whatever is killed, each acknowledged job ends as it should."""

from pathlib import Path

import pytest

from tests.chaos.campaign import SHORT, campaign


@pytest.mark.timeout(240)
def test_no_acknowledged_job_is_lost_while_everything_is_killed(tmp_path: Path) -> None:
    report = campaign(SHORT, seed=9, directory=tmp_path)
    assert report.lost == [], report.text()
    assert report.wrong == [], report.text()
    assert report.strange == [], report.text()
    assert report.jobs >= SHORT.jobs, report.text()
    assert report.kills["store"] == 1
    assert report.kills["worker"] + report.kills["crop process"] >= 5, report.text()
