"""What response headers show: which there are, the constants among them, and the form of the others."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence

from contracts.behaviour.behaviour import Behaviour, Family, share
from contracts.behaviour.text_forms import form_of, joined_forms
from contracts.exchange import Response

# of the way, not of the API: they change with a proxy, with the length of a body and with time
LEFT_OUT = ("date", "age", "content-length", "transfer-encoding", "connection", "keep-alive", "via", "trailer")
CONSTANT = re.compile(
    r"cache-control|pragma|vary|allow|accept-.*|content-(?:encoding|language|security-policy)|server"
    r"|access-control-.*|strict-transport-security|x-(?:content-type-options|frame-options|xss-protection|powered-by)"
    r"|referrer-policy|permissions-policy|(?:x-)?ratelimit-(?:limit|policy)|x-rate-limit-limit|deprecation|sunset"
    r"|api-version|x-api-version|content-version"
)
REMAINING = re.compile(r"(?:x-)?rate-?limit-(?:remaining|reset|used)|x-rate-limit-(?:remaining|reset)")
MAX_CONSTANT = 200  # characters
RELATION = re.compile(r'rel\s*=\s*"?([\w .-]+)', re.IGNORECASE)
COOKIE = re.compile(r"([^=;\s]+)=[^;]*(.*)", re.DOTALL)
Place = tuple[Family, str]  # of a behaviour in a group of responses


def header_behaviours(responses: Sequence[Response], host: str = "") -> Iterator[tuple[Place, Behaviour]]:
    """The behaviours of families `header` and `header value` of one group of responses; `host` is the target's."""
    counts: Counter[str] = Counter()
    forms: dict[str, set[str]] = defaultdict(set)
    for response in responses:
        names = {name.lower() for name, _ in response.headers} - set(LEFT_OUT)
        counts.update(names)
        for name, value in response.headers:
            forms[name.lower()].add(_value_form(name.lower(), value, host))
    for name, count in counts.items():
        yield ("header", name), share(count, len(responses))
        yield ("header value", name), Behaviour(_joined(forms[name], name), count, count)


def _value_form(name: str, value: str, host: str) -> str:
    if name in SPECIAL:
        return SPECIAL[name](value)
    if CONSTANT.fullmatch(name):
        return _directives(value)
    return "digits" if REMAINING.fullmatch(name) and value.isdecimal() else form_of(value, host)


def _joined(forms: set[str], name: str) -> str:
    is_plain = name not in SPECIAL and not CONSTANT.fullmatch(name)
    return joined_forms(forms) if is_plain else " or ".join(sorted(forms))


def _directives(value: str) -> str:
    """The value with its list in one order, so that no change of order counts."""
    parts = sorted(part.strip() for part in value.split(","))
    text = ", ".join(parts) if "GMT" not in value else value
    return text if len(text) <= MAX_CONSTANT else f"{text[:MAX_CONSTANT]}…"


def _links(value: str) -> str:
    relations = sorted({word.lower() for match in RELATION.findall(value) for word in match.split()})
    return f"rel {', '.join(relations)}" if relations else "without rel"


def _entity_tag(value: str) -> str:
    return "weak" if value.startswith("W/") else "strong" if value.startswith('"') else "unquoted"


def _scheme(value: str) -> str:
    return " ".join(value.split()[:1]).rstrip(",")


def _cookie(value: str) -> str:
    """The attributes of a cookie without its name, value and times."""
    attributes = [part.strip().partition("=") for part in value.split(";")[1:]]
    kept = [name.lower() + (f"={text}" if name.lower() == "samesite" else "") for name, _, text in attributes]
    return ", ".join(sorted(kept)) or "no attributes"


def _disposition(value: str) -> str:
    """The disposition and the names of its parameters: a file may be named after a record."""
    kind, *parameters = [part.strip() for part in value.split(";")]
    return "; ".join([kind.lower(), *sorted(part.partition("=")[0].lower() for part in parameters)])


def _content_type(value: str) -> str:
    return "; ".join(
        part.strip().lower() if not number else part.strip() for number, part in enumerate(value.split(";"))
    )


SPECIAL: dict[str, Callable[[str], str]] = {
    "link": _links,
    "etag": _entity_tag,
    "www-authenticate": _scheme,
    "set-cookie": _cookie,
    "content-type": _content_type,
    "content-disposition": _disposition,
}
