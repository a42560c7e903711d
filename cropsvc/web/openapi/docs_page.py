"""The API's description, for programs and for people."""

import json
import re
from functools import cache
from typing import Any

from flask import Blueprint, Response, current_app, render_template, request
from markupsafe import Markup, escape

from cropsvc.model import errors
from cropsvc.model.errors import CropError
from cropsvc.settings.settings import Settings
from cropsvc.web.openapi.document import KEY_HEADER, document
from cropsvc.web.openapi.notes import NOTES
from cropsvc.web.openapi.responses import HTML, PROBLEM
from cropsvc.web.openapi.rules import RULES
from cropsvc.web.openapi.schemas import all_errors
from cropsvc.web.services import services

bp = Blueprint("docs", __name__)

COMMON = {
    kind.code
    for kind in (
        errors.Unauthorized,
        errors.OutOfScope,
        errors.MethodNotAllowed,
        errors.Internal,
        errors.Unavailable,
    )
}
CACHED = "public, max-age=300"
START = (
    "id=$(curl -sS{key} -F image=@in.jpg '{url}/v1/crops?size=300x300' |\n"
    """  sed 's/.*"id": "\\([^"]*\\)".*/\\1/')"""
)


@bp.get("/openapi.json")
def openapi() -> Response:
    """Return the description as OpenAPI 3.1."""
    text = _text(services().settings, _routes())
    response = Response(text, content_type="application/json")
    response.headers["Cache-Control"] = CACHED
    response.add_etag()
    response.make_conditional(request)
    return response


@bp.get("/docs")
def docs() -> str:
    """Return the description as a page that needs no other server."""
    origin = request.host_url.rstrip("/")
    described = json.loads(_text(services().settings, _routes()))
    return render_template(
        "docs.html",
        api=described,
        groups=_groups(described),
        common=[_explained(kind) for kind in all_errors() if kind.code in COMMON],
        errors=[_explained(kind) for kind in all_errors() if kind.code not in COMMON],
        notes=NOTES,
        origin=origin,
        start=START.format(key=_key_header(), url=origin),
        keys=bool(services().settings.api_keys),
    )


@bp.app_template_filter("code")
def with_code(text: str) -> Markup:
    """Return the text with what stands in backticks as code."""
    parts = re.split("`([^`]*)`", text)
    shown = [f"<code>{escape(p)}</code>" if i % 2 else str(escape(p)) for i, p in enumerate(parts)]
    return Markup("").join(Markup(part) for part in shown)  # noqa: S704 - every part is escaped


@bp.app_template_filter("rule")
def rule_of(schema: dict[str, Any]) -> str:
    """Return the rule of a text with a pattern as a sentence; "" if it has no pattern."""
    return RULES.get(schema.get("pattern", ""), "")


@bp.app_template_filter("type")
def type_of(schema: dict[str, Any]) -> str:
    """Return a schema's type as a short text."""
    if "$ref" in schema:
        return str(schema["$ref"].rpartition("/")[2])
    if "anyOf" in schema:
        return " or ".join(type_of(part) for part in schema["anyOf"])
    if schema.get("type") == "array":
        return f"list of {type_of(schema['items'])}"
    kinds = schema.get("type", "any")
    return " or ".join(kinds) if isinstance(kinds, list) else str(kinds)


def _key_header() -> str:
    return KEY_HEADER if services().settings.api_keys else ""


def _routes() -> frozenset[str]:
    rules = (rule.rule for rule in current_app.url_map.iter_rules())
    return frozenset(re.sub("<(?:[a-z]+:)?([a-z_]+)>", _brace, rule) for rule in rules)


def _brace(match: re.Match[str]) -> str:
    return "{" + match[1].removeprefix("job_") + "}"


@cache
def _text(settings: Settings, routes: frozenset[str]) -> str:
    return json.dumps(document(settings, routes))


def _explained(kind: type[CropError]) -> tuple[type[CropError], str]:
    return kind, (kind.__doc__ or "").strip()


def _groups(described: dict[str, Any]) -> list[tuple[dict[str, str], list[dict[str, Any]]]]:
    named = described["components"]["schemas"]
    submit = described["paths"]["/v1/crops"]["post"]
    calls = [
        {**_shown(call, submit, named), "method": method.upper(), "path": path}
        for path, methods in described["paths"].items()
        for method, call in methods.items()
    ]
    tags: list[dict[str, str]] = described["tags"]
    return [(tag, [call for call in calls if call["tags"] == [tag["name"]]]) for tag in tags]


def _shown(call: dict[str, Any], submit: dict[str, Any], named: dict[str, Any]) -> dict[str, Any]:
    """Return the call without what the page says elsewhere: common errors, submit's parameters."""
    as_submit = call is not submit and call.get("requestBody") == submit["requestBody"]
    return {
        **call,
        "as_submit": as_submit,
        "parameters": []
        if as_submit
        else [_placed(one, call, named) for one in call["parameters"]],
        "answers": {s: one for s, one in call["responses"].items() if not _is_error(s, one)},
        "errors": [code for code in call["x-errors"] if code not in COMMON],
    }


def _placed(one: dict[str, Any], call: dict[str, Any], named: dict[str, Any]) -> dict[str, Any]:
    """Return the parameter with its schema, and every place where it may stand."""
    form = call.get("requestBody", {}).get("content", {}).get("multipart/form-data", {})
    is_field = one["name"] in _resolved(form.get("schema", {}), named).get("properties", {})
    place = f"{one['in']} or form field" if is_field else one["in"]
    return {**one, "schema": _resolved(one["schema"], named), "in": place}


def _resolved(schema: dict[str, Any], named: dict[str, Any]) -> dict[str, Any]:
    resolved: dict[str, Any] = named.get(str(schema.get("$ref", "")).rpartition("/")[2], schema)
    return resolved


def _is_error(status: str, answer: dict[str, Any]) -> bool:
    return status >= "400" and bool({HTML, PROBLEM} & set(answer.get("content", {})))
