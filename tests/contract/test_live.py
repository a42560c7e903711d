"""What only a running service can show: another program's request, and a job while it runs."""

import subprocess
import time

from tests import pictures
from tests.contract.client import Client, Json, checked, close


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
