"""Other ways to send the same request: how its path, headers and query may be written, and what is added to it.

Rule: a way changes neither the credentials nor the values of a request. A server may know it, or refuse it as unknown.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from contracts.exchange import Request
from contracts.openapi import Contract
from contracts.operation import TEMPLATE_EXPRESSION, Operation
from fixtures.cases import Case

WRONG_TOKEN = "no-such-token"
OVERRIDE_HEADERS = ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override")
PROXY_HEADERS = {"X-Forwarded-For": "127.0.0.1", "X-Real-IP": "127.0.0.1"}
OTHER_TOKEN_HEADERS = ("X-Api-Key", "X-Auth-Token", "X-Access-Token")
OTHER_TOKEN_PARAMETERS = ("access_token", "api_key", "key")


@dataclass(frozen=True)
class Way:
    """One way: `path` changes the path template, `request` the rendered request.

    `is_same_request`: a server that knows the way does the same as by the documented one, so a wrong value stays wrong.
    """

    title: str
    path: Callable[[str], str] = str
    request: Callable[[Request], Request] = lambda request: request
    is_same_request: bool = True

    def template(self, operation: Operation, case: Case) -> Case:
        """The case with its path written in this way."""
        path = case.path_template or operation.path
        changed = self.path(path)
        return case if changed == path else replace(case, path_template=changed)


def ways_of(contract: Contract, operation: Operation) -> list[Way]:
    """Every way to send the operation's request but the documented one, in a fixed order."""
    ways = [
        Way("a slash at the end of the path, or none", _other_end),
        Way("two slashes at the start of the path", lambda path: f"/{path}"),
        Way("two slashes at the end of the path", lambda path: f"{path.rstrip('/')}//"),
        Way("a percent-encoded letter in the path", _encoded),
        Way("the path in upper case", _in_upper_case),
        Way("a dot segment in the path", lambda path: f"/.{path}"),
        Way("a way up in the path", lambda path: f"/public/..{path}"),
        Way("a parameter behind the path", lambda path: f"{path};a=1"),
        Way("an extension behind the path", lambda path: f"{path.rstrip('/')}.json"),
        Way("an encoded slash behind the path", lambda path: f"{path.rstrip('/')}%2F"),
        Way("header names in the other case", request=_with_swapped_header_names),
        Way("every query parameter twice", request=_with_doubled_query),
        Way("headers of a proxy within the server", request=_adds_all(PROXY_HEADERS)),
        Way("a wrong token in other headers", request=_adds_all(dict.fromkeys(OTHER_TOKEN_HEADERS, WRONG_TOKEN))),
        Way("a wrong token in a cookie", request=_adds("Cookie", f"token={WRONG_TOKEN}; session={WRONG_TOKEN}")),
        Way("a wrong token in the query", request=_with_query_token),
        *_overrides(contract, operation),
    ]
    others = {
        name: value for other in contract.operations.values() for name, value in other.base_headers.items()
    }  # of the other servers of the document
    if others != operation.base_headers:
        ways.append(Way("the headers of another server too", request=_adds_all(others)))
    if operation.method == "GET" and "pointer" not in contract.error_format.get("refused", {}):
        ways.append(Way("HEAD", request=lambda request: replace(request, method="HEAD"), is_same_request=False))
    return ways


def _overrides(contract: Contract, operation: Operation) -> Iterator[Way]:
    """Yield requests that name two HTTP methods, each of which needs credentials where it is documented."""
    for other in ("GET", "POST"):
        if other == operation.method or _is_open(contract, operation, other):
            continue
        says_other = _adds_all(dict.fromkeys(OVERRIDE_HEADERS, other))
        says_own = _adds_all(dict.fromkeys(OVERRIDE_HEADERS, operation.method))
        asks_own = _asks("_method", operation.method)
        yield Way(f"headers that override the method by {other}", request=says_other, is_same_request=False)
        yield Way(f"{other} and headers that override it", request=_by(other, says_own), is_same_request=False)
        yield Way(f"{other} and _method, which overrides it", request=_by(other, asks_own), is_same_request=False)


def _is_open(contract: Contract, operation: Operation, method: str) -> bool:
    """Whether the path serves that method to anybody."""
    same_path = [it for it in contract.operations.values() if it.path == operation.path and it.method == method]
    return any(not it.needs_credentials for it in same_path)


def _other_end(path: str) -> str:
    return path.rstrip("/") if path.endswith("/") else f"{path}/"


def _encoded(path: str) -> str:
    """The path with the first letter of its last word percent-encoded."""
    starts = [match.start(1) for match in re.finditer(r"/([A-Za-z])", path)]
    if not starts:
        return path
    return f"{path[: starts[-1]]}%{ord(path[starts[-1]]):02X}{path[starts[-1] + 1 :]}"


def _in_upper_case(path: str) -> str:
    """The path with its own words in upper case, and its expressions unchanged."""
    names = TEMPLATE_EXPRESSION.findall(path)
    words = [word.upper() for word in TEMPLATE_EXPRESSION.split(path)]
    return "".join(word + name for word, name in zip(words, [*names, ""], strict=True))


def _with_swapped_header_names(request: Request) -> Request:
    return replace(request, headers=tuple((name.swapcase(), value) for name, value in request.headers))


def _with_doubled_query(request: Request) -> Request:
    start, _, query = request.url.partition("?")
    return replace(request, url=f"{start}?{query}&{query}") if query else request


def _adds(name: str, value: str) -> Callable[[Request], Request]:
    return _adds_all({name: value})


def _adds_all(headers: dict[str, str]) -> Callable[[Request], Request]:
    def change(request: Request) -> Request:
        known = {name.lower() for name, _ in request.headers}
        added = tuple((name, value) for name, value in headers.items() if name.lower() not in known)
        return replace(request, headers=(*request.headers, *added))

    return change


def _with_query_token(request: Request) -> Request:
    for name in OTHER_TOKEN_PARAMETERS:
        request = _asks(name, WRONG_TOKEN)(request)
    return request


def _asks(name: str, value: str) -> Callable[[Request], Request]:
    return lambda request: replace(request, url=f"{request.url}{'&' if '?' in request.url else '?'}{name}={value}")


def _by(method: str, change: Callable[[Request], Request]) -> Callable[[Request], Request]:
    return lambda request: replace(change(request), method=method)
