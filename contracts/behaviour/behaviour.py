"""A behaviour: one fact of how a target answers, with an address at which two runs can be compared.

Rule: a behaviour is text that says the same for every target that behaves the same; data, time and host are not in it.

A question's title is its sort, a colon and what is special about it, such as `valid: limit 100` or `missing: query
organization_id`; sorts are `valid` and the kinds of invalid request (contracts/invalid_kinds.py).

| family | place | value |
|---|---|---|
| outcome | title of a question | status and media type; of a refusal also code and attribute |
| access | state of the credentials, such as `wrong token` | as of an outcome |
| method | `HEAD`, `OPTIONS` or an unknown method | as of an outcome, and what `Allow` lists |
| kind | JSON path, `*` for each entry of an array | the kinds of value apart from null, joined by `or` |
| presence | JSON path | in how many of the objects the member is: a share |
| null | JSON path | in how many of its appearances it is null: a share |
| form | JSON path | forms of text: `date`, `date-time Z 3 digits`, `uuid lower case`, `absolute https URL`, … |
| number | JSON path | `whole`, `2 decimals`, `negative`, joined by `or` |
| values | JSON path | the values of a member that has at most 16 of them, sorted |
| members | JSON path of an object | the names of its members in the order in which they came |
| order | JSON path of an array | `up by NAME`, `down by NAME`, several of them, or `none` |
| length | JSON path of an array | `0`, `1` or `more` |
| unique | JSON path of an array | whether the ids in it differ |
| page | `style`, `default size`, `largest size`, `beyond largest`, `end`, `past the end`, … | what is seen |
| parameter | name of a filter, include, view or sort order | `honoured`, `ignored` or `refused` |
| header | name | in how many responses it is: a share |
| header value | name | its constant, or the form of its values |
| message | title of a question | the text, with numbers and quoted parts replaced |
| csv | `delimiter`, `quoting`, `line end`, `columns`, `empty cell`, `column NAME`, … | what is seen |
| rpc | `frame`, `envelope`, `correlation`, `close`, `ping`, … (`answer` names the transport) | what is seen |
| equality | title of a question | `all transports`, or the groups of transports that answer alike |
| walk | title of a step, such as `update, then read` | `as sent`, `not changed`, `gone` or an outcome |
| connection | `keep-alive`, `clock`, `framing`, `header names`, `JSON layout`, … | what is seen |
| clause | id of a clause | `kept`, `broken` or `not tested` |
| reading | id of a reading | the meanings that were seen |
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

Family = Literal[
    "outcome",
    "access",
    "method",
    "kind",
    "presence",
    "null",
    "form",
    "number",
    "values",
    "members",
    "order",
    "length",
    "unique",
    "page",
    "parameter",
    "header",
    "header value",
    "message",
    "csv",
    "rpc",
    "equality",
    "walk",
    "connection",
    "clause",
    "reading",
]
FAMILIES: tuple[Family, ...] = get_args(Family)
SHARES = ("presence", "null", "header")  # families whose value is a share


class Address(NamedTuple):
    """Where a behaviour shows: operation or call by its label, status of its answers ("" for any), family and place."""

    operation: str
    answer: str
    family: Family
    place: str


@dataclass(frozen=True, slots=True)
class Behaviour:
    """A fact. value: the text that is compared; of a share `always`, `sometimes` or `never`.

    count, total: of a share in how many of how many sightings it was so; otherwise both are the sightings.
    """

    value: str
    count: int = 0
    total: int = 0


Observation = Mapping[Address, Behaviour]  # what one pass through the questions showed


def share(count: int, total: int) -> Behaviour:
    """The behaviour of something that was so in `count` of `total` sightings."""
    return Behaviour("always" if count == total else "sometimes" if count else "never", count, total)
