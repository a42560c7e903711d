"""The page's languages: one file of texts for each, chosen by `Accept-Language`.

Answers of the API, and the details of its errors, are in English whatever is asked for.
"""

import json
from collections.abc import Mapping
from functools import cache, partial
from pathlib import Path
from typing import cast

from flask import Flask, Response, g, request
from werkzeug.datastructures import LanguageAccept

LANGUAGES = ("en", "de", "fr", "es", "ja")
FOLDER = Path(__file__).parent / "languages"
OF_TEMPLATES = "page."  # keys with this prefix are not sent to the page's scripts


def install(app: Flask) -> None:
    """Give *app*'s templates `lang`, `t` and `script_texts`, and mark pages with their language."""
    app.context_processor(_for_templates)
    app.after_request(_mark)


@cache
def texts(language: str) -> Mapping[str, str]:
    """Return all texts of a language by their keys."""
    file = FOLDER / f"{language}.json"
    return cast(Mapping[str, str], json.loads(file.read_text(encoding="utf-8")))


def text(language: str, key: str, **values: object) -> str:
    """Return one text with its placeholders filled."""
    return texts(language)[key].format_map(values)


def best(accepted: LanguageAccept) -> str:
    """Return the language of the page for what a browser accepts; English without a match."""
    return accepted.best_match(LANGUAGES, default="en")


def _for_templates() -> dict[str, object]:
    language = _chosen()
    return {
        "lang": language,
        "t": partial(text, language),
        "script_texts": partial(_of_scripts, language),
    }


def _chosen() -> str:
    if request.blueprint == "docs":
        return "en"
    g.language = best(request.accept_languages)
    return str(g.language)


@cache
def _of_scripts(language: str) -> dict[str, str]:
    found = texts(language).items()
    return {key: value for key, value in found if not key.startswith(OF_TEMPLATES)}


def _mark(response: Response) -> Response:
    if "language" in g:
        response.vary.add("Accept-Language")
        response.headers["Content-Language"] = g.language
    return response
