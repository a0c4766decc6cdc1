"""Where a load run goes, and whether it may: our reference unless a host is named, and nobody else's by accident.

Rule: load on a server that is not on loopback needs `LOAD_PERMITTED_BY="name, YYYY-MM-DD"`, who allowed it and when,
which is told with the results; changing something there needs `<API>_WRITES=1` as well. No host name is a default.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import date
from urllib.parse import urlsplit

from fixtures.targets import Misuse, Target, embedded, engine, engine_host, from_environment, is_loopback
from loadtests.mailbox import mailbox

PERMITTED = "LOAD_PERMITTED_BY"
HOW = f'{PERMITTED}="name, YYYY-MM-DD", who allowed this load and when'
SMTP = "127.0.0.1:2525"  # where a target that we did not start sends its mail, unless <API>_SMTP says otherwise


class NotAllowed(Misuse):
    """Nobody has permitted a load on that host."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where all APIs of a run are: `host` as Locust has it, "" without one; `mail` is where its mail is handed out."""

    host: str = ""
    mail: str = ""


def permitted_by(environ: Mapping[str, str]) -> str:
    """Who allowed the load and when, "" when nobody did. Raises Misuse for what does not say both."""
    said = environ.get(PERMITTED, "").strip()
    if not said:
        return ""
    name, _, day = said.rpartition(",")
    try:
        if not name.strip() or not re.fullmatch(r"\d{4}-\d{2}-\d{2}", day.strip()):
            raise ValueError
        date.fromisoformat(day.strip())
    except ValueError:
        raise Misuse(f"{PERMITTED}: expected a name and a date such as 'Jo Doe, 2026-11-22', got {said!r}") from None
    return said


def target(api: str, apis: Sequence[str], place: Place, environ: Mapping[str, str]) -> Target | None:
    """Where that API of the run's is, None when nothing says it.

    The host is the API's own URL when the run has one API; with several, each is below it under its name. Without a
    host it is `<API>_URL`. Raises Misuse for a URL that is none, and for a host that nobody has permitted.
    """
    variable = f"{api.upper()}_URL"
    host = place.host.rstrip("/")
    url = host if host and len(apis) == 1 else environ.get(variable) or (f"{host}/{api}" if host else "")
    found = from_environment(api, {**environ, variable: url})
    if found is None:
        return None
    hosts = [urlsplit(found.url).hostname or ""]
    if "DEEPSTREAM" in found.settings:
        hosts.append(engine_host(found.settings["DEEPSTREAM"], f"{api.upper()}_DEEPSTREAM"))
    for one in hosts:
        if not is_loopback(one) and not permitted_by(environ):
            raise NotAllowed(f"{one} is not on loopback, and nobody has permitted a load there: set {HOW}")
    return found


def left_out(apis: Sequence[str], place: Place, environ: Mapping[str, str]) -> dict[str, str]:
    """Of several APIs that have URLs of their own, those that no load is permitted on, and why.

    One that is asked for by itself, or by a host for all, is refused by `target` instead.
    """
    found = {}
    for api in apis if len(apis) > 1 and not place.host else ():
        try:
            target(api, apis, place, environ)
        except NotAllowed as why:
            found[api] = str(why)
    return found if len(found) < len(apis) else {}


def lacking(apis: Sequence[str], place: Place, environ: Mapping[str, str]) -> list[str]:
    """Those for which no target is given, so that our references are started. Raises Misuse as `target` does."""
    return [api for api in apis if target(api, apis, place, environ) is None]


def start(apis: Sequence[str], place: Place, environ: Mapping[str, str], stack: ExitStack) -> Place:
    """The place with what it lacks started: our references in one process, and a mailbox. `stack` ends them.

    A reference joins the deepstream engine that the environment names. Raises Misuse as `target` does, for an engine
    that cannot be joined, and when a mailbox cannot listen.
    """
    ours = lacking(apis, place, environ)
    post = {"smtp": SMTP, "http": ""}
    if "flowback" in apis:
        own = "flowback" in ours
        post = stack.enter_context(mailbox("127.0.0.1:0" if own else environ.get("FLOWBACK_SMTP", SMTP)))
    if not ours:
        return replace(place, mail=post["http"])
    engines = {api: url for api in ours if (url := engine(api, environ))}
    started = stack.enter_context(embedded(ours, post["smtp"], engines=engines))
    urls = {one.api: one.url for one in started.values()}
    url = urls[ours[0]]  # with several APIs the others have a URL of their own in the environment
    return Place(url if len(apis) == 1 else url.rpartition("/")[0], post["http"])


def settings_of(targets: Iterable[Target]) -> list[str]:
    """A line for each target, for people: where it is and what may be done there."""
    return [f"{one.api}: {one.url}{'' if one.writes else ' (reading only)'}" for one in targets]
