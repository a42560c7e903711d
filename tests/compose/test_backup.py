"""The jobs of the service in one file, and back into an empty volume."""

from pathlib import Path

from tests.compose.load import load
from tests.compose.project import Project, docker


def test_a_backup_brings_every_job_back_into_an_empty_volume(
    project: Project, tmp_path: Path
) -> None:
    file = tmp_path / "jobs.rdb"
    with load(project.url, 20) as done:
        pass
    assert set(done.settle(45).values()) == {"done"}
    docker("stop", "-t", "45", project.container("worker"))
    with load(project.url, 10) as waiting:
        pass
    saved = project.make("backup", f"FILE={file}")
    early = project.make("restore", f"FILE={file}", answer="yes\n")
    project.make("down")
    docker("volume", "rm", f"{project.name}_data")
    restored = project.make("restore", f"FILE={file}", answer="yes\n")
    project.up()

    assert (saved.returncode, restored.returncode) == (0, 0), saved.stdout + restored.stdout
    assert file.stat().st_mode & 0o077 == 0
    assert early.returncode != 0
    assert "make down" in early.stdout
    assert set(done.states().values()) == {"done"}
    assert set(waiting.settle(45).values()) == {"done"}


def test_what_is_no_backup_is_refused(project: Project, tmp_path: Path) -> None:
    file = tmp_path / "no.rdb"
    file.write_text("nothing of ours")
    refused = project.make("restore", f"FILE={file}", answer="yes\n")
    assert refused.returncode != 0
    assert "is no backup" in refused.stdout
