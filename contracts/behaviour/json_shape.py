"""The shape of JSON responses: what is seen at each path in all responses of a group, counted.

Rule: paths are JSON pointers with `*` for each entry of an array, and of an object whose members are no fixed names.
No raw value is kept unless it is categorical.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from contracts.behaviour.array_order import common_orders, order_text, sorted_members
from contracts.behaviour.behaviour import Behaviour, Family, share
from contracts.behaviour.documented_values import DocumentedValues
from contracts.behaviour.member_order import merged_order
from contracts.behaviour.path_facts import PathFacts
from contracts.behaviour.text_forms import form_of, joined_forms

ROOT = "/"
ENTRY = "*"
MEMBER_NAME = re.compile(r"@?[A-Za-z_$][\w$.:-]{0,63}", re.ASCII)
NO_NAME = re.compile(r"[0-9A-Fa-f-]{16,}|.*\d{5}.*")  # an id
CODE_VALUE = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*|[a-z]+(?:_[a-z]+)+")  # of a value that nobody has listed
CODE_NAME = re.compile(  # of a member that has one of few values; codes of places and of people are no such
    r"(?!.*(?:postal|post|zip|area|access|verification|invite|promo|pin|user|person))"
    r".*(?:type|status|state|kind|role|code|action|level|category|format|currency|country|mode|priority|unit)",
    re.IGNORECASE,
)
SHORT_VALUE = re.compile(r"[a-z][a-z0-9_/.+-]{0,31}|-?\d{1,3}")  # what such a member may have besides
LISTED_VALUE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]{0,31}")  # where the contract lists others
ID_VALUE = re.compile(r".*\d[A-Za-z]+\d.*|[0-9A-Fa-f-]{16,}|.*\d{7}.*")  # of one record or request, never a code
MAX_VALUES = 16
MAX_UNLISTED = 8  # values at an address for which the contract lists none
MIN_SIGHTINGS = 3  # of a value of a member that is named like a code, in all responses
MIN_REPETITIONS = 2  # of such a value within one response
ID_NAMES = ("id", "uuid", "objectid", "token", "key")
Place = tuple[Family, str]  # of a behaviour in a group of responses


class JsonShape:
    """Counts what JSON responses show; `host` is that of the target.

    shows_records: an entry of an array is a record, of which many responses show no more than one does.
    """

    def __init__(self, documented: DocumentedValues, host: str = "", *, shows_records: bool = True) -> None:
        self._documented, self._host, self._shows_records = documented, host, shows_records
        self._paths: dict[str, PathFacts] = {}
        self._seen_now: Counter[tuple[str, str]] = Counter()  # values of the present response by path
        self._map_paths: dict[str, bool] = {}
        self._listed: dict[str, frozenset[str]] = {}
        self._seen_entries: set[tuple[str, int]] = set()
        self._shows_order = True

    def add(self, body: Any, *, shows_order: bool = True) -> None:
        """Counts one more response; `shows_order`: whether its arrays are in the order that nobody asked for."""
        self._seen_now.clear()
        self._shows_order = shows_order
        self._add(body, ROOT, self._is_distinct(body, ROOT))
        for (path, value), number in self._seen_now.items():
            if number >= MIN_REPETITIONS:
                self._paths[path].repeated.add(value)

    def _at(self, path: str) -> PathFacts:
        facts = self._paths.get(path)
        if facts is None:
            facts = self._paths[path] = PathFacts()
        return facts

    def _is_distinct(self, value: Any, path: str) -> bool:
        """Whether no response has had that value at the path before."""
        key = (path, hash(repr(value)))
        is_distinct = key not in self._seen_entries
        self._seen_entries.add(key)
        return is_distinct

    def _add(self, value: Any, path: str, is_distinct: bool) -> None:
        facts = self._at(path)
        facts.appearances += 1
        facts.distinct += is_distinct
        if value is None:
            facts.nulls += 1
            facts.distinct_nulls += is_distinct
        elif isinstance(value, bool):
            facts.kinds.add("boolean")
        elif isinstance(value, int | float):
            facts.kinds.add("number")
            _add_number(facts, value)
            self._add_value(facts, path, value)
        elif isinstance(value, str):
            facts.kinds.add("text")
            facts.forms[form_of(value, self._host)] += 1
            self._add_value(facts, path, value)
        elif isinstance(value, list):
            facts.kinds.add("array")
            self._add_array(facts, value, path)
        else:
            facts.kinds.add("object")
            self._add_object(facts, value, path, is_distinct)

    def _add_value(self, facts: PathFacts, path: str, value: str | float) -> None:
        """Counts the value if it may be kept; otherwise, that there are others."""
        text = str(value)
        if path not in self._listed:
            self._listed[path] = self._documented.listed(path)
        listed = self._listed[path]
        forms = [LISTED_VALUE if listed else CODE_VALUE, *([SHORT_VALUE] if _is_code_path(path) else [])]
        is_code = any(form.fullmatch(text) for form in forms)
        if text in listed or (is_code and not ID_VALUE.fullmatch(text)):
            if len(facts.values) <= MAX_VALUES or text in facts.values:
                facts.values[text] += 1
                self._seen_now[path, text] += 1
        else:
            facts.has_other_values = True

    def _add_array(self, facts: PathFacts, items: list[Any], path: str) -> None:
        facts.lengths.add(str(len(items)) if len(items) < 2 else "more")
        objects = [item for item in items if isinstance(item, dict)]
        if self._shows_order and (orders := sorted_members(objects)) is not None:
            facts.orders.append(orders)
        ids = next((ids for name in ID_NAMES if (ids := _ids(objects, name)) is not None), None)
        if ids is not None and len(ids) > 1:
            facts.ids_differ.append(len(set(ids)) == len(ids))
        entry_path = _below(path, ENTRY)
        for item in items:
            self._add(item, entry_path, self._is_distinct(item, entry_path))

    def _add_object(self, facts: PathFacts, members: Mapping[str, Any], path: str, is_distinct: bool) -> None:
        if path not in self._map_paths:
            self._map_paths[path] = self._documented.is_map(path)
        names = {name: ENTRY if self._map_paths[path] or not _is_name(name) else name for name in members}
        fixed = tuple(name for name, shown in names.items() if shown != ENTRY)
        if fixed:
            facts.members[fixed] += 1
        for name, value in members.items():
            self._add(value, _below(path, names[name]), is_distinct)

    def behaviours(self) -> Iterator[tuple[Place, Behaviour]]:
        """Everything that the responses showed, by family and path."""
        for path, facts in self._paths.items():
            by_entry = self._shows_records and ENTRY in path.split("/")
            yield from _of_values(path, facts, facts.entries if by_entry else facts.sightings)
            yield from _of_presence(path, facts, self._parent(path), by_entry)
            listed = self._listed.get(path, frozenset())
            least = (MIN_SIGHTINGS if self._shows_records else 1) if _is_code_path(path) else None
            if (values := _kept_values(facts, listed, least)) is not None:
                yield ("values", path), _sightings(", ".join(values), facts.entries if by_entry else facts.sightings)
            if facts.orders:
                yield ("order", path), _sightings(order_text(common_orders(facts.orders)), len(facts.orders))

    def _parent(self, path: str) -> PathFacts | None:
        """The facts of the object that has this member, None for an entry of an array."""
        parent, _, name = path.rpartition("/")
        return self._paths.get(parent or ROOT) if name not in ("", ENTRY) else None


def _of_values(path: str, facts: PathFacts, seen: int) -> Iterator[tuple[Place, Behaviour]]:
    if facts.kinds:
        yield ("kind", path), _sightings(" or ".join(sorted(facts.kinds)), seen)
    if facts.forms:
        yield ("form", path), _sightings(joined_forms(facts.forms), seen)
    if facts.numbers or facts.decimals:
        words = [*facts.numbers, *([_decimals(facts.decimals)] if facts.decimals else [])]
        yield ("number", path), _sightings(" or ".join(sorted(words)), seen)
    if facts.members:
        yield ("members", path), _sightings(merged_order(facts.members), seen)
    if facts.lengths:
        yield ("length", path), _sightings(" or ".join(sorted(facts.lengths)), seen)
    if facts.ids_differ:
        value = "unique" if all(facts.ids_differ) else "repeated"
        yield ("unique", path), _sightings(value, len(facts.ids_differ))


def _of_presence(
    path: str, facts: PathFacts, parent: PathFacts | None, by_entry: bool
) -> Iterator[tuple[Place, Behaviour]]:
    if parent and "object" in parent.kinds:
        of_entries = facts.distinct, parent.entries
        yield ("presence", path), _share((facts.appearances, parent.sightings), of_entries, by_entry)
    of_entries = facts.distinct_nulls, facts.distinct
    yield ("null", path), _share((facts.nulls, facts.appearances), of_entries, by_entry)


def _share(sightings: tuple[int, int], entries: tuple[int, int], by_entry: bool) -> Behaviour:
    """The share as count and total, of different entries where it is `sometimes`: one that is listed often is still
    one.
    """
    is_sometimes = [0 < count < total for count, total in (sightings, entries)]
    if is_sometimes[0] == is_sometimes[1] and (by_entry or is_sometimes[0]) and entries[1]:
        return share(min(entries), entries[1])
    return share(min(sightings), sightings[1])


def _kept_values(facts: PathFacts, listed: frozenset[str], least: int | None) -> list[str] | None:
    """The values at a path in order, None where they are not categorical.

    `least`: how often each must be seen that no response has several times; None where each response must.
    """
    values = sorted(facts.values)
    if not values or len(values) > MAX_VALUES:
        return None
    if listed:
        return [*values, *(["another"] if facts.has_other_values else [])]
    repeated = {value for value, number in facts.values.items() if least is not None and number >= least}
    is_few = len(values) <= MAX_UNLISTED and set(values) <= facts.repeated | repeated
    return values if is_few and not facts.has_other_values else None


def _is_code_path(path: str) -> bool:
    """Whether the member at that path is named like one that has one of few values."""
    return bool(CODE_NAME.fullmatch(path.rpartition("/")[2]))


def _add_number(facts: PathFacts, value: float) -> None:
    text = repr(value)
    if isinstance(value, int):
        facts.numbers.add("whole")
    elif text.endswith(".0"):
        facts.numbers.add("whole with decimal point")
    else:
        facts.decimals = max(facts.decimals, 1 if "e" in text else len(text.partition(".")[2]))
    if value < 0:
        facts.numbers.add("negative")


def _decimals(number: int) -> str:
    return f"{number} decimal{'s' if number > 1 else ''}"


def _sightings(value: str, number: int) -> Behaviour:
    return Behaviour(value, number, number)


def _below(path: str, name: str) -> str:
    return f"{'' if path == ROOT else path}/{name.replace('~', '~0').replace('/', '~1') if name != ENTRY else ENTRY}"


def _is_name(name: str) -> bool:
    return bool(MEMBER_NAME.fullmatch(name)) and not NO_NAME.fullmatch(name)


def _ids(objects: list[dict[str, Any]], name: str) -> list[Any] | None:
    """The ids of the objects under that name, None unless all have one."""
    values = [item.get(name) for item in objects]
    is_complete = bool(values) and all(isinstance(value, str | int) for value in values)
    return values if is_complete else None
