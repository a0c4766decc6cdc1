"""The HTTP requests of one user to the host of the run: their bodies, cookies, redirects and checks.

Rule: redirects are followed within the scheme, host and port of the run only. One that leads elsewhere is a failure:
no request, cookie or header goes to a server that nobody has named.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

from fixtures.http1.request_writer import FIELD_VALUE, METHODS_WITHOUT_BODY, TARGET_CHARACTERS, TOKEN
from fixtures.origins import Origin
from loadtests.engine.connection import status_error
from loadtests.engine.exchange_types import (
    ENCRYPTED,
    SECOND,
    Address,
    ChainedRequest,
    Request,
    Response,
    Validator,
)
from loadtests.engine.recorder import Recorder
from loadtests.user.cookie_jar import CookieJar
from loadtests.user.request_body import Fields, File, encode_body

Check = Callable[[Response], object]
Checks = Mapping[str, Check]

MAX_REDIRECTS = 10
MAX_PLAIN_CALLS = 1024  # that a process keeps
REDIRECTED = " (redirect)"
MAX_TIMEOUT = 3600.0  # seconds
CHECK_FAILED = "check failed: "  # prefix of the reason of a response that its journey's own check refuses
DATA_ERRORS = (LookupError, TypeError, ValueError)  # what a check raises for a body with other content
REDIRECTS = frozenset({301, 302, 303, 307, 308})
KEEPS_METHOD = frozenset({307, 308})
TARGET = re.compile(r"/[!-~]*")
CONTENT_HEADERS = frozenset({"content-type", "content-encoding", "content-language", "content-location"})


@dataclass(slots=True, eq=False)
class HttpCall:
    """What is sent to `authority`, and all that is needed to judge a response and to follow a redirect.

    redirects: how many may still follow. payload: all bytes but a user's cookies, whose place is `cookies_at`.
    """

    authority: str
    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes
    name: str
    tags: tuple[str, ...]
    timeout_ns: int
    redirects: int
    is_redirected: bool
    validator: Validator | None
    checks: Checks
    payload: bytes = field(init=False)
    cookies_at: int = field(init=False)

    def __post_init__(self) -> None:
        head = f"{self.method} {self.target} HTTP/1.1\r\nHost: {self.authority}\r\n"
        for key, value in self.headers.items():
            head += f"{key}: {value}\r\n"
        self.cookies_at = len(head)
        if self.body or self.method not in METHODS_WITHOUT_BODY:
            head += f"Content-Length: {len(self.body)}\r\n"
        self.payload = f"{head}\r\n".encode("latin-1") + self.body
        if self.is_redirected:
            self.name = f"{self.name.removesuffix(REDIRECTED)}{REDIRECTED}"

    def is_redirect(self, response: Response) -> bool:
        """Whether a response with a status of `REDIRECTS` is a redirect that the journey wants to be followed."""
        has_budget = self.redirects > 0 or self.is_redirected
        return has_budget and response.header(b"location") is not None

    def redirect_error(self, response: Response, base: str) -> str | None:
        """Why the redirect is not followed from a server at that URL; None if it is."""
        if not self.redirects:
            return "too many redirects"
        try:
            url = self.location(response, base)
            origin = Origin.of(url)
        except ValueError:
            return "redirect to something that is no URL"
        if "@" in urlsplit(url).netloc or origin != Origin.of(base):
            return f"redirect to another server, not followed: {origin.scheme}://{origin.host}:{origin.port}"
        return None

    def redirected(self, response: Response, base: str) -> HttpCall:
        """The call of the place that this redirect of a server at that URL names."""
        parts = urlsplit(self.location(response, base))
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        following = replace(self, target=target, redirects=self.redirects - 1, is_redirected=True)
        if response.status not in KEEPS_METHOD and self.method not in ("GET", "HEAD"):
            headers = {key: value for key, value in self.headers.items() if key.lower() not in CONTENT_HEADERS}
            following = replace(following, method="GET", body=b"", headers=headers)
        return following

    def location(self, response: Response, base: str) -> str:
        """The absolute URL in the Location header, with other bytes than ASCII encoded. Raises ValueError."""
        location = quote(response.header(b"location") or b"", safe=TARGET_CHARACTERS)
        return urljoin(f"{base}{self.target}", location)


class HttpRequest(ChainedRequest):
    """A call by one user, with the cookies that the user had when it was made."""

    __slots__ = ("call", "session")

    def __init__(self, session: HttpSession, call: HttpCall) -> None:
        self.session = session
        self.call = call
        self.samples = session.recorder.samples_of(call.name, "http", call.tags)
        self.payload = call.payload
        if session.cookies and (cookies := session.cookies.header_value(call.target)):
            field_line = f"Cookie: {cookies}\r\n".encode("latin-1")
            self.payload = call.payload[: call.cookies_at] + field_line + call.payload[call.cookies_at :]
        self.address = session.address
        self.validator = validate_response
        self.timeout_ns = call.timeout_ns
        self.is_head = call.method == "HEAD"
        self.rpc_name = ""

    def follow_up(self, response: Response) -> Request | None:
        """The request to the place that a redirect names; None after any other response."""
        if response.status not in REDIRECTS or response.error is not None or not self.call.is_redirect(response):
            return None
        return HttpRequest(self.session, self.call.redirected(response, self.session.url))


def validate_response(request: Request, response: Response) -> str | None:
    """Keep the cookies, and return why the response is not good; None if it is, or a redirect to be followed."""
    assert isinstance(request, HttpRequest)
    call, session = request.call, request.session
    session.cookies.store(response.headers, call.target)
    if response.status in REDIRECTS and call.is_redirect(response):
        return call.redirect_error(response, session.url)
    if call.validator is not None:
        error = call.validator(request, response)
    else:
        error = status_error(response.status) if response.status >= HTTPStatus.BAD_REQUEST else None
    return error or (failed_check(call.checks, response) if call.checks else None)


class HttpSession:
    """What one user sends to `address`; its cookies last as long as the user."""

    __slots__ = ("address", "authority", "cookies", "recorder", "url")

    def __init__(self, address: Address, recorder: Recorder) -> None:
        self.address = address
        self.recorder = recorder
        self.cookies = CookieJar(address.host, address.scheme in ENCRYPTED)
        self.authority = address.authority
        self.url = f"{address.scheme}://{self.authority}"

    def request(
        self,
        method: str,
        path: str,
        *,
        name: str | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        json: Any = None,
        form: Fields | None = None,
        files: Mapping[str, File] | None = None,
        timeout: float = 30.0,
        tags: tuple[str, ...] = (),
        redirects: int = MAX_REDIRECTS,
        checks: Checks | None = None,
        validator: Validator | None = None,
    ) -> Request:
        """The request, as `JourneyUser.request` describes it. Raises ValueError or TypeError for what is none."""
        has_content = body or json is not None or form is not None or files is not None
        if not has_content and headers is None and checks is None and validator is None:
            return HttpRequest(self, _plain_call(self.authority, method, path, name, timeout, tags, redirects))
        _require_line(method, path, timeout)
        fields = dict(headers) if headers else {}
        for key, value in fields.items():
            if not TOKEN.fullmatch(key) or not FIELD_VALUE.fullmatch(value):
                raise ValueError(f"expected a header that HTTP can carry, got {key!r:.80}")
        content = b""
        if has_content:
            content, media_type = encode_body(body, json, form, files)
            if media_type and "content-type" not in {key.lower() for key in fields}:
                fields["Content-Type"] = media_type
        call = HttpCall(
            self.authority, method, path, fields, content, name or _label(method, path), tags, int(timeout * SECOND),
            redirects, False, validator, checks or {},
        )  # fmt: skip
        return HttpRequest(self, call)


@lru_cache(MAX_PLAIN_CALLS)
def _plain_call(
    authority: str, method: str, path: str, name: str | None, timeout: float, tags: tuple[str, ...], redirects: int
) -> HttpCall:
    """The call without headers, body and checks, which all users share."""
    _require_line(method, path, timeout)
    label, timeout_ns = name or _label(method, path), int(timeout * SECOND)
    return HttpCall(authority, method, path, {}, b"", label, tags, timeout_ns, redirects, False, None, {})


def _label(method: str, path: str) -> str:
    return f"{method} {path.partition('?')[0]}"


def _require_line(method: str, path: str, timeout: float) -> None:
    """Raises ValueError for a method, path or time-out that no request can have."""
    if not TARGET.fullmatch(path):
        raise ValueError(f"expected a path that begins with / and is percent-encoded, got {path!r:.80}")
    if not TOKEN.fullmatch(method):
        raise ValueError(f"expected a method such as GET, got {method!r:.80}")
    if not 0 < timeout <= MAX_TIMEOUT:
        raise ValueError(f"timeout: expected seconds, more than 0 and at most {MAX_TIMEOUT:g}, got {timeout!r}")


def failed_check(checks: Checks, response: Response) -> str | None:
    """The reason for the first check that does not hold, or that the body has no data for; None if all hold."""
    for name, check in checks.items():
        try:
            if check(response):
                continue
        except DATA_ERRORS as error:
            return f"{CHECK_FAILED}{name} ({type(error).__name__})"
        return f"{CHECK_FAILED}{name}"
    return None
