"""Where Phonic is and how a client shows who it is: base URL, API key, the socket's URL and its headers."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlencode, urlsplit, urlunsplit

from livekit.agents.types import NotGivenOr
from livekit.agents.utils import is_given
from phonic.core.client_wrapper import BaseClientWrapper
from phonic.environment import PhonicEnvironment

from rtfsm import __version__

if TYPE_CHECKING:
    from .options import Options

API_KEY_VARIABLE = "PHONIC_API_KEY"
BASE_URL_VARIABLE = "PHONIC_BASE_URL"
SOCKET_PATH = "/v1/sts/ws"
"""Path of the conversation socket under a base URL (Phonic SDK 0.32)."""

_SOCKET_SCHEME = {"ws": "ws", "wss": "wss", "http": "ws", "https": "wss"}


def resolve_api_key(given: NotGivenOr[str | None]) -> str:
    """The key that was given or else PHONIC_API_KEY, without white space around it.

    Raises ValueError when there is none, or when it holds characters that no HTTP header can carry. The message never
    shows the key.
    """
    # White space at its end is what a key read from a file brings along; a header refuses it.
    key = (_text("api_key", given) or os.environ.get(API_KEY_VARIABLE, "")).strip()
    if not key:
        raise ValueError(
            f"Phonic needs an API key: pass api_key=... or set the environment variable {API_KEY_VARIABLE}"
        )
    if not key.isascii() or not key.isprintable() or " " in key:
        raise ValueError(f"api_key (or {API_KEY_VARIABLE}) holds characters that no API key has, such as white space")
    return key


def resolve_base_url(given: NotGivenOr[str | None]) -> str:
    """The ws:// or wss:// URL under which Phonic's socket lies: the one given, else PHONIC_BASE_URL, else the SDK's.

    http(s) becomes ws(s). A slash or the API's "/v1" at the end is dropped, so that the base URL of the REST API names
    the same server. Raises ValueError for any other scheme, for a URL without a host, and for one with a query, a
    fragment or credentials, which do not belong into it and are not shown.
    """
    sources = {
        "base_url": _text("base_url", given),
        BASE_URL_VARIABLE: os.environ.get(BASE_URL_VARIABLE, ""),
        "the SDK's base URL": PhonicEnvironment.DEFAULT.production,
    }
    source, url = next((source, url) for source, url in sources.items() if url)
    parts = _split(source, url.strip())
    path = parts.path.rstrip("/").removesuffix("/v1").rstrip("/")
    return urlunsplit((_SOCKET_SCHEME[parts.scheme], parts.netloc, path, "", ""))


def _text(name: str, given: NotGivenOr[str | None]) -> str:
    """The string, or an empty one if none is given: os.getenv() has None for a variable that is not set."""
    if not is_given(given) or given is None:
        return ""
    if not isinstance(given, str):
        raise ValueError(f"{name} must be a string, not a value of type {type(given).__name__}")
    return given


def _split(source: str, url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname, parts.port
    except ValueError:
        raise ValueError(f"{source} is no URL that can be read; {_EXAMPLE}") from None
    if parts.scheme not in _SOCKET_SCHEME:
        scheme = f"the scheme {parts.scheme!r}" if "://" in url else "no scheme"
        raise ValueError(f"{source} has {scheme}, but must begin with ws://, wss://, http:// or https://; {_EXAMPLE}")
    if any(character.isspace() for character in url):
        raise ValueError(f"{source} holds white space; {_EXAMPLE}")
    if not host:
        raise ValueError(f"{source} names no host; {_EXAMPLE}")
    if "@" in parts.netloc:
        raise ValueError(f"{source} must not hold a user or password; the API key goes into api_key")
    if parts.query or parts.fragment:
        raise ValueError(f"{source} must end with its path, without '?' or '#'; {_EXAMPLE}")
    return parts


_EXAMPLE = "an example is wss://api.phonic.ai"


def websocket_url(options: Options, resumes: str | None = None) -> str:
    """The URL of the conversation socket. resumes: id of a conversation whose connection was lost, to go on with it
    (Phonic SDK 0.32; Phonic keeps it for 30 s)."""
    query = "" if resumes is None else "?" + urlencode({"reconnect_conv_id": resumes})
    return options.base_url + SOCKET_PATH + query


class Headers(dict[str, str]):
    """HTTP headers whose repr hides the credential."""

    def __repr__(self) -> str:
        return repr({name: "***" if name.lower() == "authorization" else value for name, value in self.items()})


def headers(options: Options) -> Headers:
    """What the handshake says: the SDK's own headers, the key as a bearer token, and this package as the client.

    They hold a User-Agent, so a WebSocket library should add none of its own.
    """
    client = {"x-phonic-client": f"rtfsm/{__version__}"}
    sdk = BaseClientWrapper(api_key=options.api_key, headers=client, environment=PhonicEnvironment.DEFAULT)
    return Headers(sdk.get_headers())
