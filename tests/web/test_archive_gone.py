"""A result that goes away while its archive is made."""

import io
import zipfile
from pathlib import Path

from cropsvc.store.keys import results_key
from tests import pictures
from tests.contract.client import Client, problem
from tests.in_process import Transport, in_process


def test_a_result_without_bytes_is_listed_in_the_archive(tmp_path: Path) -> None:
    with in_process(tmp_path) as app, Client("http://h", transport=Transport(app)) as api:
        gone, job = (api.crop(pictures.unlike(number)) for number in (1, 2))
        store = app.extensions["cropsvc"].store
        [owner] = {key.split(b":")[2].decode() for key in store.client.keys("cropsvc:results:*")}
        store.client.delete(results_key(owner, gone["id"]))
        entries = [{"id": gone["id"]}, {"id": job["id"], "name": "a"}]
        answer = api.post("/v1/archive", json={"entries": entries})
        with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
            names = archive.namelist()
            assert names[1:] == ["missing.txt"]
            assert archive.read(names[0]) == api.bytes_of(job)
            assert archive.read("missing.txt").startswith(f"{gone['id']} : expired: ".encode())
        problem(api.get(f"/v1/crops/{gone['id']}/archive"), 410, "expired")
