"""Determines the kind of change between two outcomes of one question."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from contracts.behaviour.behaviour import Address
from reports.drift.behaviour_comparison import Comparison
from reports.drift.outcome_text import CLOSED, SUCCESS_WITHOUT_BODY, Outcome, parse_outcome

NOW_REFUSED = {
    "missing": "parameter now needed",
    "empty": "empty value treated otherwise",
    "out_of_range": "beyond the limit refused",
    "not_in_enum": "spelling of a value matters",  # such values differ from listed ones in case alone
    "bad_format": "spelling of a value matters",
    "unknown": "unknown parameter refused",
    "unknown_record": "spelling of a value matters",
    "unknown_path": "spelling of a value matters",
    "wrong_media_type": "request media type refused",
    "no_media_type": "request media type refused",
    "wrong_accept": "request media type refused",
    "too_large": "large body refused",
}
"""By sort of question: what it is that a request is refused which was not."""
NOW_ACCEPTED = {
    "valid": "refused operation works",
    "missing": "parameter now optional",
    "empty": "empty value treated otherwise",
    "out_of_range": "beyond the limit accepted",
    "unknown": "unknown parameter ignored",
    "too_large": "limit widened",
    "wrong_media_type": "request media type accepted",
    "no_media_type": "request media type accepted",
    "wrong_accept": "request media type accepted",
}
VALID_REFUSED: Sequence[tuple[re.Pattern[str], str]] = (
    (re.compile("without .*"), "parameter now needed"),
    (re.compile(r".*(?:minimum|maximum|longest|shortest|most|fewest).*"), "limit tightened"),
    (re.compile(r".*(?:\bempty|\bblank).*"), "empty value treated otherwise"),
)
"""Which details of a valid question say why it may be refused now."""
TOO_BIG = "1009"  # the code of a close frame (RFC 6455, 7.4.1)
REFUSED_STATUSES = {
    "406": "request media type refused", "413": "large body refused", "415": "request media type refused",
}  # fmt: skip
WORDS_OF_CODES = (
    (("media", "content_type", "content-type"), "request media type refused"),
    (("too_large", "too_long", "body_size"), "large body refused"),
    (("missing", "required", "needed"), "parameter now needed"),
)


def _of_outcome(address: Address, before: Outcome, after: Outcome, comparison: Comparison) -> str:
    sort, detail = sort_of(address), address.place.partition(": ")[2]
    if after.status == CLOSED:
        return "largest frame" if TOO_BIG in comparison.after[address].value else "connection closed"
    if before.is_refused and after.is_refused:
        hidden = _is_access(sort, before, after)
        return "access refused otherwise" if hidden else kind_of_refusals(before, after)
    if after.is_refused:
        return _now_refused(sort, detail, after, comparison, address)
    if before.is_refused:
        if sort == "unknown" and "body" in detail:
            return "unknown body member ignored"
        if sort == "out_of_range" and not _is_page_size(comparison, address):
            return "limit widened"
        return NOW_ACCEPTED.get(sort, "value accepted")
    return _both_accepted(before, after)


def _is_access(sort: str, before: Outcome, after: Outcome) -> bool:
    hidden = {before.status, after.status} <= {"401", "403", "404"}
    return (
        before.status != after.status and hidden and sort == "unknown_record" and "403" in (before.status, after.status)
    )


def kind_of_refusals(before: Outcome, after: Outcome) -> str:
    """The kind of change that two refusals of one request are."""
    if "html" in after.media_type and "html" not in before.media_type:
        return "error as a page"
    if before.malformed != after.malformed:
        return "error envelope changed"
    if before.in_band != after.in_band:
        return "refused in another way"
    if before.status[:1] != after.status[:1]:
        return "status class of an error changed"
    if before.status != after.status:
        return "status of an error changed"
    if before.media != after.media:
        return "media type of the answer"
    return _words_changed(before.words, after.words)


def _words_changed(before: Sequence[str], after: Sequence[str]) -> str:
    """The kind of change of the codes and the attribute that stand behind one another in a refusal."""
    if len(before) > 1 and list(after) == list(before[:-1]):
        return "error attribute changed"
    if before and (not after or list(after) == list(before[1:])):
        return "error envelope changed"
    if len(before) > 1 and len(after) > len(before) and set(before) < set(after):
        return "error code new"
    return "error attribute changed" if before[:1] == after[:1] else "error code changed"


def _now_refused(sort: str, detail: str, after: Outcome, comparison: Comparison, address: Address) -> str:
    if sort == "unknown" and "body" in detail:
        return "unknown body member refused"
    if after.status[:1] == "5" and sort != "valid":
        return "status class of an error changed"
    if sort != "valid":
        return NOW_REFUSED.get(sort, "valid request refused")
    if kind := REFUSED_STATUSES.get(after.status):
        return kind
    if kind := next((kind for words, kind in WORDS_OF_CODES if any(it in after.code.lower() for it in words)), ""):
        return kind
    if kind := next((kind for pattern, kind in VALID_REFUSED if pattern.fullmatch(detail)), ""):
        return kind
    if after.attribute and after.attribute not in detail and _is_accepted_with(comparison, address, after.attribute):
        return "parameter now needed"
    name, colon, value = detail.partition(": ")
    is_listed = bool(colon) and value.startswith("'") and _is_accepted_with(comparison, address, f"{name}: ")
    return "value no longer accepted" if is_listed else "valid request refused"


def _is_accepted_with(comparison: Comparison, address: Address, text: str) -> bool:
    """Whether another valid question, with that text in its title, is still accepted."""
    return any(
        other.operation == address.operation
        and other.family == "outcome"
        and other != address
        and other.place.startswith("valid: ")
        and text in other.place
        and not parse_outcome(behaviour.value).is_refused
        for other, behaviour in comparison.after.items()
    )


def _is_page_size(comparison: Comparison, address: Address) -> bool:
    """Whether the parameter beyond its limit is the size of a page, which servers often cut to what they allow."""
    page = address._replace(family="page", place="largest size")
    is_same = page not in comparison.after or comparison.before.get(page) == comparison.after[page]
    return is_same and any(name in address.place for name in ("limit", "size", "per_page", "perPage", "count", "max"))


def _both_accepted(before: Outcome, after: Outcome) -> str:
    if after.is_redirect and not before.is_redirect:
        return "operation moved to another host" if "another host" in after.target else "operation moved"
    if after.status in SUCCESS_WITHOUT_BODY and before.status not in SUCCESS_WITHOUT_BODY:
        return "success without body"
    if before.media and not after.media:
        return "success without body"
    if before.status != after.status:
        return "other success status"
    return "operation moved to another host" if "another host" in after.target else "media type of the answer"


def _of_access(address: Address, before: Outcome, after: Outcome, _comparison: Comparison) -> str:
    state = address.place
    if before.is_refused and after.is_refused:
        if kind_of_refusals(before, after) in ("error as a page", "refused in another way"):
            return kind_of_refusals(before, after)
        return "access refused otherwise" if before.status != after.status else kind_of_refusals(before, after)
    if before.is_refused:
        return next(kind for words, kind in NOW_LET_IN if any(word in state for word in words))
    if after.is_refused:
        return "scheme refused" if "alone" in state or "account" in state else "credentials needed"
    return _both_accepted(before, after)


NOW_LET_IN: Sequence[tuple[tuple[str, ...], str]] = (
    (("no credentials", "without"), "credentials not needed"),
    (("account", "user"), "other account sees more"),
    (("wrong", "empty", "expired", "revoked"), "wrong credentials accepted"),
    (("",), "scheme accepted"),
)


def _of_method(address: Address, before: Outcome, after: Outcome, _comparison: Comparison) -> str:
    is_lost = after.is_refused and not before.is_refused and address.place != "OPTIONS"
    return "method refused" if is_lost else "other method answers otherwise"


CLASSIFIED_OUTCOMES: Mapping[str, Callable[[Address, Outcome, Outcome, Comparison], str]] = {
    "outcome": _of_outcome,
    "access": _of_access,
    "method": _of_method,
}


def sort_of(address: Address) -> str:
    """The sort of the question, as the kinds of invalid request are named."""
    return address.place.partition(": ")[0].replace(" ", "_")
