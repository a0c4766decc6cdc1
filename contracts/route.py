"""Which operation a request belongs to that was written by hand: by method, path, and what names the call.

Rule: best effort. What fits no operation belongs to none, and that is no error.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from contracts.document import Contract
from contracts.operation import Operation, Parameter

HOLE = re.compile(r"\{[^}]*\}")
Values = Mapping[str, Mapping[str, str]]  # by place, then by name; header names in lower case


@dataclass
class Routes:
    """The operations of a contract by method and path."""

    contract: Contract
    _plain: dict[tuple[str, str], list[Operation]] = field(default_factory=dict, init=False)
    _patterns: dict[str, list[tuple[re.Pattern[str], list[Operation]]]] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        for one in self.contract.operations.values():
            self._plain.setdefault((one.method, one.path), []).append(one)
        for (method, path), operations in self._plain.items():
            if "{" in path:
                self._patterns.setdefault(method, []).append((template(path), operations))

    def candidates(self, method: str, path: str) -> list[Operation]:
        """The operations with that method and path, the path below the target's URL and still escaped."""
        found = self._plain.get((method, path))
        if found:
            return found
        return next((many for pattern, many in self._patterns.get(method, ()) if pattern.fullmatch(path)), [])


def template(path: str) -> re.Pattern[str]:
    """The pattern of a path template, a group for each parameter in its order; a segment is never empty."""
    return re.compile("([^/]+)".join(re.escape(part) for part in HOLE.split(path)))


def best(candidates: list[Operation], values: Values) -> Operation | None:
    """Of operations that share method and path the one whose call is named as sent and that knows most of the rest."""
    if len(candidates) < 2:
        return candidates[0] if candidates else None
    fitting = [one for one in candidates if all(_fits(parameter, values) for parameter in one.parameters)]
    return max(fitting, key=lambda one: sum(_is_sent(parameter, values) for parameter in one.parameters), default=None)


def _is_sent(parameter: Parameter, values: Values) -> bool:
    name = parameter.name.lower() if parameter.place == "header" else parameter.name
    return parameter.place == "path" or name in values.get(parameter.place, {})


def _fits(parameter: Parameter, values: Values) -> bool:
    """Whether a parameter that has one value only, such as the name of a call, has it."""
    only = parameter.schema.get("enum", ())
    if len(only) != 1 or not parameter.required:
        return True
    name = parameter.name.lower() if parameter.place == "header" else parameter.name
    return values.get(parameter.place, {}).get(name) == str(only[0])
