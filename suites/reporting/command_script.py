"""Writes exchanges as commands for a POSIX shell, in which what a response gives out is kept for later requests."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from contracts.exchange import Exchange, as_curl
from fixtures.target_api import Api
from suites.reporting.produced_values import CERTAIN, contains, values_to_keep

SHORT = 4  # characters: a shorter value stands in many places by chance
PLACEHOLDER = "flowproofVariable{}x"
PLAIN = {"curl -sS -i": "curl -sS", "wsdump --eof": "wsdump --raw --eof"}  # heads of commands, without other output
READER = "python3 -c 'import json,sys; print(json.load(sys.stdin){})'"


class MailedCode(NamedTuple):
    """A code that came by mail, the exchange that let it be sent, and to which address."""

    code: str
    exchange: Exchange
    address: str


def command_lines(
    api: Api, exchanges: Sequence[Exchange], mailed: Iterable[MailedCode] = ()
) -> Iterator[tuple[str, Exchange]]:
    """A command for each exchange; a value that one of them produces is kept in a variable for those after it.

    A line that asks for a code that came by mail follows the exchange that let it be sent.
    """
    names: dict[str, str] = {}  # of variables, by value
    for number, exchange in enumerate(exchanges):
        later = exchanges[number + 1 :]
        command = _command(api, exchange, names)
        fresh = [it for it in values_to_keep(api, exchange) if it.text not in names and _is_sent_later(it.text, later)]
        fresh = list({it.text: it for it in reversed(fresh)}.values())
        codes = [it for it in mailed if it.exchange is exchange and _is_sent_later(it.code, later)]
        plain = _with_plain_output(command)
        if codes or not fresh or not plain:
            yield command, exchange
            for code in codes:
                names[code.code] = _unused("code", names)
                yield f"read -r {names[code.code]}  # the code in the mail to {code.address}", exchange
            continue
        name = _unused(fresh[0].name, names)
        names[fresh[0].text] = name
        reader = READER.format("".join(f"[{json.dumps(key)}]" for key in fresh[0].keys))
        yield f"{name}=$({plain} | tee /dev/stderr | {reader})", exchange


def _with_plain_output(command: str) -> str:
    """The command that prints the body of the response and nothing else; "" where there is none."""
    head = next((head for head in PLAIN if command.startswith(head)), "")
    return command.replace(head, PLAIN[head], 1) if head else ""


def _is_sent_later(value: str, later: Sequence[Exchange]) -> bool:
    return any(contains(exchange.request, value) for exchange in later)


def _unused(name: str, names: Mapping[str, str]) -> str:
    taken, number, unused = set(names.values()), 1, name
    while unused in taken:
        number += 1
        unused = f"{name}{number}"
    return unused


def _command(api: Api, exchange: Exchange, names: Mapping[str, str]) -> str:
    """The exchange's command, in which these values are read from their variables."""
    exchange = exchange.actual or exchange
    request, variables = exchange.request, dict(api.secret_variables)
    for value, name in names.items():
        placeholder = PLACEHOLDER.format(name)
        request = replace(
            request,
            url=_with(request.url, value, placeholder),
            headers=tuple((key, _with(text, value, placeholder)) for key, text in request.headers),
            body=_with(request.body.decode(), value, placeholder).encode() if _is_text(request.body) else request.body,
        )
        variables[placeholder] = name
    return as_curl(replace(exchange, request=request), api.secrets, variables)


def _is_text(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def _with(text: str, value: str, placeholder: str) -> str:
    """The text with the placeholder where the value stands alone; a short one only where an id may stand."""
    word = re.escape(value)
    if len(value) >= CERTAIN:
        return text.replace(value, placeholder)
    if len(value) >= SHORT:
        return re.sub(rf"(?<![\w.-]){word}(?![\w.-])", placeholder, text)
    text = re.sub(rf"(?<=/){word}(?=[/?#]|$)", placeholder, text)
    text = re.sub(rf"((?:^|[?&])\w*id=){word}(?=&|$)", rf"\g<1>{placeholder}", text)
    return re.sub(rf'("\w*id"\s*:\s*"?){word}(?!\w)', rf"\g<1>{placeholder}", text)
