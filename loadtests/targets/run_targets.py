"""Decides which server a load run goes to and whether it may: our reference unless a host is named.

Rule: load on any server but our reference needs `LOAD_PERMITTED_BY="name, YYYY-MM-DD"`, who allowed it and when, which
is shown with the results; changing something there needs `<API>_WRITES=1` as well. No host name is a default.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import date

from contracts.errors import UsageError
from fixtures.mail_service import LOOPBACK
from fixtures.mailbox_process import running_mailbox
from fixtures.server_identity import is_loopback
from fixtures.setting_values import shown, trimmed, usage_error
from fixtures.smtp_sink import mail_address
from fixtures.targets import Target, deepstream_host, deepstream_url, embedded_references, from_environment
from reports.results.acceptances import AcceptanceList, acceptances_of

PERMIT_VARIABLE = "LOAD_PERMITTED_BY"
PERMIT_DAYS = 30  # before or after the day of the run on which the load was, or is to be, permitted
PERMIT_HINT = f'{PERMIT_VARIABLE}="name, YYYY-MM-DD", who allowed this load and when'


class LoadNotPermitted(UsageError):
    """Nobody has permitted a load on that host."""


@dataclass(frozen=True, slots=True)
class RunTarget:
    """Where all APIs of a run are.

    host: as Locust has it, "" without one; mail: URL of the mailbox, "" without one; embedded: the APIs for which the
    run has started a reference.
    """

    host: str = ""
    mail: str = ""
    embedded: tuple[str, ...] = ()


def permitted_by(environ: Mapping[str, str]) -> str:
    """Who allowed the load and when, "" when nobody did. Raises UsageError if the variable does not say both."""
    today = date.today()
    expected = f"a name and a date such as 'Jo Doe, {today}'"
    text = trimmed(PERMIT_VARIABLE, environ.get(PERMIT_VARIABLE, ""), expected)
    if not text:
        return ""
    name, _, written = text.rpartition(",")
    try:
        if not name.strip() or not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", written.strip()):
            raise ValueError
        day = date.fromisoformat(written.strip())
    except ValueError:
        raise usage_error(PERMIT_VARIABLE, expected, shown(text)) from None
    if abs((day - today).days) > PERMIT_DAYS:
        raise usage_error(PERMIT_VARIABLE, f"a date at most {PERMIT_DAYS} days from today, {today}", shown(text))
    return text


def resolve_target(api: str, apis: Sequence[str], run_target: RunTarget, environ: Mapping[str, str]) -> Target | None:
    """The target of that API, one of the run's `apis`; None when nothing names it.

    The host is the API's own URL when the run has one API; with several, each is below it under its name. Without a
    host it is `<API>_URL`. Raises UsageError for an invalid URL, and for a host that nobody has permitted, unless it
    does not answer: `require_permission` decides on that one when it does.
    """
    target = from_environment(api, _with_host(api, apis, run_target.host, environ))
    if target is None:
        return None
    if not target.is_silent:
        require_permission(target, environ)
    return target


def _with_host(api: str, apis: Sequence[str], host: str, environ: Mapping[str, str]) -> dict[str, str]:
    """The environment with the API's URL as the host of the run gives it."""
    host = host.rstrip("/")
    below_host = {f"{api.upper()}_URL": host if len(apis) == 1 else f"{host}/{api}"} if host else {}
    return {**environ, **below_host} if len(apis) == 1 else {**below_host, **environ}


def url_of(api: str, apis: Sequence[str], host: str, environ: Mapping[str, str]) -> str:
    """The URL of that API, one of the run's `apis`, as `resolve_target` has it; "" if nothing names it."""
    return _with_host(api, apis, host, environ).get(f"{api.upper()}_URL", "")


def run_acceptances(
    apis: Sequence[str], run_target: RunTarget, environ: Mapping[str, str], today: date
) -> dict[str, AcceptanceList]:
    """What is accepted of the targets of the run's `apis`, by API. Raises UsageError for a file that is not understood.

    Of references that the run has started, nothing is.
    """
    others = [api for api in apis if api not in run_target.embedded]
    lists = {api: acceptances_of(api, _with_host(api, apis, run_target.host, environ), today) for api in others}
    return {api: accepted for api, accepted in lists.items() if accepted.file}


def require_permission(target: Target, environ: Mapping[str, str]) -> None:
    """Raises LoadNotPermitted when nobody has permitted a load on a target that needs it.

    That is any but our reference, and any with a deepstream engine elsewhere.
    """
    if permitted_by(environ):
        return
    if not (target.embedded or target.identified):
        raise LoadNotPermitted(
            f"{target.url} does not identify itself as our reference, and nobody has permitted a load there: "
            f"set {PERMIT_HINT}"
        )
    engine = target.settings.get("DEEPSTREAM")
    if engine and not is_loopback(deepstream_host(engine, f"{target.api.upper()}_DEEPSTREAM")):
        raise LoadNotPermitted(f"{engine} is not on loopback, and nobody has permitted a load there: set {PERMIT_HINT}")


def excluded_apis(
    apis: Sequence[str], run_target: RunTarget, environ: Mapping[str, str], is_any_optional: bool = False
) -> dict[str, str]:
    """Of several APIs with URLs of their own, those that no load is permitted on, and why.

    A single API, or a host for all, is refused by `resolve_target` instead, and so are all of them together, unless
    `is_any_optional`: then nobody has asked for a load on one of them in particular.
    """
    reasons = {}
    for api in apis if (len(apis) > 1 or is_any_optional) and not run_target.host else ():
        try:
            resolve_target(api, apis, run_target, environ)
        except LoadNotPermitted as error:
            reasons[api] = str(error)
    return reasons if is_any_optional or len(reasons) < len(apis) else {}


def apis_without_target(apis: Sequence[str], run_target: RunTarget, environ: Mapping[str, str]) -> list[str]:
    """The APIs for which no target is named, so that our references are started. Raises as `resolve_target` does."""
    return [api for api in apis if resolve_target(api, apis, run_target, environ) is None]


def start_missing(
    apis: Sequence[str],
    mailing: Sequence[str],
    run_target: RunTarget,
    environ: Mapping[str, str],
    resources: ExitStack,
) -> RunTarget:
    """Starts what is missing: our references in one process, and a mailbox if any API is `mailing`.

    `resources` ends them. A reference joins the deepstream engine that the environment names. Raises UsageError as
    `resolve_target` does, for an engine that cannot be reached, and when the mailbox cannot listen.
    """
    embedded = apis_without_target(apis, run_target, environ)
    mailbox = {"smtp": "", "http": ""}
    if mailing:
        mailbox = resources.enter_context(running_mailbox(*_smtp_address(mailing, embedded, environ)))
    if not embedded:
        return replace(run_target, mail=mailbox["http"])
    engines = {api: url for api in embedded if (url := deepstream_url(api, environ))}
    references = resources.enter_context(embedded_references(embedded, mailbox["smtp"], engines=engines))
    url = references[embedded[0]].url  # with several APIs the others have a URL of their own in the environment
    return RunTarget(url if len(apis) == 1 else url.rpartition("/")[0], mailbox["http"], tuple(embedded))


def _smtp_address(mailing: Sequence[str], embedded: Sequence[str], environ: Mapping[str, str]) -> tuple[str, str]:
    """(HOST:PORT, variable): any port for our references, else where the first other target sends mail."""
    others = [api for api in mailing if api not in embedded]
    urls = {f"{api.upper()}_URL": "named" for api in others}  # by the host, if not by the environment
    host, port, variable = mail_address(others, {**environ, **urls}) if others else (LOOPBACK, 0, "")
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}", variable


def describe_targets(targets: Iterable[Target]) -> list[str]:
    """A line for each target to print: where it is and what may be done there; and one for a token from a login."""
    lines = []
    for target in targets:
        lines.append(f"{target.api}: {target.url}{'' if target.writes else ' (reading only)'}")
        lines += [target.login.sentence] if target.login else []
    return lines
