"""The way to the host of a run without a contract: by `LOAD_PROXY`, and with `LOAD_CA` and `LOAD_CLIENT_CERT`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from fixtures.network_routes import Route
from fixtures.settings import PARSERS

OWNER = "load"  # in the place of an API
ROUTE_OPTIONS = ("proxy", "ca", "client_cert")
ROUTE_VARIABLES = tuple(f"{OWNER}_{option}".upper() for option in ROUTE_OPTIONS)


def load_route(environ: Mapping[str, str]) -> Route:
    """The route of these variables. Raises UsageError for a value that none of them can have."""
    return _route(*(environ.get(variable, "").strip() for variable in ROUTE_VARIABLES))


@cache
def _route(*texts: str) -> Route:
    values: dict[str, Any] = {
        option: PARSERS[option](variable, text)
        for option, variable, text in zip(ROUTE_OPTIONS, ROUTE_VARIABLES, texts, strict=True)
        if text
    }
    route = Route(OWNER, **values)
    route.require_usable()
    return route
