"""Puts changed code into functions that are in use already, so no module is imported again for a mutant."""

from __future__ import annotations
import __future__

import ast
import builtins
import gc
from collections.abc import Callable, Mapping
from types import CodeType, FunctionType
from typing import Any

from suites.mutants.code_mutants import Function

_REACHED = "__reached__"


class LiveFunctions:
    """The functions of this process by file, name and line; one that is used in two places may be there twice."""

    def __init__(self, root: str) -> None:
        self._functions: dict[Function, list[FunctionType]] = {}
        self._reporting: list[tuple[FunctionType, CodeType]] = []
        for value in gc.get_objects():
            if isinstance(value, FunctionType) and value.__code__.co_filename.startswith(f"{root}/"):
                code = value.__code__
                key = Function(code.co_filename[len(root) + 1 :], code.co_qualname, code.co_firstlineno)
                self._functions.setdefault(key, []).append(value)

    def __contains__(self, function: Function) -> bool:
        return function in self._functions

    def swap(self, function: Function, source: str) -> None:
        """Gives the function the body and the defaults of `source`, its source without decorators."""
        for live in self._functions[function]:
            changed = _defined(function, ast.parse(source), live.__globals__)
            live.__code__ = changed.__code__
            live.__defaults__, live.__kwdefaults__ = changed.__defaults__, changed.__kwdefaults__

    def prepare_report(self, function: Function, source: str) -> None:
        """Compiles the unchanged function with a call that reports each time that it is entered."""
        tree = ast.parse(source)
        (definition,) = tree.body
        assert isinstance(definition, ast.FunctionDef | ast.AsyncFunctionDef)
        call = ast.parse(f"{_REACHED}({function.path!r}, {function.qualified_name!r}, {function.line})").body
        definition.body[0:0] = call
        for live in self._functions.get(function, ()):
            self._reporting.append((live, _defined(function, tree, live.__globals__).__code__))

    def report(self, reached: Callable[[str, str, int], None]) -> None:
        """Makes the functions that are prepared for it call `reached` with their file, name and line."""
        setattr(builtins, _REACHED, reached)
        for live, code in self._reporting:
            live.__code__ = code


def _defined(function: Function, tree: ast.Module, namespace: Mapping[str, Any]) -> FunctionType:
    """The function of that tree, defined in the classes that its qualified name says."""
    *classes, name = function.qualified_name.split(".")
    for class_name in reversed(classes):
        holder = ast.ClassDef(class_name, bases=[], keywords=[], body=tree.body, decorator_list=[])
        tree = ast.Module([holder], type_ignores=[])
    code = compile(ast.fix_missing_locations(tree), function.path, "exec", __future__.annotations.compiler_flag, True)
    scope = dict(namespace)
    exec(code, scope)
    value: Any = scope[(classes or [name])[0]]
    for part in [*classes[1:], name] if classes else []:
        value = vars(value)[_mangled(part, classes[-1])] if part == name else vars(value)[part]
    return value  # type: ignore[no-any-return]


def _mangled(name: str, class_name: str) -> str:
    private = name.startswith("__") and not name.endswith("__")
    return f"_{class_name.lstrip('_')}{name}" if private else name
