"""Whose request it is: an API key or a token in the header, a token in the query, or the cookie."""

import hashlib
from collections.abc import Iterable
from datetime import timedelta

from flask import Blueprint, Response, g, redirect, request
from itsdangerous import BadSignature, URLSafeSerializer
from werkzeug.wrappers import Response as BaseResponse

from cropsvc.model.errors import BadParameter, FieldError, Unauthorized
from cropsvc.settings.settings import ApiKey
from cropsvc.web.request_body import read_form
from cropsvc.web.services import services
from cropsvc.web.tokens import IN_QUERY, PREFIX, Token, unseal

OPEN = "-"  # the owner of everything while no keys are set
COOKIE = "cropsvc_key"
COOKIE_LIFE = timedelta(days=30)

bp = Blueprint("owner", __name__)


def owners_of(keys: Iterable[ApiKey]) -> tuple[str, ...]:
    """Return who shares the queue, each once: while a key is rotated, its owner has two."""
    return tuple(dict.fromkeys(key.name for key in keys)) or (OPEN,)


def current_owner() -> str:
    """Return the owner of this request. Raises Unauthorized, and OutOfScope for a token."""
    return current_key()[0]


def current_key() -> tuple[str, str]:
    """Return the owner, and the SHA-256 of the API key used, also of a token's; "" without keys.

    Raises what `current_owner` raises.
    """
    if "key" not in g:
        g.key = _from_token(text) if (text := _token_text()) else _owner_and_key()
        g.owner = g.key[0]
    owner, key = g.key
    return owner, key


def current_token() -> Token | None:
    """Return the token that this request came with. Raises Unauthorized, OutOfScope."""
    current_key()
    token: Token | None = g.get("token")
    return token


@bp.post("/login")
def login() -> BaseResponse:
    """Keep the key that the page asked for in a cookie. Raises Unauthorized."""
    key = _key_of(read_form().get("key", ""))
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


def _token_text() -> str | None:
    """Return the token of the header, else of the query, where a browser cannot send a header."""
    scheme, _, text = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer" and text.strip().startswith(PREFIX):
        return text.strip()
    if (scheme and services().settings.api_keys) or request.endpoint not in IN_QUERY:
        return None
    given = request.args.getlist("token")
    if len(given) > 1:
        raise BadParameter.of(FieldError("token", "was given more than once"))
    if given and not given[0]:
        raise Unauthorized("the token is empty")
    return given[0] if given else None


def _from_token(text: str) -> tuple[str, str]:
    keys = [(key.name, key.sha256) for key in services().settings.api_keys] or [(OPEN, "")]
    token, key = unseal(text, keys, services().store.secrets())
    token.check(request.endpoint or "", (request.view_args or {}).get("job_id"))
    g.token = token
    return token.owner, key


def _owner_and_key() -> tuple[str, str]:
    if not services().settings.api_keys:
        return OPEN, ""
    header = request.headers.get("Authorization")
    if header is not None:
        scheme, _, key = header.partition(" ")
        if scheme.lower() != "bearer":
            raise Unauthorized("the Authorization header must be `Bearer` and an API key")
        known = _key_of(key.strip())
        return known.name, known.sha256
    return _from_cookie(request.cookies.get(COOKIE, ""))


def _from_cookie(cookie: str) -> tuple[str, str]:
    try:
        name, digest = _cookies().loads(cookie)
    except (BadSignature, ValueError):
        raise Unauthorized("an API key is needed: `Authorization: Bearer <key>`") from None
    for key in services().settings.api_keys:
        if key.name == name and key.matches(digest):
            return key.name, key.sha256
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
