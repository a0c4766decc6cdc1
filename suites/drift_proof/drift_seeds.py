"""Seeded changes: two states of a reference, and how a comparison must name what lies between them.

Rule: `seeds/<api>.yaml` has the seeds of an API, one in a line. `change` is checked against a record of the honest
reference, or of `before`; with `undone` the change is recorded and the honest reference is checked.
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

import yaml

from contracts.behaviour.behaviour import FAMILIES, Address
from contracts.yaml_reader import YamlReader
from fixtures.reference import apis, load
from fixtures.reference.protocol import Change

FOLDER = Path(__file__).parent / "seeds"
MEMBERS = ("change", "undone", "before", "kind", "severity", "operation", "family", "place")
SEVERITIES = ("breaking", "risky", "additive", "cosmetic", "repaired")
NUMBERS = range(1, 129)  # of the kinds of change
TABLES = {"fault": "FAULTS", "variant": "VARIANTS", "drift": "DRIFTS"}


@dataclass(frozen=True, slots=True)
class Seed:
    """A seeded change. `before`, `after`: the reference's changes when it is recorded and when it is checked.

    number: of the kind of change; `operation`, `families` and `place` say at which addresses it must be reported, the
    first and the last as patterns in which `*` is any text.
    """

    api: str
    before: tuple[Change, ...]
    after: tuple[Change, ...]
    number: int
    severity: str
    operation: str
    families: tuple[str, ...]
    place: str

    @property
    def name(self) -> str:
        """Unique: the API, what is checked, and behind `after` what was recorded."""
        names = ["+".join(change.name for change in changes) for changes in (self.after, self.before)]
        return f"{self.api}.{names[0] or 'honest'}" + (f" after {names[1]}" if names[1] else "")

    @property
    def needs_socket(self) -> bool:
        """Whether it shows on a socket only."""
        return any(change.needs_socket for change in (*self.before, *self.after))

    def is_of_operation(self, address: Address) -> bool:
        """Whether the address is one of an operation that the change concerns."""
        return fnmatchcase(address.operation, self.operation)

    def is_at(self, address: Address) -> bool:
        """Whether the change may be reported at that address."""
        is_place = address.family in self.families and fnmatchcase(address.place, self.place)
        return is_place and self.is_of_operation(address)


def read_seeds(folder: Path = FOLDER) -> list[Seed]:
    """The seeds of every API that has a reference. Raises UsageError with file, line and what was expected."""
    return [seed for api in apis() for seed in _seeds_of(api, folder / f"{api}.yaml")]


def _seeds_of(api: str, path: Path) -> list[Seed]:
    if not path.exists():
        return []
    reader = YamlReader(path, "the folder of seeds")
    assert reader.root is not None, f"{path} has no seeds"
    return [_seed(api, reader, reader.mapping(node, MEMBERS)) for node in reader.items(reader.root)]


def _seed(api: str, reader: YamlReader, members: dict[str, yaml.Node]) -> Seed:
    changed = tuple(_change(api, reader, members[name]) for name in ("change", "undone") if name in members)
    recorded = (_change(api, reader, members["before"]),) if "before" in members else ()
    place = reader.text(members["place"]) if "place" in members else "*"
    return Seed(
        api=api,
        before=changed if "undone" in members else recorded,
        after=() if "undone" in members else changed,
        number=reader.positive_integer(members["kind"]),
        severity=_one_of(reader, members["severity"], SEVERITIES),
        operation=reader.text(members["operation"]),
        families=_families(reader, members["family"]),
        place=place,
    )


def _change(api: str, reader: YamlReader, node: yaml.Node) -> Change:
    kind, _, name = reader.text(node).partition(".")
    table: dict[str, Change] = getattr(load(api), TABLES[kind]) if kind in TABLES else {}
    if name not in table:
        raise reader.error(node, f"expected KIND.NAME of a {', '.join(TABLES)} of {api}, got {node.value!r}")
    return table[name]


def _families(reader: YamlReader, node: yaml.Node) -> tuple[str, ...]:
    nodes = reader.items(node) if isinstance(node, yaml.SequenceNode) else [node]
    return tuple(_one_of(reader, item, FAMILIES) for item in nodes)


def _one_of(reader: YamlReader, node: yaml.Node, names: tuple[str, ...]) -> str:
    text = reader.text(node)
    if text not in names:
        raise reader.error(node, f"expected one of {', '.join(names)}, got {text!r}")
    return text
