"""The kinds of change, read from kinds.yaml: number, name, what each does to a client, and its sentence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal, get_args

from contracts.yaml_reader import UsageError, YamlReader

Severity = Literal["breaking", "risky", "additive", "cosmetic", "repaired"]
SEVERITIES: tuple[Severity, ...] = get_args(Severity)  # the worst first
SECURITY = (13, 15)  # kinds that are shown first, whatever their severity
FILE = Path(__file__).parent / "kinds.yaml"
PARTS = ("number", "name", "severity", "says")


@dataclass(frozen=True, slots=True)
class ChangeKind:
    """number: 1 to 128, shared by kinds that differ in direction alone. says: a template with {subject}, {before},
    {after} and {where}."""

    number: int
    name: str
    severity: Severity
    says: str


@cache
def change_kinds() -> Mapping[str, ChangeKind]:
    """All kinds by name."""
    reader = YamlReader(FILE, "no option")
    kinds: dict[str, ChangeKind] = {}
    for node in reader.items(reader.root) if reader.root else ():
        parts = {name: reader.text(value) for name, value in reader.mapping(node, PARTS).items()}
        kinds[parts["name"]] = ChangeKind(
            int(parts["number"]), parts["name"], severity_named(parts["severity"]), parts["says"]
        )
    return kinds


def severity_named(text: str) -> Severity:
    """The severity of that name. Raises UsageError."""
    for severity in SEVERITIES:
        if severity == text:
            return severity
    raise UsageError(f"got the severity {text!r}: expected one of {', '.join(SEVERITIES)}")
