"""A case as the bytes that go out, with gaps where every request has a value of its own.

Rule: the bytes are those of `fixtures.cases.render` and `fixtures.http1.request`, cut up once at marks that stood in
places of values; a request is then made by filling the gaps, so there is no second renderer that could disagree.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote, quote_plus, urlencode

from contracts.document import Contract
from contracts.operation import Operation
from fixtures import http1
from fixtures.cases import FORM, Case, render, written
from fixtures.corpus.make import with_value
from fixtures.corpus.slots import slots

WHOLE_BODY = "body"  # the name of a value that is the whole body
GAP = re.compile(rb'(%22|"|)zq7mark(\d+)kram7qz\1')  # letters and digits, which no escaping changes; JSON quotes them
LENGTH = re.compile(rb"(\r\nContent-Length: )\d+")

Write = Callable[[Any], bytes]
Source = Mapping[str, Any]  # an `x-known`: where a value comes from that only the target, or this run, can give


@dataclass(frozen=True, slots=True)
class Wire:
    """A request with gaps: `head` and `body` are formats of bytes, `writes` turn a value into the bytes of its gap.

    `names` are the gaps in their order: the name of a value, or the source of one that has to be found. `in_head` of
    them are before the body. A body without gaps is part of `head`, and `body` is None then. `length_at` is the place
    of Content-Length among the gaps of the head.
    """

    head: bytes
    body: bytes | None
    names: tuple[str | Source, ...]
    writes: tuple[Write, ...]
    in_head: int
    length_at: int

    def fill(self, values: Sequence[Any]) -> bytes:
        """The request with these values in the gaps, in the order of `names`."""
        made: list[Any] = [write(value) for write, value in zip(self.writes, values, strict=True)]
        if self.body is None:
            return self.head % tuple(made)
        body = self.body % tuple(made[self.in_head :])
        del made[self.in_head :]
        made.insert(self.length_at, len(body))
        return self.head % tuple(made) + body


class Marks(list[str | Source]):
    """The marks of one wire: what each of them stands for, in the order in which they were made."""

    def __init__(self, settings: Mapping[str, str], server: int = 0) -> None:
        super().__init__()
        self._settings, self._server = settings, server

    def mark(self, source: str | Source) -> str:
        """A text to stand in the place of that value."""
        self.append(source)
        return f"zq7mark{len(self) - 1}kram7qz"

    def resolve(self, source: Source) -> Any:
        """What to render for an `x-known`: a setting's value, else a mark. Raises KeyError for a setting that lacks."""
        if "setting" not in source:
            return self.mark({**source, "server": self._server})
        value = self._settings[source["setting"].upper()]
        return int(value) if source.get("type") == "integer" else value


def wire(
    contract: Contract,
    operation: Operation,
    case: Case,
    url: str,
    settings: Mapping[str, str],
    given: Sequence[str] = (),
) -> Wire:
    """The case for the target at `url`, with a gap for each name in `given` and for each value that has to be found.

    A name is that of a setting (in capitals, such as TOKEN for another account's), of a parameter (`-` may be `_`), of
    the outermost property of the body that is called so, or "body" for all of it. Raises LookupError for a name that
    the operation does not know, KeyError for a setting that lacks, ValueError for what HTTP cannot carry.
    """
    marks = Marks(settings, operation.server)
    for name in given:
        if name in settings:
            settings = {**settings, name: marks.mark(name)}
        else:
            case = put(contract, operation, case, name, marks.mark(name))
    data = http1.request(render(contract, operation, case, url, settings, marks.resolve))
    head, blank, body = data.partition(b"\r\n\r\n")
    in_form = operation.body is not None and operation.body.media_type == FORM  # whatever the case says that it is
    return cut(head + blank, body, marks, in_form)


def put(contract: Contract, operation: Operation, case: Case, name: str, value: Any) -> Case:
    """The case with that value under that name, as `wire` understands names."""
    for one in operation.parameters:
        if name in (one.name, one.name.replace("-", "_")):
            return case.put(one.place, one.name, value)
    inside = [slot for slot in slots(contract, operation) if slot.place == "body"]
    found = [slot for slot in inside if slot.name == name]
    if found:
        return with_value(case, min(found, key=lambda slot: len(slot.path)), value)
    if name == WHOLE_BODY and operation.body:
        return replace(case, body=value, has_body=True)
    known = [*(one.name for one in operation.parameters), *(slot.name for slot in inside)]
    raise LookupError(f"{operation} has no {name!r}; what can be given is {', '.join(known) or 'nothing'}")


def cut(head: bytes, body: bytes, marks: Sequence[str | Source], in_form: bool) -> Wire:
    """The request cut at its marks; `marks` says which name or source each of them stands for."""
    gaps: list[tuple[str | Source, Write]] = []

    def gap(match: re.Match[bytes], writes: Mapping[bytes, Write]) -> bytes:
        gaps.append((marks[int(match[2])], writes[match[1]]))
        return b"%b"

    line, *rest = head.replace(b"%", b"%%").split(b"\r\n", 1)
    line = GAP_IN_URL.sub(lambda match: gap(match, IN_URL), line)
    in_line = len(gaps)
    others = GAP.sub(lambda match: gap(match, IN_HEADER), rest[0])
    in_head = len(gaps)
    inner = GAP.sub(lambda match: gap(match, IN_FORM if in_form else IN_JSON), body.replace(b"%", b"%%"))
    names, writes = tuple(name for name, _ in gaps), tuple(write for _, write in gaps)
    if len(gaps) == in_head:
        return Wire(line + b"\r\n" + others + inner, None, names, writes, in_head, 0)
    whole = b"\r\n" + others  # Content-Length stands right behind Host, in front of every header of the case
    return Wire(line + LENGTH.sub(rb"\1%d", whole, count=1), inner, names, writes, in_head, in_line)


GAP_IN_URL = re.compile(GAP.pattern.replace(b"%22", b"%%22"))  # where `%` is doubled
_compact = json.JSONEncoder(separators=(",", ":")).encode
_encode = json.JSONEncoder(ensure_ascii=False).encode  # as `fixtures.cases.encode`


def _url(value: Any) -> bytes:
    if type(value) is int:
        return b"%d" % value
    text = value if type(value) is str else written(None, value)
    return (text if text.isalnum() and text.isascii() else quote(text, safe="")).encode()


def _url_json(value: Any) -> bytes:
    return quote(_compact(value), safe="").encode()


def _header(value: Any) -> bytes:
    """A value that no header can carry, which only a broken server gives out, is percent-encoded."""
    text = written(None, value)
    return text.encode("latin-1") if http1.VALUE.fullmatch(text) else quote(text).encode()


def _header_json(value: Any) -> bytes:
    return _compact(value).encode()


def _json(value: Any) -> bytes:
    return b"%d" % value if type(value) is int else _encode(value).encode()


def _form(value: Any) -> bytes:
    return quote_plus(written(None, value)).encode()


def _whole_form(value: Mapping[str, Any]) -> bytes:
    return urlencode({name: written(None, item) for name, item in value.items()}).encode()


IN_URL: Mapping[bytes, Write] = {b"": _url, b"%%22": _url_json}
IN_HEADER: Mapping[bytes, Write] = {b"": _header, b'"': _header_json}
IN_JSON: Mapping[bytes, Write] = {b'"': _json}
IN_FORM: Mapping[bytes, Write] = {b"": _form, b'"': _whole_form}


def frame(message: bytes, marks: Sequence[str | Source]) -> Wire:
    """A JSON message cut at its marks."""
    gaps: list[tuple[str | Source, Write]] = []

    def gap(match: re.Match[bytes]) -> bytes:
        gaps.append((marks[int(match[2])], IN_JSON[match[1]]))
        return b"%b"

    cut_up = GAP.sub(gap, message.replace(b"%", b"%%"))
    return Wire(cut_up, None, tuple(name for name, _ in gaps), tuple(write for _, write in gaps), len(gaps), 0)
