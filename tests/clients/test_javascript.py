"""The JavaScript client on Node, against a real service."""

import base64
import json
import re
import subprocess
from pathlib import Path

import pytest

from cropsvc.webhooks.delivery import headers_of, message
from tests import pictures
from tests.components import require
from tests.stack import ROOT, Stack
from tests.webhooks.test_delivery import JOB, NEW

CLIENT = (ROOT / "clients" / "js" / "index.js").as_uri()
FLOW = """
import { readFileSync } from "node:fs";
import { CropClient, CropError } from "%(client)s";
const [url, file, broken] = process.argv.slice(2);
const client = new CropClient(url, { patience: 20 });
const fractions = [], kinds = [];
const onProgress = (fraction) => fractions.push(fraction);
const job = await client.submit(readFileSync(file), { box: [0, 0, "50%%", "50%%"], size: "20x10",
  format: "png" }, { onProgress });
for await (const event of client.events(job)) kinds.push(event.kind);
const done = await client.wait(job);
const image = Buffer.from(await (await client.image(done, "0")).arrayBuffer()).toString("base64");
const error = await client.submit(readFileSync(file), { size: "0x0" }).catch((e) => e);
const failed = client.submit(readFileSync(broken), { max_bytes: 1024, format: "jpeg" });
const ended = await failed.then((one) => client.wait(one)).catch((e) => e);
const { token } = await client.token({ preset: "classic" });
const browser = new CropClient(url, { key: token });
const own = await browser.submit(readFileSync(file));
await browser.wait(own);
const shown = await fetch(browser.urlOf(own));
await client.delete(done);
const gone = await client.job(done).catch((e) => e);
const nobody = new CropClient("http://127.0.0.1:1", { patience: 0 });
const away = await nobody.job("x").catch((e) => e);
console.log(JSON.stringify({
  fractions, last: kinds.at(-1), image,
  error: [error instanceof CropError, error.status, error.code, error.errors[0].field],
  ended: ended.code, shown: shown.status, gone: gone.code,
  away: away.status,
}));
"""
VERIFY = """
import { verifyWebhook } from "%(client)s";
const [body, headers, secrets] = JSON.parse(process.argv[2]);
console.log((await verifyWebhook(body, headers, secrets)).data.id);
"""


def node() -> str:
    """Node's path, if it is 20 or newer: Debian 12 has 18, which has no global crypto."""
    path = require("node")
    version = subprocess.run([path, "--version"], capture_output=True, text=True, check=True).stdout
    if int(version.removeprefix("v").partition(".")[0]) < 20:
        pytest.skip(f"the client needs Node 20 or newer; this is {version.strip()}")
    return path


def run(script: str, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    (folder / "run.mjs").write_text(script % {"client": CLIENT})
    return subprocess.run(
        [node(), "run.mjs", *arguments],
        cwd=folder, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def test_the_client_submits_follows_downloads_and_reports_errors(
    stack: Stack, tmp_path: Path
) -> None:
    node()
    (tmp_path / "in.png").write_bytes(pictures.png(900, 600))
    (tmp_path / "large.jpg").write_bytes(pictures.jpeg(1200, 900))
    done = run(FLOW, tmp_path, stack.url, "in.png", "large.jpg")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)

    assert pictures.decode(base64.b64decode(told.pop("image"))).shape[:2] == (10, 20)
    fractions = told.pop("fractions")
    assert (fractions[0], fractions[-1]) == (0, 1)
    assert fractions == sorted(fractions)
    assert told == {
        "last": "done", "error": [True, 400, "bad-parameter", "size"], "ended": "over-max-bytes",
        "shown": 200, "gone": "deleted", "away": 0,
    }  # fmt: skip


def test_the_sample_of_its_readme_runs(stack: Stack, tmp_path: Path) -> None:
    node()
    (tmp_path / "in.png").write_bytes(pictures.png(900, 600))
    sample = readme_sample().replace('"./index.js"', f'"{CLIENT}"')
    sample = sample.replace("http://localhost:5000", stack.url)
    sample = sample.replace("wait(job));", "wait(job));\n  console.log(blob.size, blob.type);")
    read = 'import { readFileSync } from "node:fs";\nconst file = readFileSync("in.png");\n'
    done = run((read + sample).replace("%", "%%"), tmp_path)
    said = done.stdout.splitlines()
    assert (said[0], done.stderr) == ("0", "")  # what onProgress gets first
    assert "done 1" in said
    assert re.fullmatch(r"[1-9]\d+ image/png", said[-1])


def readme_sample() -> str:
    page = (ROOT / "clients" / "js" / "README.md").read_text(encoding="utf-8")
    [found] = re.findall(r"```js\n(.*?)```", page, re.DOTALL)
    return str(found)


@pytest.mark.parametrize("change", ["", " "])
def test_it_verifies_what_the_service_signs(tmp_path: Path, change: str) -> None:
    body = message(JOB)
    headers = headers_of(JOB, body, (NEW,))
    done = run(VERIFY, tmp_path, json.dumps([body.decode() + change, headers, [NEW]]))

    assert done.stdout == ("" if change else f"{JOB.id}\n")
    assert ("signature is wrong" in done.stderr) == bool(change)
