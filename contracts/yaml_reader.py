"""Reads YAML files of settings strictly: what is not understood is an error with file, line and what was expected."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import yaml

from contracts.errors import UsageError as UsageError
from contracts.reader.yaml_file import describe_node as describe_node

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the same language; the first is written in C
QUANTITY = re.compile(r"(\d+(?:\.\d+)?)(?: ?([^\d\s]+))?")


class YamlReader:
    """One file: its nodes are asked for what they must be, and every error names the line."""

    def __init__(self, path: Path, option: str) -> None:
        """Reads the file; `option` is how a user names another one. Raises UsageError, as all methods do."""
        self.path = path
        try:
            self.root = yaml.compose(path.read_text("utf-8"), Loader=_LOADER)
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"{path} cannot be read: {error}; name another file with {option}") from None
        except yaml.YAMLError as error:
            raise UsageError(f"{path}: this is no YAML: {' '.join(str(error).split())}") from None

    def mapping(self, node: yaml.Node | None, expected: Collection[str] = ()) -> dict[str, yaml.Node]:
        """The values of a mapping by name; only `expected` names are allowed when there are any."""
        if node is None:
            raise UsageError(f"{self.path}: it is empty")
        if not isinstance(node, yaml.MappingNode):
            raise self.error(node, f"expected names with values, got {describe_node(node)}")
        values: dict[str, yaml.Node] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise self.error(key, "expected a name")
            if key.value in values:
                raise self.error(key, f"{key.value!r} stands here twice")
            if expected and key.value not in expected:
                raise self.error(key, f"{key.value!r} is unknown: expected {', '.join(expected)}")
            values[key.value] = value
        return values

    def items(self, node: yaml.Node) -> list[yaml.Node]:
        """The items of a list that is not empty."""
        if not isinstance(node, yaml.SequenceNode) or not node.value:
            raise self.error(node, f"expected a list, got {describe_node(node)}")
        return list(node.value)

    def quantity(self, node: yaml.Node, units: Mapping[str, float], expected: str) -> float:
        """A number with one of these units, times the unit's factor."""
        match = QUANTITY.fullmatch(node.value) if isinstance(node, yaml.ScalarNode) else None
        if match is None or match[2] not in units:
            raise self.error(node, f"expected {expected} (units: {', '.join(units)}), got {describe_node(node)}")
        return float(match[1]) * units[match[2]]

    def positive_integer(self, node: yaml.Node) -> int:
        """A whole number from 1."""
        if not isinstance(node, yaml.ScalarNode) or not re.fullmatch(r"[1-9]\d*", node.value):
            raise self.error(node, f"expected a whole number from 1, got {describe_node(node)}")
        return int(node.value)

    def boolean(self, node: yaml.Node) -> bool:
        """`true` or `false`, also written as YAML 1.1 does. Raises UsageError for anything else."""
        if not isinstance(node, yaml.ScalarNode) or node.tag != "tag:yaml.org,2002:bool":
            raise self.error(node, f"expected true or false, got {describe_node(node)}")
        return node.value.lower() in ("true", "yes", "on")

    def text(self, node: yaml.Node) -> str:
        """A text that is not empty."""
        if not isinstance(node, yaml.ScalarNode) or not node.value.strip():
            raise self.error(node, f"expected a text, got {describe_node(node)}")
        return str(node.value)

    def scalar(self, node: yaml.Node) -> str:
        """A text, which may be empty."""
        if not isinstance(node, yaml.ScalarNode):
            raise self.error(node, f"expected a text, got {describe_node(node)}")
        return str(node.value)

    def error(self, node: yaml.Node, reason: str) -> UsageError:
        """The error about this node, with file and line."""
        return UsageError(f"{self.path}, line {node.start_mark.line + 1}: {reason}")
