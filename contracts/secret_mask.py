"""Masks secrets in text: by value, in each form that a value travels in, and by the name that stands before it.

Rule: text is masked before it is cut, and a secret that somebody else has cut is masked too: its first or its last
`MIN_PART` characters are enough. Letters match in either case. Text that is masked once stays as it is.
"""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any
from urllib.parse import quote, quote_plus

MASK = "***"
MIN_PART = 8  # characters of a secret that are masked without the rest of it
SHORT = 3  # characters of a secret, at most, that is masked only where it is a word: its letters are in any text
LABEL = 200  # characters of a text, at most, that is masked once for all times that it is written
BASE64_ALPHABETS = (base64.b64encode, base64.urlsafe_b64encode)
BASE64_BITS = 6  # bits in a character of base64
OWNERS, KINDS = ("api", "auth", "access", "refresh", "client"), ("key", "token", "secret")
NAMES = ["authorization", "cookie", *(f"{owner}[_-]?{kind}" for owner in OWNERS for kind in KINDS)]
NAMING = ("authorization", "cookie", *KINDS)  # one of them is in each of NAMES
NAMED = re.compile(
    rf"""(?:{"|".join(NAMES)})
        (?:\\?["'])?\s*[:=,]\s*(?:\\?["'])?
        (?:(?:bearer|basic|digest|token)\s+)?
        (?P<value>[^\s"'\\&;,)}}\]]+)""",
    re.VERBOSE,
)
"""A credential by its name in small letters, in a header, a cookie, JSON, a form, a URL, or Python's repr of these."""
ASCII_LOWER = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")
VARIABLE = re.compile(r"[$\ufdd0]\{?[a-z0-9]+_[a-z0-9_]+[}\ufdd0]?")  # the name of a variable with a secret
OWN_NAME = re.compile(r"[a-z_]+")  # of a member of a record
MADE_UP = re.compile(r"[01]*")  # what flowproof sends as a wrong credential


def secret_forms(secrets: Iterable[str], users: Iterable[str] = ()) -> list[str]:
    """Every text that shows one of these secrets; `users` are the names that stand before one in a Basic header."""
    names, forms = list(users), []
    for secret in filter(None, secrets):
        forms += _plain_forms(secret)
        if len(secret) > SHORT:
            forms += [*_hex_forms(secret.encode()), *_base64_forms(secret.encode())]
        for pair in (f"{name}:{secret}".encode() for name in names):
            forms += [encode(pair).decode() for encode in BASE64_ALPHABETS]
    return list(dict.fromkeys(forms))


def _plain_forms(secret: str) -> list[str]:
    """As it is, and escaped for JSON, Python, HTML and URLs."""
    escaped = [json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]]
    escaped += [repr(secret)[1:-1], ascii(secret)[1:-1], repr(secret.encode())[2:-1], html.escape(secret)]
    return [secret, *escaped, quote(secret, safe=""), quote(secret), quote_plus(secret)]


def _hex_forms(secret: bytes) -> list[str]:
    """In hexadecimal digits, with the marks that stand between or before them."""
    numbers = [f"{byte:02x}" for byte in secret]
    joined = [between.join(numbers) for between in ("", " ", ":", "-")]
    return [*joined, *("".join(f"{mark}{number}" for number in numbers) for mark in ("%", r"\x", r"\u00"))]


def _base64_forms(secret: bytes) -> Iterator[str]:
    """In base64: alone, and within a longer text, where it can begin at each of three places."""
    for encode in BASE64_ALPHABETS:
        yield encode(secret).decode().rstrip("=")
        for offset in (1, 2):
            text = encode(b"\0" * offset + secret).decode()
            inner = text[offset + 1 : 8 * (offset + len(secret)) // BASE64_BITS]
            if len(inner) >= MIN_PART:
                yield inner


def mask_secrets(text: str, secrets: Iterable[str]) -> str:
    """The text without these secrets, given in the forms of `secret_forms`, and without credentials by name."""
    mask = _masked_label if len(text) <= LABEL else _masked_text
    return mask(text, tuple(secrets))


def mask_value(value: Any, secrets: Iterable[str]) -> Any:
    """A JSON value with each text in it masked by itself: what stands next to a word such as api_key may be a member.

    Names in small letters are those of our own files, which must be read again; other names are masked as well.
    """
    secrets = secrets if isinstance(secrets, tuple) else tuple(secrets)
    if isinstance(value, str):
        return mask_secrets(value, secrets)
    if isinstance(value, list | tuple):
        return [mask_value(item, secrets) for item in value]
    if isinstance(value, Mapping):
        return {_masked_name(name, secrets): mask_value(member, secrets) for name, member in value.items()}
    return value


def _masked_name(name: Any, secrets: tuple[str, ...]) -> Any:
    return mask_secrets(name, secrets) if isinstance(name, str) and not OWN_NAME.fullmatch(name) else name


@lru_cache(maxsize=8192)
def _masked_label(text: str, secrets: tuple[str, ...]) -> str:
    """A short text, which is likely to be written again: the name of a test, of an API, of a header."""
    return _masked_text(text, secrets)


def _masked_text(text: str, secrets: tuple[str, ...]) -> str:
    forms, reversed_forms = _forms(secrets)
    text = _masked(text, forms)
    text = _masked(text[::-1], reversed_forms)[::-1]
    lowered = _lower(text)
    if not any(map(lowered.__contains__, NAMING)):
        return text
    named = NAMED.finditer(lowered)
    return _replaced(text, [match.span("value") for match in named if not _is_shown(match["value"])])


def _is_shown(value: str) -> bool:
    """Whether the value of a credential is shown: flowproof made it up, it is masked, or it names a variable."""
    return MASK in value or any(shown.fullmatch(value) for shown in (MADE_UP, VARIABLE))


@lru_cache(maxsize=64)
def _forms(secrets: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The forms in small letters, the longest first, and reversed those that are masked from their end as well."""
    forms = tuple(sorted({_lower(secret) for secret in secrets if secret}, key=len, reverse=True))
    return forms, tuple(form[::-1] for form in forms if len(form) > MIN_PART)


def _lower(text: str) -> str:
    """The text in small letters, of the same length."""
    lowered = text.lower()
    return lowered if len(lowered) == len(text) else text.translate(ASCII_LOWER)


def _masked(text: str, forms: tuple[str, ...]) -> str:
    """The text with every form masked, also where only its beginning is left."""
    lowered, (by_beginning, pattern), spans, position = _lower(text), _beginnings(forms), [], 0
    if not any(map(lowered.__contains__, by_beginning)):  # much faster than the pattern
        return text
    while match := pattern.search(lowered, position):
        position = match.start() + _length_of_match(lowered, match.start(), by_beginning[match[0]])
        spans.append((match.start(), position))
    return _replaced(text, spans)


@lru_cache(maxsize=64)
def _beginnings(forms: tuple[str, ...]) -> tuple[dict[str, list[str]], re.Pattern[str]]:
    """The forms by how they begin, the longest beginning first, and the pattern of any beginning."""
    by_beginning: dict[str, list[str]] = {}
    for form in sorted(forms, key=lambda form: min(len(form), MIN_PART), reverse=True):
        by_beginning.setdefault(form[:MIN_PART], []).append(form)
    return by_beginning, re.compile("|".join(map(_pattern, by_beginning)))


def _pattern(beginning: str) -> str:
    literal = re.escape(beginning)
    return literal if len(beginning) > SHORT else rf"(?<!\w){literal}(?!\w)"


def _length_of_match(text: str, start: int, forms: Sequence[str]) -> int:
    """How many characters from `start` belong to one of these forms, which begin there: the most of them."""
    return max(_common_length(form, text[start : start + len(form)]) for form in forms)


def _common_length(first: str, second: str) -> int:
    """How many characters both begin with."""
    pairs = enumerate(zip(first, second, strict=False))
    return next((index for index, (left, right) in pairs if left != right), min(len(first), len(second)))


def _replaced(text: str, spans: Iterable[tuple[int, int]]) -> str:
    """The text with a mask for each of these parts."""
    pieces, position = [], 0
    for start, end in spans:
        pieces += [text[position:start], MASK]
        position = end
    return "".join([*pieces, text[position:]])
