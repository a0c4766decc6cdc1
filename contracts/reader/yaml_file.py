"""Reads one YAML file of a contract as data, strictly: what is not understood is an error with file and line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from contracts.errors import ContractError, Location

TAG = "tag:yaml.org,2002:"
MERGE = f"{TAG}merge"  # the key `<<`
JSON_TAGS = {f"{TAG}{name}" for name in ("str", "int", "float", "bool", "null", "map", "seq")}
ROOT = Path(__file__).parents[2]
MAX_SHOWN = 80  # characters of a value in a message
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the same language; the first is written in C


@dataclass(frozen=True)
class YamlFile:
    """One file of a contract as data. Each key is a text and stands once, and every value is one that JSON has."""

    path: Path
    text: str
    data: Any
    loader_class: Any = _Loader

    def error(self, location: Location, reason: str) -> ContractError:
        """The error about the part at that location, with file and line."""
        return ContractError(f"{display_path(self.path)}, line {self.line(location)}: {reason}", location)

    def line(self, location: Location) -> int:
        """The line of that part, from 1; of the nearest part around it when there is none at that location."""
        node, line = self._root, 1
        for part in location:
            if isinstance(node, yaml.MappingNode):  # the last of two that are equal: a merged one stands before ours
                entry = next(((key, value) for key, value in reversed(node.value) if key.value == part), None)
                if entry is None:
                    return line
                line, node = entry[0].start_mark.line + 1, entry[1]
            elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
                node = node.value[part]
                line = node.start_mark.line + 1
            else:
                return line
        return line

    @cached_property
    def _root(self) -> yaml.Node:
        """The file as nodes with their lines, made anew, since only an error needs them."""
        loader = self.loader_class(self.text)
        node: yaml.Node = loader.get_single_node()
        loader.construct_document(node)  # puts the members of merged mappings in place
        return node


def read_contract_file(
    path: Path, loader_class: Any = _Loader, advice: str = "contracts/README.md has the format"
) -> YamlFile:
    """That file of a contract. Raises ContractError when there is none, or nothing in it, or no strict YAML.

    `loader_class` says which texts are numbers or days; `advice` is where a user reads on.
    """
    name = display_path(path)
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        raise ContractError(f"{name} is missing: expected a file of that name; {advice}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ContractError(f"{name} cannot be read: {error}") from None
    loader = loader_class(text)
    try:
        node = loader.get_single_node()
        if node is None:
            raise ContractError(f"{name}: it is empty; {advice}")
        for culprit, reason in _not_strict(node):
            raise ContractError(f"{name}, line {culprit.start_mark.line + 1}: {reason}")
        return YamlFile(path, text, loader.construct_document(node), loader_class)
    except yaml.MarkedYAMLError as error:
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise ContractError(f"{name}{line}: this is no YAML: {' '.join(str(error.problem).split())}") from None
    except yaml.YAMLError as error:
        raise ContractError(f"{name}: this is no YAML: {' '.join(str(error).split())}") from None
    finally:
        loader.dispose()


def _not_strict(root: yaml.Node) -> Iterator[tuple[yaml.Node, str]]:
    """What plain YAML allows and a contract does not: names twice, names that are no text, values that JSON lacks."""
    nodes, seen = [root], {id(root)}
    while nodes:
        node = nodes.pop()
        if node.tag not in JSON_TAGS:
            yield node, f"got {describe_node(node)}, a {node.tag.removeprefix(TAG)}: expected a text; put it in quotes"
        if isinstance(node, yaml.MappingNode):
            names = set()
            for key, _ in node.value:
                if key.tag not in (f"{TAG}str", MERGE):
                    yield key, f"got {describe_node(key)} for a name: expected a text; put it in quotes"
                elif key.value in names:
                    yield key, f"{key.value!r} stands here twice: expected it once"
                names.add(key.value)
            inner = [value for _, value in node.value]
        else:
            inner = node.value if isinstance(node, yaml.SequenceNode) else []
        for child in inner:
            if id(child) not in seen:  # an alias is the node of its anchor
                seen.add(id(child))
                nodes.append(child)


def display_path(path: Path) -> str:
    """A path for a message: from the root of the checkout when it lies in there."""
    return path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else str(path)


def describe_node(node: yaml.Node) -> str:
    """A node's value for a message."""
    return repr(node.value) if isinstance(node, yaml.ScalarNode) else f"a {node.tag.rpartition(':')[2]}"


def describe_value(value: Any) -> str:
    """A value for a message: a short text as it is, else what kind of value it is."""
    if isinstance(value, dict | list):
        return "nothing" if not value else "names with values" if isinstance(value, dict) else "a list"
    text = "nothing" if value is None else repr(value)
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}…"
