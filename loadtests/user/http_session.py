"""The HTTP requests of one user to the host of the run: their bodies, cookies, redirects and checks.

Rule: redirects are followed within the scheme, host and port of the run only. One that leads elsewhere is a failure:
no request, cookie or header goes to a server that nobody has named.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
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
MAX_TIMEOUT = 3600.0  # seconds
CHECK_FAILED = "check failed: "  # prefix of the reason of a response that its journey's own check refuses
DATA_ERRORS = (LookupError, TypeError, ValueError)  # what a check raises for a body with other content
REDIRECTS = frozenset({301, 302, 303, 307, 308})
KEEPS_METHOD = frozenset({307, 308})
TARGET = re.compile(r"/[!-~]*")
CONTENT_HEADERS = frozenset({"content-type", "content-encoding", "content-language", "content-location"})


@dataclass(slots=True, eq=False)
class HttpCall:
    """A request with all that is needed to judge its response, and to send it elsewhere after a redirect.

    redirects: how many may still follow.
    """

    session: HttpSession
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

    def request(self) -> Request:
        """The request with the cookies that the user has now."""
        session, method = self.session, self.method
        head = f"{method} {self.target} HTTP/1.1\r\nHost: {session.authority}\r\n"
        for key, value in self.headers.items():
            head += f"{key}: {value}\r\n"
        if session.cookies and (cookies := session.cookies.header_value(self.target)):
            head += f"Cookie: {cookies}\r\n"
        if self.body or method not in METHODS_WITHOUT_BODY:
            head += f"Content-Length: {len(self.body)}\r\n"
        name = f"{self.name} (redirect)" if self.is_redirected else self.name
        samples = session.recorder.samples_of(name, "http", self.tags)
        payload = f"{head}\r\n".encode("latin-1") + self.body
        request = ChainedRequest(samples, payload, session.address, self.validate, self.timeout_ns, method == "HEAD")
        request.follow_up = self.follow_up
        return request

    def validate(self, request: Request, response: Response) -> str | None:
        """Keep the cookies, and return why the response is not good; None if it is, or a redirect to be followed."""
        self.session.cookies.store(response.headers, self.target)
        if self.is_redirect(response):
            return self._redirect_error(response)
        if self.validator is not None:
            error = self.validator(request, response)
        else:
            error = status_error(response.status) if response.status >= HTTPStatus.BAD_REQUEST else None
        return error or failed_check(self.checks, response)

    def is_redirect(self, response: Response) -> bool:
        """Whether the response is a redirect that the journey wants to be followed."""
        has_budget = self.redirects > 0 or self.is_redirected
        return response.status in REDIRECTS and has_budget and response.header(b"location") is not None

    def _redirect_error(self, response: Response) -> str | None:
        if not self.redirects:
            return "too many redirects"
        try:
            url = self._location(response)
            origin = Origin.of(url)
        except ValueError:
            return "redirect to something that is no URL"
        if "@" in urlsplit(url).netloc or origin != Origin.of(self.session.url):
            return f"redirect to another server, not followed: {origin.scheme}://{origin.host}:{origin.port}"
        return None

    def follow_up(self, response: Response) -> Request | None:
        """The request to the place that a redirect names; None after any other response."""
        if response.error is not None or not self.is_redirect(response):
            return None
        parts = urlsplit(self._location(response))
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        following = replace(self, target=target, redirects=self.redirects - 1, is_redirected=True)
        if response.status not in KEEPS_METHOD and self.method not in ("GET", "HEAD"):
            headers = {key: value for key, value in self.headers.items() if key.lower() not in CONTENT_HEADERS}
            following = replace(following, method="GET", body=b"", headers=headers)
        return following.request()

    def _location(self, response: Response) -> str:
        """The absolute URL in the Location header, with other bytes than ASCII encoded. Raises ValueError."""
        location = quote(response.header(b"location") or b"", safe=TARGET_CHARACTERS)
        return urljoin(f"{self.session.url}{self.target}", location)


class HttpSession:
    """What one user sends to `address`; its cookies last as long as the user."""

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
        if not TARGET.fullmatch(path):
            raise ValueError(f"expected a path that begins with / and is percent-encoded, got {path!r:.80}")
        if not TOKEN.fullmatch(method):
            raise ValueError(f"expected a method such as GET, got {method!r:.80}")
        if not 0 < timeout <= MAX_TIMEOUT:
            raise ValueError(f"timeout: expected seconds, more than 0 and at most {MAX_TIMEOUT:g}, got {timeout!r}")
        fields = dict(headers) if headers else {}
        for key, value in fields.items():
            if not TOKEN.fullmatch(key) or not FIELD_VALUE.fullmatch(value):
                raise ValueError(f"expected a header that HTTP can carry, got {key!r:.80}")
        content = b""
        if body or json is not None or form is not None or files is not None:
            content, media_type = encode_body(body, json, form, files)
            if media_type and "content-type" not in {key.lower() for key in fields}:
                fields["Content-Type"] = media_type
        label = name or f"{method} {path.partition('?')[0]}"
        timeout_ns = int(timeout * SECOND)
        return HttpCall(
            self, method, path, fields, content, label, tags, timeout_ns, redirects, False, validator, checks or {}
        ).request()


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
