"""Keeps the cookies that one host has set for one user, and writes them into its requests (RFC 6265).

Rule: cookies are kept in memory only, never written anywhere, and sent to the host that set them.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from email.utils import mktime_tz, parsedate_tz
from typing import NamedTuple

from fixtures.http1.response_head import Headers

MAX_COOKIES = 180  # of one host; the oldest is dropped for another one
MAX_SIZE = 4096  # characters of name and value; a longer cookie is ignored
ENDLESS = float("inf")


class Cookie(NamedTuple):
    """A cookie. expires: seconds since the epoch, `ENDLESS` for as long as the user lives."""

    name: str
    value: str
    path: str
    is_secure: bool
    expires: float


class CookieJar:
    """The cookies of one user at one host; is_encrypted: whether its requests travel by TLS."""

    __slots__ = ("_cookies", "_host", "_is_encrypted")

    def __init__(self, host: str, is_encrypted: bool) -> None:
        self._host = host.lower()
        self._is_encrypted = is_encrypted
        self._cookies: dict[tuple[str, str], Cookie] = {}

    def __iter__(self) -> Iterator[Cookie]:
        return iter(self._cookies.values())

    def __bool__(self) -> bool:
        return bool(self._cookies)

    def clear(self) -> None:
        """Forget all cookies, as a visitor does who comes for the first time."""
        self._cookies.clear()

    def store(self, headers: Headers, target: str) -> None:
        """Keep what the response to a request for that target (path and query) sets; malformed cookies are ignored."""
        for name, value in headers:
            if name == b"set-cookie":
                self._store_cookie(value.decode("utf-8", "replace"), target)

    def header_value(self, target: str) -> str:
        """The value of the Cookie header of a request for that target, "" without cookies; longer paths come first."""
        path, now = target.partition("?")[0], time.time()
        for key in [key for key, cookie in self._cookies.items() if cookie.expires <= now]:
            del self._cookies[key]
        matching = [
            cookie
            for cookie in self._cookies.values()
            if _path_matches(path, cookie.path) and (self._is_encrypted or not cookie.is_secure)
        ]
        matching.sort(key=lambda cookie: -len(cookie.path))
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in matching)

    def _store_cookie(self, text: str, target: str) -> None:
        pair, *parts = text.split(";")
        name, equals, value = (part.strip() for part in pair.partition("="))
        if not equals or not name or len(name) + len(value) > MAX_SIZE or not _is_printable(name + value):
            return
        attributes = {
            key.strip().lower(): content.strip() for key, _, content in (part.partition("=") for part in parts)
        }
        domain = attributes.get("domain", "").removeprefix(".").lower()
        if domain and self._host != domain and not self._host.endswith(f".{domain}"):
            return
        path = attributes.get("path", "")
        path = path if path.startswith("/") else _default_path(target)
        cookie = Cookie(name, value, path, "secure" in attributes, _expiry(attributes))
        self._cookies.pop((name, path), None)
        if cookie.expires <= time.time():
            return
        if len(self._cookies) >= MAX_COOKIES:
            del self._cookies[next(iter(self._cookies))]
        self._cookies[name, path] = cookie


def _is_printable(text: str) -> bool:
    """Whether a header can carry it: a control character could begin another header."""
    return text.isprintable() and text.isascii()


def _expiry(attributes: dict[str, str]) -> float:
    """When the cookie expires; Max-Age is stronger than Expires (section 5.3)."""
    age = attributes.get("max-age", "")
    if age.removeprefix("-").isdecimal() and age.isascii():
        return time.time() + int(age[:12])
    try:
        moment = parsedate_tz(attributes.get("expires", ""))
        return ENDLESS if moment is None else float(mktime_tz(moment))
    except (ValueError, OverflowError):  # no day of any calendar
        return ENDLESS


def _default_path(target: str) -> str:
    """The directory of the request's path (section 5.1.4)."""
    return target.partition("?")[0].rpartition("/")[0] or "/"


def _path_matches(path: str, of_cookie: str) -> bool:
    """Whether a cookie of that path is sent with a request for `path` (section 5.1.4)."""
    return path == of_cookie or (
        path.startswith(of_cookie) and (of_cookie.endswith("/") or path[len(of_cookie)] == "/")
    )
