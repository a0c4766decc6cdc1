"""Which APIs an expression of `-k` can select tests of."""

from __future__ import annotations

from pathlib import Path

import pytest

from contracts import apis
from suites.selected_apis import FOLDER, MAX_UNKNOWN, by_keyword, words_of_others

APIS = ["shop", "mail"]


@pytest.mark.parametrize(
    ("keyword", "expected"),
    [
        ("", {"shop", "mail"}),
        ("shop", {"shop"}),
        ("SHOP", {"shop"}),
        ("shop or mail", {"shop", "mail"}),
        ("not shop", {"shop", "mail"}),  # a test of no API matches too
        ("pagination", {"shop", "mail"}),
        ("not pagination", {"shop", "mail"}),
        ("shop and pagination", {"shop"}),
        ("shop or pagination", {"shop", "mail"}),
        ("not (shop and pagination)", {"shop", "mail"}),
        ("not shop and mail", {"mail"}),
        ("SHOP-ERR-1.", {"shop"}),
        ("SHOP-ERR-1. or MAIL-ERR-1.", {"shop", "mail"}),
        ("not SHOP-ERR-1.", {"shop", "mail"}),
        ("sho", {"shop", "mail"}),
        ("shop and mail", set()),
        ("shop and", {"shop", "mail"}),  # pytest says what is wrong with it
    ],
)
def test_only_apis_that_can_match_are_selected(keyword: str, expected: set[str]) -> None:
    assert by_keyword(keyword, APIS) == expected


@pytest.mark.parametrize(
    ("keyword", "expected"),
    [
        ("mail", {"shop", "mail"}),
        ("mail and arrives", {"shop", "mail"}),
        ("shop", {"shop"}),
        ("shop and mail", {"shop"}),
        ("shop or arrives", {"shop", "mail"}),
    ],
)
def test_a_name_that_is_a_word_in_tests_of_others_keeps_them(tmp_path: Path, keyword: str, expected: set[str]) -> None:
    for api in APIS:
        (tmp_path / api).mkdir()
        (tmp_path / api / "test_messages.py").write_text(f"def test_mail_arrives() -> None: ...  # of {api[0]}")
    assert by_keyword(keyword, APIS, words_of_others(tmp_path, APIS)) == expected


def test_no_name_is_a_word_in_tests_of_others() -> None:
    assert words_of_others(FOLDER, apis()) == set()


def test_a_long_expression_selects_without_trying_all_its_texts() -> None:
    texts = " or ".join(f"text{number}" for number in range(4 * MAX_UNKNOWN))
    assert by_keyword(f"shop and ({texts})", APIS) == {"shop"}
