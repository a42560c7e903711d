"""Whose request it is: an API key in the header, or the cookie that the page got for one."""

import hashlib
from collections.abc import Iterable
from datetime import timedelta

from flask import Blueprint, Response, g, redirect, request
from itsdangerous import BadSignature, URLSafeSerializer
from werkzeug.wrappers import Response as BaseResponse

from cropsvc.model.errors import Unauthorized
from cropsvc.settings.settings import ApiKey
from cropsvc.web.services import services

OPEN = "-"  # the owner of everything while no keys are set
COOKIE = "cropsvc_key"
COOKIE_LIFE = timedelta(days=30)

bp = Blueprint("owner", __name__)


def owners_of(keys: Iterable[ApiKey]) -> tuple[str, ...]:
    """Return who shares the queue, each once: while a key is rotated, its owner has two."""
    return tuple(dict.fromkeys(key.name for key in keys)) or (OPEN,)


def current_owner() -> str:
    """Return the owner of this request. Raises Unauthorized."""
    if "owner" not in g:
        g.owner = _owner()
    return str(g.owner)


@bp.post("/login")
def login() -> BaseResponse:
    """Keep the key that the page asked for in a cookie. Raises Unauthorized."""
    key = _key_of(request.form.get("key", ""))
    response = redirect("/", code=303)
    response.set_cookie(
        COOKIE,
        _cookies().dumps([key.name, key.sha256]),
        max_age=COOKIE_LIFE,
        httponly=True,
        samesite="Strict",
        secure=request.is_secure,
    )
    return response


@bp.post("/logout")
def logout() -> BaseResponse:
    """Forget the key again."""
    response: Response = redirect("/", code=303)  # type: ignore[assignment]  # Flask's is one
    response.delete_cookie(COOKIE)
    return response


def _owner() -> str:
    if not services().settings.api_keys:
        return OPEN
    header = request.headers.get("Authorization")
    if header is not None:
        scheme, _, key = header.partition(" ")
        if scheme.lower() != "bearer":
            raise Unauthorized("the Authorization header must be `Bearer` and an API key")
        return _key_of(key.strip()).name
    return _from_cookie(request.cookies.get(COOKIE, ""))


def _from_cookie(cookie: str) -> str:
    try:
        name, digest = _cookies().loads(cookie)
    except (BadSignature, ValueError):
        raise Unauthorized("an API key is needed: `Authorization: Bearer <key>`") from None
    for key in services().settings.api_keys:
        if key.name == name and key.matches(digest):
            return key.name
    raise Unauthorized("the API key of this browser is no longer valid")


def _key_of(key: str) -> ApiKey:
    digest = hashlib.sha256(key.encode()).hexdigest()
    matching = [known for known in services().settings.api_keys if known.matches(digest)]
    if not matching:
        raise Unauthorized("the API key is not known here")
    return matching[0]


def _cookies() -> URLSafeSerializer:
    oldest_first = services().store.secrets()[::-1]  # the last one signs
    return URLSafeSerializer(oldest_first, salt=COOKIE)
