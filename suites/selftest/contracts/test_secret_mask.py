"""Masks: every form of a secret, parts of one, and credentials by name."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.secret_mask import MASK, mask_secrets, mask_value, secret_forms

SECRET = "Zk7-canary/ä\"'v &42%"
FORMS = secret_forms([SECRET], ["me"])

ENCODINGS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "other case": str.swapcase,
    "JSON": json.dumps,
    "JSON with letters": lambda text: json.dumps(text, ensure_ascii=False),
    "repr": repr,
    "ascii": ascii,
    "repr of bytes": lambda text: repr(text.encode()),
    "HTML": html.escape,
    "URL": lambda text: quote(text, safe=""),
    "path": quote,
    "form": quote_plus,
    "URL, small digits": lambda text: quote(text, safe="").lower(),
    "Basic": lambda text: base64.b64encode(f"me:{text}".encode()).decode(),
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64 for URLs": lambda text: base64.urlsafe_b64encode(text.encode()).decode(),
    "hex": lambda text: text.encode().hex(),
    "large hex": lambda text: text.encode().hex().upper(),
    "hex with spaces": lambda text: text.encode().hex(" "),
    "hex with colons": lambda text: text.encode().hex(":"),
    "every byte of a URL": lambda text: "".join(f"%{byte:02X}" for byte in text.encode()),
    "every byte of Python": lambda text: "".join(f"\\x{byte:02x}" for byte in text.encode()),
}


@pytest.mark.parametrize("encode", ENCODINGS.values(), ids=list(ENCODINGS))
def test_secret_is_masked_in_every_form(encode: Callable[[str], str]) -> None:
    shown = mask_secrets(f"before {encode(SECRET)} behind", FORMS)
    assert shown.startswith("before ")
    assert shown.endswith(" behind")
    assert shown.strip("beforhind \"'") in (MASK, f"b'{MASK}", f'b"{MASK}')


@pytest.mark.parametrize("before", ["", "a", "ab", "abc"])
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_secret_is_masked_within_a_text_in_base64(before: str, encode: Callable[[bytes], bytes]) -> None:
    encoded = encode(f"{before}{SECRET}tail".encode()).decode()
    shown = mask_secrets(encoded, FORMS)
    assert MASK in shown
    assert len(shown) < len(encoded) / 2


@pytest.mark.parametrize("length", range(8, len(SECRET) + 1))
def test_beginning_of_a_secret_is_masked_from_eight_characters(length: int) -> None:
    assert mask_secrets(f"got {SECRET[:length]}…", FORMS) == f"got {MASK}…"


@pytest.mark.parametrize("length", range(8, len(SECRET) + 1))
def test_end_of_a_secret_is_masked_from_eight_characters(length: int) -> None:
    assert mask_secrets(f"got ...{SECRET[-length:]}", FORMS) == f"got ...{MASK}"


def test_fewer_than_eight_characters_of_a_secret_are_shown() -> None:
    assert mask_secrets(SECRET[:7], FORMS) == SECRET[:7]


def test_short_secret_is_masked_when_it_is_there_as_a_whole() -> None:
    assert mask_secrets("pin 4711, 471", secret_forms(["4711"])) == f"pin {MASK}, 471"


@pytest.mark.parametrize("secret", ["x", "ex", "exp"])
def test_secret_of_three_letters_leaves_words_readable(secret: str) -> None:
    text = f"expected a URL such as https://flow.example, got {secret}"
    assert mask_secrets(text, secret_forms([secret])) == f"expected a URL such as https://flow.example, got {MASK}"


def test_letters_that_grow_in_small_letters_do_not_move_the_mask() -> None:
    assert mask_secrets(f"İİİ{SECRET}İ", FORMS) == f"İİİ{MASK}İ"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Authorization: Bearer abc.def", "Authorization: Bearer ***"),
        ("Authorization: abc", "Authorization: ***"),
        ("proxy-authorization: Basic YTpi", "proxy-authorization: Basic ***"),
        ("Set-Cookie: session=abc; Path=/", "Set-Cookie: ***; Path=/"),
        ("('Flow-Auth-Token', 'abc')", "('Flow-Auth-Token', '***')"),
        ('{"access_token": "abc", "a": 1}', '{"access_token": "***", "a": 1}'),
        ('{\\"api-secret\\": \\"abc\\"}', '{\\"api-secret\\": \\"***\\"}'),
        ("http://127.0.0.1/?api_key=abc&b=1", "http://127.0.0.1/?api_key=***&b=1"),
    ],
)
def test_credential_is_masked_by_its_name(text: str, expected: str) -> None:
    assert mask_secrets(text, ()) == expected


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Bearer 00100",  # a wrong one that flowproof sends
        "the authorization of a request",
        "no api key was sent",
        "session_token=abc",  # names an event
    ],
)
def test_what_is_no_credential_is_shown(text: str) -> None:
    assert mask_secrets(text, ()) == text


@given(secret=st.text(st.characters(codec="utf-8"), min_size=8, max_size=40), around=st.text(max_size=20))
def test_no_secret_is_left(secret: str, around: str) -> None:
    shown = mask_secrets(f"{around}{secret}{around}", secret_forms([secret]))
    assert secret not in shown or secret in MASK


@given(text=st.text(max_size=60))
def test_masked_text_stays_as_it_is(text: str) -> None:
    shown = mask_secrets(text + SECRET, FORMS)
    assert mask_secrets(shown, FORMS) == shown


@pytest.mark.parametrize("name", ["$SHOP_TOKEN", "${SHOP_TOKEN}"])
def test_the_name_of_a_variable_is_shown_where_its_secret_would_be(name: str) -> None:
    assert mask_secrets(f'-H "Authorization: Bearer {name}"', ["s3cret"]) == f'-H "Authorization: Bearer {name}"'


def test_what_only_begins_like_a_variable_is_masked() -> None:
    assert mask_secrets("Authorization: $hop-token_1", []) == "Authorization: ***"


RECORDS = {
    "a text that ends with the name of a credential": {"received": "the members api_key", "grade": "stated"},
    "a list that ends with one": {"names": ["id", "access_token"], "status": 200},
    "a name that is a secret": {"grade": "stated", "findings": [{"grade": None}]},
}


@pytest.mark.parametrize("record", RECORDS.values(), ids=list(RECORDS))
def test_record_keeps_its_members(record: dict[str, Any]) -> None:
    """Masked as JSON text, the name behind a credential's would be lost, and nobody could read the record."""
    shown = mask_value(record, secret_forms(["grade"]))
    assert json.loads(json.dumps(shown)) == record


def test_texts_and_names_within_a_record_are_masked() -> None:
    record = {"received": [f"got {SECRET}", 1, None, True, 0.5], f"GET /{SECRET}": {"a": SECRET}}
    assert mask_value(record, FORMS) == {
        "received": [f"got {MASK}", 1, None, True, 0.5],
        f"GET /{MASK}": {"a": MASK},
    }
