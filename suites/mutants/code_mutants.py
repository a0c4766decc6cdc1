"""The changes of a module's functions and methods by mutmut's operators, one at a time.

Decorators, annotations and text outside functions stay as they are: they have taken effect before a test begins.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from pathlib import Path

import libcst as cst
from libcst.metadata import MetadataWrapper, PositionProvider
from mutmut.mutation.mutators import mutation_operators

UNCHANGED_CALLS = ("len", "isinstance")  # as in mutmut: most changes of their arguments only raise an exception


@dataclass(frozen=True)
class Function:
    """Where a function stands: file, qualified name and number of its first line, as in its code object."""

    path: str
    qualified_name: str
    line: int


@dataclass(frozen=True, eq=False)
class CodeChange:
    """One change of a function: `node` is replaced in its definition."""

    function: Function
    definition: cst.FunctionDef
    node: cst.CSTNode
    replacement: cst.CSTNode

    @property
    def before(self) -> str:
        """The source of the function without its decorators."""
        return _source(self.definition)

    @property
    def after(self) -> str:
        """The source of the changed function without its decorators."""
        return _source(cst.ensure_type(self.definition.deep_replace(self.node, self.replacement), cst.FunctionDef))

    def lines(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The removed and the added lines, without indentation."""
        lines = list(difflib.ndiff(self.before.splitlines(), self.after.splitlines()))
        removed = tuple(line[2:].strip() for line in lines if line.startswith("- "))
        added = tuple(line[2:].strip() for line in lines if line.startswith("+ "))
        return removed, added


def changes(path: str, root: Path) -> list[CodeChange]:
    """Every change of the module at that path, which is relative to `root`."""
    wrapper = MetadataWrapper(cst.parse_module((root / path).read_text("utf-8")), unsafe_skip_copy=True)
    positions = wrapper.resolve(PositionProvider)
    visitor = _Mutations()
    wrapper.visit(visitor)
    functions = {
        definition: Function(path, name, positions[(*definition.decorators, definition)[0]].start.line)
        for definition, name in visitor.names.items()
    }
    return [CodeChange(functions[definition], definition, *change) for definition, *change in visitor.changes]


class _Mutations(cst.CSTVisitor):
    """Collects (outermost function, changed node, what replaces it), and the class that a function stands in."""

    METADATA_DEPENDENCIES = (PositionProvider,)

    def __init__(self) -> None:
        super().__init__()
        self.changes: list[tuple[cst.FunctionDef, cst.CSTNode, cst.CSTNode]] = []
        self.names: dict[cst.FunctionDef, str] = {}
        self._stack: list[cst.CSTNode] = []

    def on_visit(self, node: cst.CSTNode) -> bool:
        """Notes the mutations of a node; False where nothing below it is changed."""
        if _stays(node):
            return False
        if isinstance(node, cst.FunctionDef | cst.ClassDef):
            self._stack.append(node)
        function = next((outer for outer in self._stack if isinstance(outer, cst.FunctionDef)), None)
        if isinstance(node, cst.FunctionDef) and node is function:
            self.names[node] = ".".join(outer.name.value for outer in self._stack)  # type: ignore[attr-defined]
        if function is not None:
            for kind, operator in mutation_operators:
                if isinstance(node, kind):
                    self.changes += [(function, node, replacement) for replacement in operator(node)]
        return True

    def on_leave(self, original_node: cst.CSTNode) -> None:
        """Ends a function or class."""
        if self._stack and self._stack[-1] is original_node:
            self._stack.pop()


def _stays(node: cst.CSTNode) -> bool:
    match node:
        case cst.Annotation() | cst.Decorator():
            return True
        case cst.Call(func=cst.Name(value=name)):
            return name in UNCHANGED_CALLS
        case cst.Param(default=cst.CSTNode() as default):
            return not isinstance(default, cst.Name | cst.BaseNumber | cst.BaseString)
    return False


def _source(function: cst.FunctionDef) -> str:
    return cst.Module([function.with_changes(decorators=(), leading_lines=())]).code
