"""The description agrees with what parses, routes and refuses; its page works as written."""

import json
import re
import subprocess
import sys
from html import unescape
from pathlib import Path

import httpx
import hypothesis
import jsonschema_rs
import pytest
from hypothesis import strategies as st

from cropsvc.imaging.params.parser import CROP_PARAMETERS, NAME, Parameter
from cropsvc.jobs.presentation import job_json
from cropsvc.model import errors
from cropsvc.model.hosts import HostRule
from cropsvc.model.job import Job, JobRef, Output, SourceInfo
from cropsvc.settings.settings import ApiKey, Settings
from cropsvc.web.openapi.document import document
from cropsvc.web.openapi.operations import CALLS
from cropsvc.web.openapi.rules import RULES
from cropsvc.web.openapi.schemas import all_errors, text_of
from tests import pictures
from tests.stack import ROOT, Stack

PATHS = {call.path for call in CALLS}
OPEN = document(Settings(), PATHS)
CLOSED = document(Settings(api_keys=(ApiKey("me", "0" * 64),), rate_limit="1/minute"), PATHS)

NEARLY = st.text(alphabet="0123456789.,:%-+ xef#abtruelsopcn\n٣", max_size=14)


def spelled(parameter: Parameter) -> st.SearchStrategy[str]:
    """Texts that are right for the parameter's pattern, or nearly so."""
    schema = text_of(parameter)
    if "enum" in schema:
        return st.sampled_from(schema["enum"]) | NEARLY
    right = st.from_regex(schema["pattern"].replace("$", r"\Z"), alphabet="0123456789.,:%-x#ab")
    named = st.sampled_from(schema.get("examples", ["a"]))
    return right | named | NEARLY


def is_read(parameter: Parameter, text: str) -> bool:
    try:
        parameter.read(text)
    except ValueError:
        return False
    return True


@pytest.mark.parametrize("parameter", [*CROP_PARAMETERS, NAME], ids=lambda row: row.name)
def test_schema_and_parser_take_the_same_texts(parameter: Parameter) -> None:
    valid = jsonschema_rs.validator_for(text_of(parameter)).is_valid

    @hypothesis.given(spelled(parameter))
    @hypothesis.settings(max_examples=400, deadline=None, derandomize=True)
    def agree(text: str) -> None:
        assert valid(text) == is_read(parameter, text), text

    agree()


def test_a_job_is_shown_as_its_schema_says() -> None:
    facts = SourceInfo("png", 40, 30, 100, "0" * 64)
    output = Output("0", "done", 4, 3, "png", 10, "1" * 64, (0, 0, 4, 3), ("clamped",))
    times = {"created": 1, "started": 2, "ended": 3, "expires": 4}
    job = Job(
        JobRef("-", "a" * 48), "done", 1.0, "done", request="[]", source=facts, outputs=(output,),
        results_from="a" * 48, upload_from="a" * 48, **times,
    )  # fmt: skip
    schema = {"$ref": "#/components/schemas/Job", "components": OPEN["components"]}

    jsonschema_rs.validate(schema, job_json(job))

    with pytest.raises(jsonschema_rs.ValidationError):
        jsonschema_rs.validate(schema, {**job_json(job), "more": 1})


def test_every_error_of_the_tree_has_its_code_and_status() -> None:
    told = {(kind.code, kind.status) for kind in all_errors()}

    assert ("internal", 500) in told
    assert {("expired", 410), ("canceled", 410), ("deleted", 410)} <= told
    assert len(told) == 30
    assert all(
        kind.code != errors.CropError.code or kind is errors.Internal for kind in all_errors()
    )


def test_the_examples_are_as_their_schemas_say() -> None:
    for name in ("Job", "Problem"):
        schema = {"$ref": f"#/components/schemas/{name}", "components": OPEN["components"]}
        [example] = OPEN["components"]["schemas"][name]["examples"]
        jsonschema_rs.validate(schema, example)


@pytest.mark.parametrize("on", [False, True])
def test_what_is_switched_off_is_not_described(on: bool) -> None:
    hosts = {"url_hosts": (HostRule("*"),)} if on else {}
    described = document(Settings(**hosts), PATHS)
    assert ("UrlForm" in described["components"]["schemas"]) == on
    names = [one["name"] for one in described["paths"]["/v1/crops"]["post"]["parameters"]]
    assert ("url" in names) == on
    assert "webhook" not in json.dumps(described["components"]["schemas"]["SourceForm"])


INLINE = {"submit_form", "login", "openapi"}  # forms of the page, and any JSON


def test_a_token_is_described_with_the_servers_own_limit() -> None:
    described = document(Settings(max_upload=5000), PATHS)
    token = described["components"]["schemas"]["UploadTokenRequest"]
    assert token["properties"]["max_upload"]["maximum"] == 5000


def test_every_call_has_an_id_a_tag_and_named_schemas() -> None:
    calls = [call for path in OPEN["paths"].values() for call in path.values()]
    assert len({call["operationId"] for call in calls}) == len(calls)
    tags = {tag["name"] for tag in OPEN["tags"]}
    assert [call for call in calls if {*call["tags"]} - tags or not call["summary"]] == []
    inline = {
        call["operationId"]
        for call in calls
        for part in (call.get("requestBody", {}), *call["responses"].values())
        for content in part.get("content", {}).values()
        if not is_named(content.get("schema", {"format": "binary"}))
    }
    assert inline <= INLINE


def is_named(schema: dict) -> bool:
    if schema.get("format") == "binary":
        return True
    return all("$ref" in one for one in schema.get("oneOf", [schema]))


def test_every_reference_leads_somewhere() -> None:
    for path in re.findall(r'"\$ref": "#/([^"]+)"', json.dumps(OPEN)):
        part = OPEN
        for name in path.split("/"):
            part = part[name]


def test_401_and_429_are_described_only_where_they_can_come() -> None:
    submit = {name: d["paths"]["/v1/crops"]["post"] for name, d in (("o", OPEN), ("c", CLOSED))}

    assert {} in submit["o"]["security"]
    assert {} not in submit["c"]["security"]
    assert "401" not in submit["o"]["responses"]
    assert "401" in submit["c"]["responses"]
    assert "rate-limited" not in submit["o"]["responses"]["429"]["description"]
    assert "rate-limited" in submit["c"]["responses"]["429"]["description"]
    assert "Bearer $CROPSVC_KEY" in submit["c"]["x-curl"]


def test_every_pattern_has_its_rule_as_a_sentence() -> None:
    rows = [one["schema"] for path in OPEN["paths"].values() for call in path.values()
            for one in call["parameters"]]  # fmt: skip
    for name in ("Job", "Source", "Output", "JobError"):
        rows += OPEN["components"]["schemas"][name]["properties"].values()
    assert {row["pattern"] for row in rows if "pattern" in row} - set(RULES) == set()


@pytest.fixture(scope="module")
def page(stack: Stack) -> httpx.Response:
    return httpx.get(f"{stack.url}/docs")


def test_every_route_is_described(stack: Stack) -> None:
    described = httpx.get(f"{stack.url}/openapi.json").json()["paths"]

    rules = _rules()
    assert rules - set(described) == set()
    assert set(described) - rules == set()


def _rules() -> set[str]:
    """The routes of the app, asked in a process of its own: it wants a store's URL."""
    code = (
        "from cropsvc.settings.settings import Settings; from cropsvc.web.app import create_app;"
        "app = create_app(Settings(redis_url='redis://127.0.0.1:1'));"
        "print(*(rule.rule for rule in app.url_map.iter_rules()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT,
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    rules = re.sub(r"<(?:[a-z]+:)?(?:job_)?([a-z]+)>", r"{\1}", done.stdout).split()
    return {rule for rule in rules if not rule.startswith("/static/")}


def test_every_problem_type_links_to_its_explanation(page: httpx.Response, stack: Stack) -> None:
    missing = [kind.code for kind in all_errors() if f'id="{kind.code}"' not in page.text]
    assert missing == []
    answer = httpx.post(f"{stack.url}/v1/crops").json()
    assert answer["type"] == "/docs#bad-request"


def test_the_page_needs_no_script_no_style_of_its_own_and_nobody_else(page: httpx.Response) -> None:
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert not re.search(r"<script|<style|\sstyle=|\son[a-z]+=", page.text)
    assert not re.search(r'(src|href)="(https?:)?//', page.text)


def test_the_page_answers_what_strangers_ask(page: httpx.Response) -> None:
    text = re.sub(r"<[^>]*>", "", page.text)
    for words in (
        "The answer is 202 and the job",
        "It is 200 and the image only if Accept names an image type",
        "With box: the box grows to that ratio.",
        "A box with both sides of size stretches by default",
    ):
        assert words in text
    for kind in all_errors():
        words = unescape(text).count((kind.__doc__ or "").strip().replace("`", ""))
        assert words == 1, f"{kind.code} is explained {words} times"


def test_no_id_stands_twice(page: httpx.Response) -> None:
    ids = re.findall(r'\sid="([^"]+)"', page.text)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'href="#([^"]+)"', page.text)) <= set(ids)


def test_the_curl_examples_work_as_written(page: httpx.Response, tmp_path: Path, require) -> None:
    require("curl")
    (tmp_path / "in.jpg").write_bytes(pictures.jpeg(400, 300))
    blocks = [
        unescape(block) for block in re.findall(r"<pre[^>]*><code>(.*?)</code>", page.text, re.S)
    ]
    last = [block for block in blocks if "-X DELETE" in block]
    start = next(block for block in blocks if block.startswith("id="))
    others = [b for b in blocks if b != start and b not in last]
    wait = "until curl -sS $(cat base)/v1/crops/$id?wait=10 | grep -q done; do :; done"
    (tmp_path / "base").write_text(str(page.url).removesuffix("/docs"))
    script = "\n".join(["set -e", start, wait, *others, *last])

    done = subprocess.run(
        ["bash", "-c", script.replace("curl ", "curl --fail-with-body ")],
        cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip

    assert done.returncode == 0, done.stdout + done.stderr
    assert len(blocks) >= 12
    assert pictures.decode((tmp_path / "out.jpg").read_bytes()).size > 0
    assert (tmp_path / "again.jpg").read_bytes() == (tmp_path / "in.jpg").read_bytes()
