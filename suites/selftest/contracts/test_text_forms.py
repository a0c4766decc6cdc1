"""Tests of the forms of texts, and of what joins and hides them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.behaviour.text_forms import FREE, form_of, joined_forms


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("", "empty"),
        ("2026-11-29", "date"),
        ("10:30", "time"),
        ("2026-11-29T10:30:00Z", "date-time Z"),
        ("2026-11-29T10:30:00.123Z", "date-time Z 3 digits"),
        ("2026-11-29T10:30:00+01:00", "date-time offset"),
        ("2026-11-29 10:30:00", "date-time with blank without zone"),
        ("b46bb7bf-c88e-439a-a396-87bbda0ffad9", "uuid lower case"),
        ("B46BB7BF-C88E-439A-A396-87BBDA0FFAD9", "uuid upper case"),
        ("1234", "digits"),
        ("12.50", "number"),
        ("True", "true or false"),
        ("jo@example.com", "mail address"),
        ("https://api.example.com/a?b=c", "absolute https URL"),
        ("https://cdn.example.org/a", "absolute https URL of another host"),
        ("/tasks?cursor=25", "relative URL"),
        ("Tom &amp; Jo", "escaped text"),
        ("<p>hello</p>", "markup"),
        ("Buy milk", FREE),
    ],
)
def test_form_of_a_text(text: str, form: str) -> None:
    assert form_of(text, "api.example.com") == form


def test_free_text_hides_forms_that_a_text_has_by_chance() -> None:
    assert joined_forms(["text", "digits", "date"]) == "text"


def test_escaped_text_shows_beside_free_text() -> None:
    assert joined_forms(["text", "escaped text"]) == "escaped text or text"


def test_forms_are_joined_in_order() -> None:
    assert joined_forms(["time", "date", "time"]) == "date or time"


@given(st.text(min_size=1).filter(lambda text: text.strip()))
def test_no_text_is_its_own_form(text: str) -> None:
    names = {"empty", "date", "time", "uuid", "digits", "number", "hexadecimal", "markup", "text"}
    assert text in names or form_of(text) != text
