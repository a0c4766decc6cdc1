"""The references' variants negotiate media types as HTTP defines it."""

from __future__ import annotations

import pytest

from fixtures.reference.media_types import is_acceptable
from fixtures.reference.protocol import Request

JSON = "application/json"


@pytest.mark.parametrize(
    ("accept", "acceptable"),
    [
        ("", True),
        ("application/json", True),
        ("APPLICATION/JSON", True),
        ("application/json ; q=1.000", True),
        ("application/json;q=0", False),
        ("application/json;q=0, */*", False),
        ("text/html;q=0.1, application/json", True),
        ("application/*", True),
        ("application/*;q=0, */*", False),
        ("*/*;q=0.1", True),
        ("text/html", False),
    ],
)
def test_the_most_specific_entry_of_accept_decides(accept: str, acceptable: bool) -> None:
    headers = (("accept", accept),) if accept else ()
    assert is_acceptable(Request("GET", "/", headers=headers), JSON) == acceptable
