"""Outcomes as a record has them, read back into their parts."""

from __future__ import annotations

import pytest

from reports.drift.outcome_text import parse_outcome


@pytest.mark.parametrize(
    ("text", "code", "attribute", "media"),
    [
        ("400 application/json missing id", "missing", "id", "application/json"),
        ("400 text/html; charset=utf-8", "", "", "text/html; charset=utf-8"),
        ("200 refused application/json 3", "3", "", "application/json"),
        ("frame refused invalid name", "invalid", "name", ""),
        ("405 application/json, allow GET, POST", "", "", "application/json"),
        ("400 application/json malformed", "", "", "application/json"),
    ],
)
def test_an_outcome_has_parts(text: str, code: str, attribute: str, media: str) -> None:
    outcome_parts = parse_outcome(text)
    assert (outcome_parts.code, outcome_parts.attribute, outcome_parts.media) == (code, attribute, media)
    assert outcome_parts.is_refused
