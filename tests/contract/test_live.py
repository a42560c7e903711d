"""What only a running service can show: another program's request, and a job while it runs."""

import io
import subprocess
import time
import zipfile

from tests import pictures
from tests.contract.client import Client, Json, checked, close
from tests.contract.test_classic import progress

SLOW = {"format": "avif", "quality": 90, "outputs": "[{},{},{},{}]"}


def test_one_curl_crops_a_file(api: Client, require, tmp_path) -> None:
    curl = require("curl")
    source, target = tmp_path / "in.jpg", tmp_path / "out.jpg"
    source.write_bytes(pictures.jpeg(60, 40))
    url = f"{str(api.base_url).rstrip('/')}/v1/crops?box=0,0,50%25,50%25&wait=10"
    command = [curl, "-sS", "-F", f"image=@{source}", "-H", "Accept: image/*", url, "-o", target]
    subprocess.run(command, check=True, timeout=30)
    expected = pictures.decode(source.read_bytes())[:20, :30]
    assert close(pictures.decode(target.read_bytes()), expected, mean=10)


# truth


def test_progress_never_falls_and_done_can_be_fetched_at_once(api: Client) -> None:
    job = api.accepted(pictures.large(3), format="webp", size="1200x")
    seen: list[Json] = [job]
    deadline = time.monotonic() + 30
    while seen[-1]["state"] not in ("done", "failed") and time.monotonic() < deadline:
        seen.append(checked(api.get(f"/v1/crops/{job['id']}").json()))
    assert seen[-1]["state"] == "done"
    assert api.get(seen[-1]["links"]["image"]).status_code == 200
    progress = [job["progress"] for job in seen]
    assert progress == sorted(progress)
    order = ["queued", "running", "done"]
    states = [order.index(job["state"]) for job in seen]
    assert states == sorted(states)


def test_progress_while_running(api: Client) -> None:
    job = api.accepted(pictures.large(3), **SLOW)
    api.until_state(job, "running")
    told = progress(api, job["id"])
    assert set(told) == {"state", "progress"}
    assert told["state"] == "PROGRESS"
    assert 0.0 <= told["progress"] < 0.99
    assert api.get("/result.png", params={"jobid": job["id"]}).status_code == 409
    api.delete(job["links"]["self"])
    api.until_state(job, "canceled", seconds=5)
    assert progress(api, job["id"])["state"] == "FAILURE"
    assert api.get("/result.png", params={"jobid": job["id"]}).status_code == 410


def test_the_list_of_an_archive_may_come_in_chunks(api: Client) -> None:
    job = api.crop(pictures.unlike(6))
    body = (piece for piece in (b'{"entries": [{"id": "', job["id"].encode(), b'"}]}'))
    headers = {"Content-Type": "application/json"}
    answer = api.post("/v1/archive", content=body, headers=headers)
    assert answer.status_code == 200, answer.text
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert [archive.read(info) for info in archive.infolist()] == [api.bytes_of(job)]
