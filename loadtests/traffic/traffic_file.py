"""Reads recorded traffic: HAR files of browsers and proxies, and access logs in the common or combined format.

Rule: of a HAR only the requests to its most frequent origin are played. What they carry to prove who sends them goes to
that origin alone: it is left out where the target is another one, and it is written nowhere.
"""

from __future__ import annotations

import base64
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from contracts.errors import UsageError
from fixtures.http1.request_writer import FIELD_VALUE, TARGET_CHARACTERS, TOKEN
from fixtures.origins import Origin
from loadtests.traffic.recorded_traffic import RecordedRequest, with_ids

ACCESS_LINE = re.compile(
    r'(?P<client>\S+) \S+ .*?\[(?P<time>[^\]]+)\] "(?P<method>[A-Z]+) (?P<target>/[!-~]*) HTTP/[0-9.]+"'
    r" (?P<status>[0-9]{3}) .*"
)
LOG_TIME = "%d/%b/%Y:%H:%M:%S %z"
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
CREDENTIALS = re.compile(r"authorization|cookie|.*(?:token|api-?key|secret|session|csrf|xsrf).*")
OF_CONNECTION = re.compile(  # headers that describe a connection or a length, and those of HTTP/2
    r":.*|host|connection|content-length|transfer-encoding|accept-encoding|keep-alive|te|upgrade|proxy-.*|expect"
)


@dataclass(frozen=True)
class Traffic:
    """What is played of a file. left_out: how many recorded requests are not, by the reason. origin: "" if unknown."""

    requests: tuple[RecordedRequest, ...]
    left_out: Mapping[str, int]
    origin: str

    @property
    def seconds(self) -> float:
        """From the first request to the last."""
        return self.requests[-1].at if self.requests else 0.0


def read_traffic(path: Path, url: str, writes: bool) -> Traffic:
    """The requests of a file that may be sent to that URL; writes: whether those may that change something.

    Raises UsageError for a file that is neither a HAR nor an access log, and for one without such requests.
    """
    try:
        text = path.read_text("utf-8-sig", errors="replace")
    except OSError as error:
        raise UsageError(f"--from {path}: expected a HAR file or an access log, got none: {error.strerror}") from None
    left_out: Counter[str] = Counter()
    requests, origin = _har(path, text, left_out) if text.lstrip().startswith("{") else (_log(text, left_out), "")
    if origin and Origin.of(url) != Origin.of(origin):
        requests = [_without_credentials(request, left_out) for request in requests]
    if not writes:
        left_out["changes something, which needs LOAD_WRITES=1"] += sum(it.method not in SAFE for it in requests)
        requests = [request for request in requests if request.method in SAFE]
    if not requests:
        reasons = "; ".join(f"{number} left out: {reason}" for reason, number in left_out.items() if number)
        raise UsageError(
            f"--from {path}: expected requests in a HAR or an access log, got none to play. {reasons}".strip()
        )
    return Traffic(tuple(with_ids(requests)), {reason: number for reason, number in left_out.items() if number}, origin)


def _log(text: str, left_out: Counter[str]) -> list[RecordedRequest]:
    """The requests of an access log, whose times are whole seconds: those of one second are spread over it evenly."""
    rows: list[tuple[float, re.Match[str]]] = []
    for line in filter(None, text.split("\n")):
        match = ACCESS_LINE.fullmatch(line.rstrip("\r"))
        second = _second_of(match["time"]) if match else None
        if match and second is not None:
            rows.append((second, match))
        else:
            left_out["no line of an access log"] += 1
    of_second, seen = Counter(second for second, _ in rows), Counter[float]()
    requests = []
    for second, match in rows:
        at = second + seen[second] / of_second[second]
        seen[second] += 1
        requests.append(RecordedRequest(at, match["client"], match["method"], match["target"], int(match["status"])))
    return requests


def _second_of(text: str) -> float | None:
    try:
        return datetime.strptime(text, LOG_TIME).timestamp()
    except ValueError:
        return None


def _har(path: Path, text: str, left_out: Counter[str]) -> tuple[list[RecordedRequest], str]:
    try:
        entries = json.loads(text)["log"]["entries"]
        origins = Counter(_origin(entry["request"]["url"]) for entry in entries)
        origin = origins.most_common(1)[0][0] if origins else ""
        own = [_entry(entry) for entry in entries if _origin(entry["request"]["url"]) == origin]
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise UsageError(f"--from {path}: expected a HAR (log.entries), got something else: {error!r:.80}") from None
    requests = [request for request in own if _can_be_sent(request)]
    left_out["to another server"] += len(entries) - len(own)
    left_out["with a method or header that HTTP/1.1 cannot carry"] += len(own) - len(requests)
    return requests, origin


def _can_be_sent(request: RecordedRequest) -> bool:
    fields = request.headers.items()
    return bool(TOKEN.fullmatch(request.method)) and all(
        TOKEN.fullmatch(name) and FIELD_VALUE.fullmatch(value) for name, value in fields
    )


def _origin(url: str) -> str:
    origin = Origin.of(url)
    return f"{origin.scheme}://{origin.host}:{origin.port}"


def _entry(entry: Mapping[str, Any]) -> RecordedRequest:
    request, response = entry["request"], entry["response"]
    parts = urlsplit(request["url"])
    at = datetime.fromisoformat(entry["startedDateTime"]).timestamp()
    headers = {it["name"]: it["value"] for it in request.get("headers", ())}
    return RecordedRequest(
        at,
        "",  # a HAR is of one browser
        request["method"],
        quote((parts.path or "/") + (f"?{parts.query}" if parts.query else ""), safe=TARGET_CHARACTERS),
        int(response.get("status") or 0),
        {name: value for name, value in headers.items() if not OF_CONNECTION.fullmatch(name.lower())},
        (request.get("postData") or {}).get("text", "").encode("utf-8", "replace"),
        _json_of(response.get("content") or {}),
    )


def _json_of(content: Mapping[str, Any]) -> Any:
    """The body of a recorded response as JSON; None for another one, and where the recorder left it out."""
    text = content.get("text") or ""
    try:
        return json.loads(base64.b64decode(text) if content.get("encoding") == "base64" else text)
    except ValueError:
        return None


def _without_credentials(request: RecordedRequest, left_out: Counter[str]) -> RecordedRequest:
    kept = {name: value for name, value in request.headers.items() if not CREDENTIALS.fullmatch(name.lower())}
    if len(kept) < len(request.headers):
        left_out["credentials of another server than the target: only its headers"] += 1
    return RecordedRequest(
        request.at, request.client, request.method, request.target, request.status, kept, request.body, request.response
    )


def shares(traffic: Traffic, index: int, workers: int) -> Iterator[tuple[int, RecordedRequest]]:
    """The requests, by number, of the clients that worker number `index` of so many plays."""
    clients = {client: at for at, client in enumerate(dict.fromkeys(request.client for request in traffic.requests))}
    for number, request in enumerate(traffic.requests):
        if clients[request.client] % workers == index:
            yield number, request
