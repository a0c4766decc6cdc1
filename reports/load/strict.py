"""YAML read strictly: whatever is not understood is an error with file, line and what was expected."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from pathlib import Path

import yaml

AMOUNT = re.compile(r"(\d+(?:\.\d+)?)(?: ?([^\d\s]+))?")


class Misuse(ValueError):
    """A file that is not understood; the message names file and line, and says what was expected."""


class Strict:
    """One file: its nodes are asked for what they must be, and every complaint knows its line."""

    def __init__(self, path: Path, option: str) -> None:
        """Reads the file; `option` is how a user names another one. Raises Misuse, as all methods do."""
        self.path = path
        try:
            self.root = yaml.compose(path.read_text("utf-8"), Loader=yaml.SafeLoader)
        except (OSError, UnicodeDecodeError) as wrong:
            raise Misuse(f"{path} cannot be read: {wrong}; name another file with {option}") from None
        except yaml.YAMLError as wrong:
            raise Misuse(f"{path}: this is no YAML: {' '.join(str(wrong).split())}") from None

    def section(self, node: yaml.Node | None, expected: Collection[str] = ()) -> dict[str, yaml.Node]:
        """What a mapping holds by name; only `expected` names when there are any."""
        if node is None:
            raise Misuse(f"{self.path}: it is empty")
        if not isinstance(node, yaml.MappingNode):
            raise self.wrong(node, f"expected names with values, got {shown(node)}")
        found: dict[str, yaml.Node] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise self.wrong(key, "expected a name")
            if key.value in found:
                raise self.wrong(key, f"{key.value!r} stands here twice")
            if expected and key.value not in expected:
                raise self.wrong(key, f"{key.value!r} is unknown: expected {', '.join(expected)}")
            found[key.value] = value
        return found

    def items(self, node: yaml.Node) -> list[yaml.Node]:
        """What a list holds."""
        if not isinstance(node, yaml.SequenceNode) or not node.value:
            raise self.wrong(node, f"expected a list, got {shown(node)}")
        return list(node.value)

    def amount(self, node: yaml.Node, units: Mapping[str, float], expected: str) -> float:
        """A number with one of these units, times the unit's factor."""
        found = AMOUNT.fullmatch(node.value) if isinstance(node, yaml.ScalarNode) else None
        if found is None or found[2] not in units:
            raise self.wrong(node, f"expected {expected} (units: {', '.join(units)}), got {shown(node)}")
        return float(found[1]) * units[found[2]]

    def count(self, node: yaml.Node) -> int:
        """A whole number from 1."""
        if not isinstance(node, yaml.ScalarNode) or not re.fullmatch(r"[1-9]\d*", node.value):
            raise self.wrong(node, f"expected a whole number from 1, got {shown(node)}")
        return int(node.value)

    def text(self, node: yaml.Node) -> str:
        """A text that is not empty."""
        if not isinstance(node, yaml.ScalarNode) or not node.value.strip():
            raise self.wrong(node, f"expected a text, got {shown(node)}")
        return str(node.value)

    def wrong(self, node: yaml.Node, why: str) -> Misuse:
        """What is wrong, with its place."""
        return Misuse(f"{self.path}, line {node.start_mark.line + 1}: {why}")


def shown(node: yaml.Node) -> str:
    """A node's value for a message."""
    return repr(node.value) if isinstance(node, yaml.ScalarNode) else f"a {node.tag.rpartition(':')[2]}"
