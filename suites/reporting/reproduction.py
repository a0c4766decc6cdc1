"""Makes the shortest script of commands that shows a finding from nothing: it makes the state, and sends the request.

Rule: only what changes something has to be repeated before the request at fault: what created a value that the request
uses, or last wrote the record or list that it is about. What only reads is repeated where the finding compares.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import lru_cache
from urllib.parse import parse_qsl, urlsplit

from contracts.exchange import FRAME, Exchange, Request
from contracts.judge.http_judge import is_refusal
from fixtures.awaited_mail import UUID
from fixtures.corpus.request_fields import needs_mail
from fixtures.target_api import Api, MissingPrecondition
from fixtures.unique_texts import NAME_MARK
from fixtures.write_check import write_reason
from suites.reporting.command_script import MailedCode, command_lines
from suites.reporting.produced_values import CERTAIN, contains, sent_text, sent_values, values_to_keep

FEW = 4  # exchanges of a test, at most, all of which a reader may be shown
EVIDENCE = 2  # reads after the exchange at fault, at most, that a reader is shown
SENDERS = 2  # writes, at most, that are repeated since they send the same value, such as the id of a record
ADDRESS = re.compile(r"[\w.+-]+@[\w.-]+")
MAX_STEPS = 8  # before the request at fault
RECORD = re.compile(r"(?!v\d+$)[^/]*\d[^/]*|[^/]{16,}")  # a segment of a path that names a record
CURL = "curl "


class History:
    """The exchanges of a test in their order: which of them write, and which was the first to produce a value."""

    def __init__(self, api: Api) -> None:
        self.exchanges = list(api.exchanges)
        self._places = {id(exchange): place for place, exchange in enumerate(self.exchanges)}
        self.writes = [it for it in self.exchanges if write_reason(api.target.api, it.request)]
        self.producers: dict[str, Exchange] = {}
        for exchange in self.exchanges:
            for value in () if is_refusal(api.contract, exchange.response) else values_to_keep(api, exchange):
                self.producers.setdefault(value.text, exchange)
        self.mailed: dict[str, MailedCode] = {}
        if needs_mail(api.contract):
            self._add_mailed(api)

    def _add_mailed(self, api: Api) -> None:
        """Adds the codes that came by mail to an address that an exchange sent."""
        unknown = {code for it in self.exchanges for code in UUID.findall(sent_text(it.request))} - set(self.producers)
        for exchange in self.writes if unknown else ():
            for address in ADDRESS.findall(sent_text(exchange.request)):
                with suppress(MissingPrecondition):
                    for mail in api.received_mails(address, timeout=0):
                        for code in UUID.findall(mail.text):
                            self.producers.setdefault(code, exchange)
                            self.mailed.setdefault(code, MailedCode(code, exchange, address))

    def place(self, exchange: Exchange) -> int:
        """Its place from 0; behind all others for an exchange that is not the test's."""
        return self._places.get(id(exchange), len(self.exchanges))

    def is_write(self, exchange: Exchange) -> bool:
        """Whether its request could change something."""
        return any(exchange is write for write in self.writes)

    def is_creation(self, exchange: Exchange) -> bool:
        """Whether it is a write that produced a value, such as the id of a record."""
        return self.is_write(exchange) and any(producer is exchange for producer in self.producers.values())

    def produced_in(self, request: Request) -> Iterator[tuple[str, Exchange]]:
        """The values that a request sends, also within others, each with the exchange that produced it first."""
        sent = sent_values(request)
        yield from ((value, self.producers[value]) for value in sent if value in self.producers)
        parts = [value for value in sent if len(value) > CERTAIN and value not in self.producers]
        for value, producer in self.producers.items() if parts else ():
            if len(value) >= CERTAIN and any(value in part for part in parts):
                yield value, producer

    def evidence_of(self, exchange: Exchange) -> list[Exchange]:
        """What may show the effect of an exchange: the last ones of the test that read, after it."""
        after = self.exchanges[self.place(exchange) + 1 :]
        return [it for it in after if not self.is_write(it) and it.request.method != FRAME][-EVIDENCE:]

    def writes_before(self, place: int) -> list[Exchange]:
        """The writes before that place."""
        return [write for write in self.writes if self.place(write) < place]


def _history(api: Api) -> History:
    """What the API has exchanged so far; the text of a failure, its record and others ask for the same."""
    return _history_of(api, api.exchange_count, len(api.exchanges))


@lru_cache(maxsize=1)
def _history_of(api: Api, _count: int, _stored: int) -> History:
    return History(api)


def reproduction(api: Api, at_fault: Exchange, compared: Sequence[Exchange] = ()) -> str:
    """The commands for a POSIX shell, a line each.

    compared: exchanges without which the one at fault shows nothing, before or after it.
    """
    history = _history(api)
    *others, last = sorted({id(it): it for it in (*compared, at_fault)}.values(), key=history.place)
    steps = needed_steps(history, last, others)
    *lines, (end, _) = command_lines(api, [*steps, last], history.mailed.values())
    while lines and end.startswith(CURL) and lines[-1][0].startswith(CURL) and not history.is_write(lines[-1][1]):
        end = f"{lines.pop()[0]} --next {end.removeprefix(CURL)}"  # on the same connection, which may keep something
    return "\n".join([*(line for line, _ in lines), end])


def compared_in(api: Api, exchange: Exchange, held: Sequence[Exchange] = ()) -> list[Exchange]:
    """What a finding about the exchange as a whole may compare it with.

    All exchanges of a test that made few of them, what its function holds if that is little, or the last ones that read
    at the same path; and what shows the effect of a write.
    """
    exchanges, history = list(api.exchanges), _history(api)
    if len(exchanges) <= FEW:
        return exchanges
    before = exchanges[: history.place(exchange)]
    reads = [it for it in before if not history.is_write(it) and _path(it.request) == _path(exchange.request)]
    return [*(held if 1 < len(held) <= FEW else reads[1 - FEW :]), *history.evidence_of(exchange)]


def needed_steps(history: History, at_fault: Exchange, compared: Sequence[Exchange] = ()) -> list[Exchange]:
    """The exchanges of the test that have to be repeated before the one at fault, in their order."""
    end = history.place(at_fault)
    needed = {history.place(it): it for it in compared if it is not at_fault and history.place(it) < end}
    waiting = [at_fault, *needed.values()]
    while waiting and len(needed) < MAX_STEPS:
        for step in _needed_by(waiting.pop(0), history):
            place = history.place(step)
            if place not in needed and len(needed) < MAX_STEPS:
                needed[place] = step
                waiting.append(step)
    if stale := _stale_read(history, at_fault, [needed[place] for place in sorted(needed)]):
        needed[history.place(stale)] = stale
    return [needed[place] for place in sorted(needed)]


def _stale_read(history: History, at_fault: Exchange, steps: Sequence[Exchange]) -> Exchange | None:
    """The same read before the last write, whose answer a cache may have kept."""
    end = max((history.place(step) for step in steps if history.is_write(step)), default=0)
    same = (it for it in reversed(history.exchanges[:end]) if it.request == at_fault.request)
    return None if history.is_write(at_fault) else next(same, None)


def _needed_by(exchange: Exchange, history: History) -> Iterator[Exchange]:
    """What this request needs: who produced its values, and the last write of its record and of its collection."""
    end = history.place(exchange)
    path, earlier = _path(exchange.request), history.writes_before(end)
    for value, producer in history.produced_in(exchange.request):
        if history.place(producer) >= end:
            continue
        yield from [it for it in earlier if it is not producer and contains(it.request, value)][-SENDERS:]
        if history.is_write(producer):
            yield producer
        elif maker := _last_write(history.writes_before(history.place(producer)), _path(producer.request)):
            yield maker
            yield producer
    marked = [value for value in sent_values(exchange.request) if NAME_MARK in value and value != NAME_MARK]
    if not history.is_write(exchange):
        marked += [value for _, value in parse_qsl(urlsplit(exchange.request.url).query) if len(value) >= CERTAIN]
    for write in [it for it in earlier if any(contains(it.request, value) for value in marked)][-SENDERS:]:
        yield write
        codes = [it.code for it in history.mailed.values() if it.exchange is write]
        yield from [it for it in earlier if any(contains(it.request, code) for code in codes)]
    same_record = [write for write in earlier if _path(write.request) == path and write.request.method != "POST"]
    yield from same_record[-1:]
    if not history.is_write(exchange) and (last := _last_write(earlier, path)):
        yield last
        if _collection(path) == path:
            yield from [it for it in earlier if history.is_creation(it) and _is_related(_path(it.request), path)][-2:]


def _last_write(writes: Sequence[Exchange], path: str) -> Exchange | None:
    """The last of these writes that is about the same record or collection."""
    return next((write for write in reversed(writes) if _is_related(_path(write.request), path)), None)


def _collection(path: str) -> str:
    """The path without the record that it may end with."""
    before, _, last = path.rpartition("/")
    return before if RECORD.fullmatch(last) else path


def _is_related(write: str, path: str) -> bool:
    """Whether a write is about the same record, its collection, or a neighbour in it."""
    return _collection(write) == _collection(path) or path.startswith(write)


def _path(request: Request) -> str:
    return urlsplit(request.url.replace("#", "/")).path.rstrip("/")
