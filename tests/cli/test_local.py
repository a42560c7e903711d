"""`python -m cropsvc local`: the same crops, without a server."""

from pathlib import Path

import pytest

from cropsvc.imaging.params.parser import PARAMETERS
from tests import pictures
from tests.cli.command import run


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.png"
    path.write_bytes(pictures.png(200, 100))
    return path


def test_a_box_is_cut_to_the_pixel(photo: Path, tmp_path: Path) -> None:
    status, _, words = run("local", photo, "--box", "20,10,50,40", "-o", "out.png", cwd=tmp_path)

    assert status == 0, words
    made = pictures.decode((tmp_path / "out.png").read_bytes())
    assert (made == pictures.pattern(200, 100)[10:50, 20:70]).all()


def test_without_a_target_the_crop_is_written_here(photo: Path, tmp_path: Path) -> None:
    run("local", photo, "--size", "20x", cwd=tmp_path)

    assert (tmp_path / "photo-crop.png").exists()


def test_a_file_that_is_no_image_is_refused_with_a_message(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"hello")

    status, _, words = run("local", "a.jpg", cwd=tmp_path)

    assert status == 1
    assert "unsupported-format" in words


def test_the_limits_are_the_services(photo: Path, tmp_path: Path) -> None:
    status, _, words = run("local", photo, cwd=tmp_path, environ={"CROPSVC_MAX_PIXELS": "100"})

    assert status == 1
    assert "too-many-pixels" in words


def test_a_setting_that_cannot_be_used_is_named(photo: Path, tmp_path: Path) -> None:
    status, _, words = run("local", photo, cwd=tmp_path, environ={"CROPSVC_MAX_PIXELS": "many"})

    assert status == 2
    assert "CROPSVC_MAX_PIXELS" in words


def test_files_of_one_name_are_not_mixed_up(tmp_path: Path) -> None:
    status, _, words = run("local", "a/x.jpg", "b/x.jpg", "-o", "out/", cwd=tmp_path)

    assert status == 2
    assert "{index}" in words


@pytest.mark.parametrize("command", ["crop", "local"])
def test_every_parameter_is_an_option(command: str, tmp_path: Path) -> None:
    _, out, _ = run(command, "--help", cwd=tmp_path)

    missing = [row.name for row in PARAMETERS if f"--{row.name} " not in out.decode()]
    assert missing == []
