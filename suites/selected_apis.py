"""The APIs of which `-k` can select a test: tests of others are not collected, which takes most of a short run.

Rule: an API's name matches all of its tests and none of another API, unless it stands in the tests of others; a text
that begins with it and a hyphen, such as a clause, matches none of another API. What any other text matches is known
when tests are collected. Where a test of no API can match, all are collected: a test without values for its parameters
is one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

import pytest
from _pytest.mark.expression import Expression  # what -k means; there is no public way to it

import contracts

FOLDER = Path(__file__).parent
MAX_UNKNOWN = 8  # texts of an expression that are tried both ways
SELECTED = pytest.StashKey[frozenset[str]]()


def selected_apis(config: pytest.Config) -> frozenset[str]:
    """The APIs whose tests this run may have, as far as `-k` tells."""
    if SELECTED not in config.stash:
        keyword, apis = config.option.keyword, contracts.apis()
        words = words_of_others(FOLDER, [api for api in apis if api in keyword.lower()])
        config.stash[SELECTED] = by_keyword(keyword, apis, words)
    return config.stash[SELECTED]


def words_of_others(folder: Path, apis: Iterable[str]) -> frozenset[str]:
    """Those of the APIs whose names stand in tests below the folder that are not theirs, such as `mail`."""
    names = list(apis)
    texts = [(path, path.name + path.read_text("utf-8").lower()) for path in folder.glob("*/test_*.py") if names]
    return frozenset(name for name in names for path, text in texts if path.parent.name != name and name in text)


def by_keyword(keyword: str, apis: Iterable[str], words: Collection[str] = ()) -> frozenset[str]:
    """Those of the APIs of which this expression can select a test; all for one that pytest will refuse, or none.

    words: those of the names that tests of other APIs may have in their own.
    """
    names = [api for api in apis if api not in words]
    try:
        expression = Expression.compile(keyword.strip()) if keyword.strip() else None
    except SyntaxError:
        expression = None
    if expression is None or _can_select(expression, "", names, {}):
        return frozenset(apis)
    return frozenset(api for api in apis if _can_select(expression, api, names, {api: True}))


def _can_select(expression: Expression, api: str, apis: list[str], known: Mapping[str, bool]) -> bool:
    """Whether a test of that API can match; `known` says which texts it contains."""

    def contains(name: str, /, **_: str | int | bool | None) -> bool:
        text = name.lower()
        if text in known:
            return known[text]
        if text in apis:
            return text == api
        if any(text.startswith(f"{other}-") for other in apis if other != api):
            return False
        raise _Unknown(text)

    try:
        return expression.evaluate(contains)
    except _Unknown as unknown:
        text = str(unknown)
        return len(known) >= MAX_UNKNOWN or any(
            _can_select(expression, api, apis, {**known, text: is_there}) for is_there in (True, False)
        )


class _Unknown(Exception):
    """A text of which nobody knows yet whether a test contains it."""
