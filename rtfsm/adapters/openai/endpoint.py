"""Where the server is and how a client shows who it is: the socket's URL and its headers."""

from __future__ import annotations

import os
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit, urlunsplit

from livekit.agents.types import NotGivenOr
from livekit.agents.utils import is_given

from rtfsm import __version__

from .options import Options

__all__ = ["Headers", "headers", "is_trusted", "resolve_base_url", "resolve_key", "websocket_url"]

BASE_URL = "https://api.openai.com/v1"
_SOCKET_SCHEME = {"ws": "ws", "wss": "wss", "http": "ws", "https": "wss"}
_OWN_HOSTS = (".openai.com", ".azure.com", ".azure.us", ".azure.cn")


def resolve_key(given: str | None, *, azure: bool) -> str | None:
    """The key that was given or else OPENAI_API_KEY. Raises ValueError where there is none and Azure's token cannot be
    in its place; the message never shows the key."""
    key = (given or os.environ.get("OPENAI_API_KEY", "")).strip() or None
    if key is None and not azure:
        raise ValueError("OpenAI needs an API key: pass api_key=... or set the environment variable OPENAI_API_KEY")
    if key is not None and (not key.isascii() or not key.isprintable() or " " in key):
        raise ValueError("api_key (or OPENAI_API_KEY) holds characters that no API key has, such as white space")
    return key


def resolve_base_url(given: NotGivenOr[str | None], *, azure: bool) -> str:
    """The base URL that was given, or else the one of the environment, or else OpenAI's.

    Raises ValueError for one that is no http(s) or ws(s) URL, and where Azure's is nowhere to be found.
    """
    if is_given(given) and given:
        return _checked("base_url", given)
    if azure:
        endpoint = os.environ.get("AZURE_OPENAI_ENDPOINT", "")
        if not endpoint:
            raise ValueError("Azure needs an endpoint: pass base_url=... or set AZURE_OPENAI_ENDPOINT")
        return _checked("AZURE_OPENAI_ENDPOINT", f"{endpoint.rstrip('/')}/openai")
    return _checked("OPENAI_BASE_URL", os.environ.get("OPENAI_BASE_URL") or BASE_URL)


def _checked(source: str, url: str) -> str:
    url = url.strip()
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname, parts.port
    except ValueError:
        raise ValueError(f"{source} is no URL that can be read; an example is {BASE_URL}") from None
    if parts.scheme not in _SOCKET_SCHEME or not host or any(character.isspace() for character in url):
        raise ValueError(f"{source} must begin with https://, http://, wss:// or ws:// and name a host")
    if "@" in parts.netloc:
        raise ValueError(f"{source} must not hold a user or password; the API key goes into api_key")
    return url


def is_trusted(options: Options) -> bool:
    """Whether the server is OpenAI's or Azure's own, whose word on the status of an item is to be believed."""
    host = "." + (urlsplit(options.base_url).hostname or "")
    return host.endswith(_OWN_HOSTS)


def websocket_url(options: Options) -> str:
    """The URL of the socket. A base URL with a path of its own names the socket itself; its query is kept."""
    parts = urlsplit(options.base_url)
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    if options.azure:
        query.pop("api-version", None)
        if options.api_version is not None:
            query.update({"api-version": options.api_version, "deployment": options.azure_deployment or ""})
        elif options.azure_deployment:
            query.setdefault("model", options.azure_deployment)
    else:
        query.setdefault("model", options.model)
    return urlunsplit((_SOCKET_SCHEME[parts.scheme], parts.netloc, _path(parts, options), urlencode(query), ""))


def _path(parts: SplitResult, options: Options) -> str:
    path = parts.path.rstrip("/")
    if not options.azure:
        return f"{path}/realtime" if path in ("", "/v1", "/openai", "/openai/v1") else parts.path
    if path in ("", "/openai"):
        return f"{path}/realtime" if options.api_version is not None else f"{path}/v1/realtime"
    return f"{path}/realtime" if path == "/openai/v1" else parts.path


class Headers(dict[str, str]):
    """HTTP headers whose repr hides the credentials."""

    def __repr__(self) -> str:
        shown = ("user-agent",)
        return repr({name: value if name.lower() in shown else "***" for name, value in self.items()})


def headers(options: Options) -> Headers:
    """What the handshake says."""
    said = Headers({"User-Agent": f"rtfsm/{__version__}"})
    if not options.azure:
        said["Authorization"] = f"Bearer {options.api_key}"
        return said
    if options.entra_token:
        said["Authorization"] = f"Bearer {options.entra_token}"
    if options.api_key:
        said["api-key"] = options.api_key
    return said
