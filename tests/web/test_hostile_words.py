"""Words that a stranger chose, wherever they can be put, stay words: in pages, headers and logs."""

import json
import re
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from PIL import Image

from tests import pictures
from tests.contract.client import Client
from tests.dashboard import hostile
from tests.stack import Stack, until

WORD = "owned4711"
MARKUP = f"<img src=x onerror={WORD}()>"
CONTROL = f'{WORD}"\x1b[31m\x85\u2028\nlevel=error {WORD}'


def spoken() -> bytes:
    """A photo whose EXIF, XMP and comment hold markup."""
    block = Image.Exif()
    for tag in (0x010E, 0x010F, 0x0110, 0x013B, 0x8298):
        block[tag] = MARKUP
    block.get_ifd(0x8769)[0x9286] = MARKUP.encode()
    image = Image.fromarray(pictures.photo(64, 48))
    return pictures.save(
        image, "jpeg", exif=block.tobytes(), xmp=MARKUP.encode(), comment=MARKUP.encode()
    )


@pytest.fixture(scope="module")
def own(make_module_stack: Callable[..., Stack]) -> Stack:
    """A stack with logs of its own."""
    return make_module_stack(workers=1, log_level="debug", log_format="json")


@pytest.fixture(scope="module")
def api(own: Stack) -> Iterator[Client]:
    with Client(own.url) as client:
        yield client


def strange(api: Client) -> list[httpx.Response]:
    """The answers to requests that say it wherever a request can say something."""
    job = api.ended(api.accept(api.upload(spoken(), name=MARKUP, format="jpeg")))
    form = {"image": (MARKUP, spoken(), "image/jpeg")}
    shown = api.post("/crops", files=form, follow_redirects=True)
    wrong = api.post("/crops", files=form, data={"box": MARKUP, "size": MARKUP})
    names = ("User-Agent", "Referer", "X-Request-Id", "Prefer", "Range", "Accept", "Cookie")
    return [
        *(api.get(path) for path in job["links"].values()),
        shown,
        wrong,
        api.submit(spoken(), box=MARKUP, outputs=json.dumps([{"name": MARKUP, "box": MARKUP}])),
        api.submit(spoken(), **{MARKUP: MARKUP}),
        api.submit(spoken(), headers={"Idempotency-Key": MARKUP}),
        api.submit(spoken(), headers={"Content-Type": MARKUP}),
        api.submit(source=MARKUP),
        api.get("/crops/" + MARKUP),
        api.get(f"/v1/crops/{MARKUP}/image/{MARKUP}"),
        api.get("/progress", params={"jobid": MARKUP}),
        api.get("/result.png", params={"jobid": MARKUP}),
        api.get("/" + MARKUP),
        api.get("/", headers=dict.fromkeys(names, MARKUP)),
        api.request(f"X{WORD}", "/"),
        api.post("/login", data={"key": MARKUP}),
        api.delete("/v1/crops", headers={"Origin": f"https://{WORD}.example"}),
    ]


def test_markup_is_in_no_page_and_no_header(api: Client) -> None:
    answers = strange(api)
    assert len(answers) > 20
    for answer in answers:
        headers = "\n".join(f"{name}: {value}" for name, value in answer.headers.items())
        assert WORD not in headers, answer.request.url
        assert answer.status_code < 500
        if "html" in answer.headers.get("Content-Type", ""):
            assert MARKUP not in answer.text, answer.request.url
        elif not answer.request.url.path.endswith("/source"):  # that is the upload itself
            kind = answer.headers["Content-Type"]
            assert WORD.encode() not in answer.content or kind == "application/problem+json"


def test_log_lines_hold_no_name_no_parameter_no_text_of_a_picture(own: Stack, api: Client) -> None:
    job = api.ended(api.accept(api.upload(spoken() + b"1", name=CONTROL.replace("\n", ""))))
    api.submit(spoken(), box=CONTROL, **{CONTROL: CONTROL})
    api.get("/crops/" + quote(CONTROL))
    api.get("/v1/crops/x", headers=[(b"User-Agent", WORD.encode() + b"\x1b[31m")])
    until(lambda: job["id"] in own.worker.log.read_text(), seconds=5, what="the job is told of")
    for part in (own.web, own.worker):
        text = part.log.read_bytes().decode()
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029]", text), part.name
        told = [json.loads(line) for line in text.splitlines()]
        with_word = [line for line in told if WORD in json.dumps(line)]
        assert {tuple(key for key in line if WORD in str(line[key])) for line in with_word} <= {
            ("path",)
        }


def test_what_cannot_be_parsed_is_logged_in_one_harmless_line(own: Stack) -> None:
    for sent in (
        b"GET /\x1b[31m HTTP/1.1\r\nX\x1b[31m: y\r\n\r\n",
        b"\x1b[31mowned4711 / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: \x1b[31mowned4711\r\n\r\n",
    ):
        with socket.create_connection(("127.0.0.1", own.port), timeout=10) as sock:
            sock.sendall(sent)
            assert sock.makefile("rb").read().startswith(b"HTTP/1.1 4")
    text = own.web.log.read_bytes().decode()
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f]", text)


def test_what_somebody_pushed_into_redis_runs_nothing_in_the_front_end(
    make_stack: Callable[..., Stack], tmp_path: Path
) -> None:
    mark = tmp_path / "executed"
    stack = make_stack(worker=False)
    bomb = hostile.pickle.dumps(hostile.Bomb(mark))
    with Client(stack.url) as api, stack.redis() as redis:
        hostile.push(redis, mark)
        hostile.push_failed(redis, mark)
        hostile.push_workers(redis)
        job = api.accepted(pictures.png())
        key = f"cropsvc:job:-:{job['id']}"
        redis.hset(f"rq:job:{job['id']}", mapping={"meta": bomb, "data": bomb})
        assert api.job(job)["state"] == "queued"
        assert api.get("/readyz").status_code == 503
        assert api.get("/metrics").status_code == 200
        for field in ("source", "outputs", "error", "request", "created", "progress", "state"):
            kept = redis.hget(key, field)
            redis.hset(key, field, bomb)
            for path in (job["links"]["self"], job["links"]["page"], job["links"]["image"]):
                assert api.get(path).status_code >= 200
            redis.hset(key, field, kept) if kept else redis.hdel(key, field)
        redis.hset(key, "error", json.dumps({"code": "crop-failed", "detail": MARKUP}))
        redis.hset(key, "state", "failed")
        page = api.get(job["links"]["page"])
        assert MARKUP not in page.text
        assert api.delete(job["links"]["self"]).status_code == 204
    assert not mark.exists()
