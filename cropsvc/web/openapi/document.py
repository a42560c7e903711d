"""The API's description (OpenAPI 3.1), made from the definitions that parse and refuse."""

from collections.abc import Collection
from typing import Any

from cropsvc import __version__
from cropsvc.imaging.params.presets import presets_of
from cropsvc.imaging.params.table import PRESET
from cropsvc.model import errors
from cropsvc.settings.settings import Settings
from cropsvc.web.auth import COOKIE
from cropsvc.web.openapi.bodies import FORMS
from cropsvc.web.openapi.call import TOKEN, Call
from cropsvc.web.openapi.components import components
from cropsvc.web.openapi.operations import CALLS
from cropsvc.web.openapi.responses import HEADERS, path_parameters, problems
from cropsvc.web.openapi.schemas import ref

TAGS = {
    "Jobs": "Submit an image and a box, follow the job, cancel it.",
    "Bytes": "Download results and uploads.",
    "Pages": "What a browser opens.",
    "The first version's routes": "Kept for older pages. Unknown parameters are ignored.",
    "Operations": "For those who run the service.",
}
INTRODUCTION = (
    "Upload an image and a crop box, follow the job, download the crop. Every error is a problem "
    "document (RFC 9457) with a stable `code`, and `errors` names each wrong parameter. Under "
    "`/v1`, unknown and repeated parameters are refused by name."
)
KEY_HEADER = ' -H "Authorization: Bearer $CROPSVC_KEY"'
LIMITS = (
    ("bytes of an upload", "max_upload"),
    ("pixels of an image, all frames added up", "max_pixels"),
    ("frames of an animation", "max_frames"),
    ("scans of a JPEG", "max_scans"),
    ("pixels of an output's side", "max_side"),
    ("seconds of one crop", "job_timeout"),
    ("jobs waiting", "queue_cap"),
    ("seconds that a result is kept", "result_ttl"),
    ("seconds that an upload is kept after its job", "source_ttl"),
)


def document(settings: Settings, paths: Collection[str]) -> dict[str, Any]:
    """Return the description of the service with these settings and routes (`/v1/crops/{id}`)."""
    calls = [call for call in CALLS if call.path in paths]
    names = presets_of(settings).names
    whole: dict[str, Any] = _with_presets(_document(calls, settings), names)
    if upload_token := whole["components"]["schemas"].get("UploadTokenRequest"):
        upload_token["properties"]["max_upload"]["maximum"] = settings.max_upload
    for name, is_on in (("url", settings.url_hosts), ("webhook", settings.webhooks_on)):
        if not is_on:
            _leave_out(whole, name)
    return whole


def _leave_out(whole: dict[str, Any], name: str) -> None:
    """Leave out a parameter and form field that this server has switched off."""
    for operation in (call for path in whole["paths"].values() for call in path.values()):
        kept = [one for one in operation["parameters"] if one.get("name") != name]
        operation["parameters"] = kept
        for content in operation.get("requestBody", {}).get("content", {}).values():
            if name == "url" and ref("UrlForm") in content["schema"].get("oneOf", ()):
                content["schema"] = ref("SourceForm")
    schemas = whole["components"]["schemas"]
    if name == "url":
        del schemas["UrlForm"]
    for form in FORMS.keys() & schemas.keys():
        schemas[form]["properties"].pop(name, None)


def _with_presets(part: Any, names: list[str]) -> Any:
    """Return a copy in which the schema of `preset` lists the names that this server knows."""
    if isinstance(part, dict):
        if part.get("pattern") == PRESET.schema["pattern"]:
            kept = {key: value for key, value in part.items() if key not in ("pattern", "examples")}
            return {**kept, "enum": names}
        return {key: _with_presets(value, names) for key, value in part.items()}
    return [_with_presets(one, names) for one in part] if isinstance(part, list | tuple) else part


def _document(calls: list[Call], settings: Settings) -> dict[str, Any]:
    return {
        "openapi": "3.1.1",
        "info": {
            "title": "cropsvc",
            "version": __version__,
            "summary": "A crop service with a job API.",
            "description": INTRODUCTION,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": name, "description": words} for name, words in TAGS.items()],
        "paths": _paths(calls, settings),
        "components": {
            "schemas": components(),
            "headers": HEADERS,
            "securitySchemes": {
                "key": {"type": "http", "scheme": "bearer", "description": "An API key."},
                "cookie": {"type": "apiKey", "in": "cookie", "name": COOKIE},
            },
        },
        "x-limits": {words: getattr(settings, name) for words, name in LIMITS},
    }


def _paths(calls: list[Call], settings: Settings) -> dict[str, dict[str, Any]]:
    paths: dict[str, dict[str, Any]] = {}
    for call in calls:
        paths.setdefault(call.path, {})[call.method] = _operation(call, settings)
    return paths


def _operation(call: Call, settings: Settings) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": call.id,
        "tags": [call.tag],
        "summary": call.summary,
        "description": call.description,
        "parameters": [*path_parameters(call.path), *call.parameters],
        "responses": {
            **problems(_errors(call, settings), as_page=call.page),
            **{str(answer.status): answer.document() for answer in call.answers},
        },
        "security": _security(call, settings),
    }
    if call.body:
        operation["requestBody"] = call.body
    if call.example:
        key = KEY_HEADER if _needs_key(call, settings) else ""
        operation["x-curl"] = call.example.replace("{key}", key)
    operation["x-errors"] = [kind.code for kind in _errors(call, settings)]
    operation["responses"] = dict(sorted(operation["responses"].items()))
    return operation


def _errors(call: Call, settings: Settings) -> list[type[errors.CropError]]:
    kinds = [k for k in call.errors if k is not errors.RateLimited or settings.rate_limit]
    if call.owned:
        kinds += [errors.Unavailable, errors.OutOfScope]
    if _needs_key(call, settings) or TOKEN in call.parameters:
        kinds.append(errors.Unauthorized)
    return [*kinds, errors.Internal]


def _needs_key(call: Call, settings: Settings) -> bool:
    return call.owned and bool(settings.api_keys)


def _security(call: Call, settings: Settings) -> list[dict[str, list[str]]]:
    if not call.owned:
        return []
    if settings.api_keys:
        return [{"key": []}, {"cookie": []}]
    return [{}, {"key": []}]
