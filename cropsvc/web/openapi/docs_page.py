"""The API's description, for programs and for people."""

import json
import re
from functools import cache
from typing import Any

from flask import Blueprint, Response, current_app, render_template, request
from markupsafe import Markup, escape

from cropsvc.settings.settings import Settings
from cropsvc.web.openapi.document import KEY_HEADER, document
from cropsvc.web.openapi.schemas import all_errors
from cropsvc.web.services import services

bp = Blueprint("docs", __name__)

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
        errors=[(kind, (kind.__doc__ or "").strip()) for kind in all_errors()],
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


def _groups(described: dict[str, Any]) -> list[tuple[dict[str, str], list[dict[str, Any]]]]:
    named = described["components"]["schemas"]
    calls = [
        {
            **call,
            "method": method.upper(),
            "path": path,
            "parameters": [
                {**one, "schema": named.get(_name_of(one["schema"]), one["schema"])}
                for one in call["parameters"]
            ],
        }
        for path, methods in described["paths"].items()
        for method, call in methods.items()
    ]
    tags: list[dict[str, str]] = described["tags"]
    return [(tag, [call for call in calls if call["tags"] == [tag["name"]]]) for tag in tags]


def _name_of(schema: dict[str, Any]) -> str:
    return str(schema.get("$ref", "")).rpartition("/")[2]
