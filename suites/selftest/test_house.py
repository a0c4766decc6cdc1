"""The structure and names of the code: allowed imports, depth of packages, unique modules, no private language."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
OURS = ("contracts", "fixtures", "suites", "loadtests", "reports")
ALLOWED = {
    "contracts": {"contracts"},
    "fixtures/reference": {"fixtures.reference"},
    "fixtures": {"contracts", "fixtures"},
    "reports": {"contracts", "reports"},
    "loadtests": {"contracts", "fixtures", "reports", "loadtests"},
    "suites": {"contracts", "fixtures", "reports", "suites"},
}
FOREIGN = {"contracts": {"pytest", "locust", "allure"}, "fixtures": {"pytest", "locust", "allure"}}

pytestmark = pytest.mark.xdist_group("house")  # one worker parses the files


class Source(NamedTuple):
    """What a file says about itself: its docstring, what it imports anywhere, its classes, its private words."""

    docstring: str | None
    imports: frozenset[str]
    targets: frozenset[str]
    classes: tuple[str, ...]
    private_names: tuple[str, ...]


@cache
def source(path: str) -> Source:
    """That file, parsed once for all tests."""
    tree = ast.parse((ROOT / path).read_text())
    nodes = list(ast.walk(tree))
    classes = tuple(node.name for node in nodes if isinstance(node, ast.ClassDef))
    names = tuple(private_names(nodes))
    return Source(ast.get_docstring(tree), frozenset(imports(nodes)), frozenset(targets(nodes)), classes, names)


def imports(nodes: list[ast.AST]) -> Iterator[str]:
    """Every module that a file imports, anywhere in it."""
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            yield base
            if base in OURS:
                yield from (f"{base}.{alias.name}" for alias in node.names)


@cache
def files() -> list[str]:
    paths = (path for top in OURS for path in (ROOT / top).rglob("*.py"))
    return sorted(str(path.relative_to(ROOT)) for path in paths if "reports/out" not in str(path))


def layer(path: str) -> str:
    return "fixtures/reference" if path.startswith("fixtures/reference/") else path.split("/")[0]


def imports_from_above(path: str) -> set[str]:
    """Our modules that a file of its package may not import, and imports."""
    own_layer = layer(path)
    ours = {name for name in source(path).imports if name.split(".")[0] in OURS}
    from_above = {
        name for name in ours if not any(name == top or name.startswith(f"{top}.") for top in ALLOWED[own_layer])
    }
    return from_above - {"fixtures"} if own_layer == "fixtures/reference" else from_above


def test_a_file_imports_only_from_below() -> None:
    assert {path: names for path in files() if (names := imports_from_above(path))} == {}


def test_contracts_and_fixtures_know_no_runner() -> None:
    runners = {
        path: {name.split(".")[0] for name in source(path).imports} & FOREIGN.get(path.split("/")[0], set())
        for path in files()
    }
    assert {path: names for path, names in runners.items() if names} == {}


def test_a_file_opens_with_its_rule() -> None:
    silent = [path for path in files() if not source(path).docstring]
    assert silent == [], "a docstring on top says what the file is for"


MOST_FLOORS = 6
WITHOUT_INIT = {"suites", "loadtests", "loadtests/bench/scripts"}  # what pytest and Locust find by path
SHARED_NAMES = {
    "accepted_values": "variants that accept what the honest server refuses, and show it",
    "access": "faults of who may see and do what, one for each API",
    "accounts": "accounts: how a reference keeps them, and how variants treat them",
    "api": "the honest server of an API",
    "beyond_document": "faults in what the vendor's document does not say",
    "client": "the test client of an API's suite",
    "clock": "faults at ends of days and months, in summer time and in offsets, one for each API",
    "comparison": "faults in how filters and addresses are compared, one for each API",
    "data": "what a reference stores when it starts",
    "drifts": "ways in which an API may change between two runs, one for each API",
    "edits": "what faults and variants of an API are made of",
    "fields": "which members and parameters a reference knows",
    "freedoms": "variants that use what the document leaves free",
    "known_settings": "the settings that a reference's own data need",
    "leaking_state": "faults that keep something of a request for the next one, one for each API",
    "list_edges": "faults where a list or a page ends, one for each API",
    "list_oracle": "what a list must contain, computed from all records",
    "lists": "lists: how a reference makes them, and their faults and variants",
    "lost_values": "faults in values that come back in another form than they were sent, one for each API",
    "media_types": "how requests name media types, and the faults in it",
    "minimal": "the variant that keeps what is stated or shown and nothing else, one for each API",
    "meanings": "variants that choose another meaning of a reading",
    "overload": "faults of an overloaded server, one for each API",
    "record_ids": "changes in what counts as the id of a record",
    "refusals": "how a reference refuses, and its faults",
    "repeated_values": "faults that give one value to several records",
    "small_lists": "faults that must show where a list is short",
    "spelling": "faults in how another spelling of a request is read",
    "stale_reads": "faults of caches: what was read before a write is what is read after it",
    "strategies": "what an API's suite generates",
    "under_load": "faults that only load shows",
    "ways_in": "changes in how a request may be sent",
    "wide_effects": "faults in what a write reaches beyond what it names, one for each API",
    "wire": "variants of how bytes and frames are written",
    "written_forms": "variants in how written values come back, or in which are refused",
}
"""Module names that stand more than once since they are the same part of several APIs, with what they mean."""


def units(top: str) -> dict[str, set[str]]:
    """The files and folders directly in a package, each with those of its neighbours that it imports."""
    graph: dict[str, set[str]] = {}
    for path in product_files(top):
        unit = path.split("/")[1].removesuffix(".py")
        imported = {name.split(".")[1] for name in source(path).targets if name.startswith(f"{top}.")}
        graph.setdefault(unit, set()).update(imported - {unit})
    return {unit: imported & set(graph) for unit, imported in graph.items()}


def targets(nodes: list[ast.AST]) -> Iterator[str]:
    """Like `imports`, and for `from a import b` also `a.b`, which may be a module."""
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def product_files(top: str) -> list[str]:
    return [path for path in files() if path.startswith(f"{top}/") and "/selftest/" not in path]


def longest_chain(graph: dict[str, set[str]]) -> list[str]:
    """The longest chain of imports. Raises AssertionError with the circle if there is one."""
    above: list[str] = []

    @cache
    def chain(unit: str) -> tuple[str, ...]:
        assert unit not in above, f"{' imports '.join([*above, unit])}: a circle"
        above.append(unit)
        longest: tuple[str, ...] = max((chain(below) for below in sorted(graph[unit])), key=len, default=())
        above.pop()
        return (unit, *longest)

    return list(max((chain(unit) for unit in sorted(graph)), key=len))


@pytest.mark.parametrize("top", OURS)
def test_a_package_has_at_most_six_floors_and_no_circle(top: str) -> None:
    chain = longest_chain(units(top))
    assert len(chain) <= MOST_FLOORS, f"{' imports '.join(chain)}: expected at most {MOST_FLOORS} floors"


def test_a_circle_is_found() -> None:
    with pytest.raises(AssertionError, match="a imports b imports a: a circle"):
        longest_chain({"a": {"b"}, "b": {"a"}})


def test_the_longest_chain_counts_each_floor_once() -> None:
    assert longest_chain({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == ["a", "b", "c"]


def test_a_module_name_stands_for_one_thing() -> None:
    places = defaultdict(list)
    for path in files():
        name = Path(path).stem
        if not re.fullmatch(r"__\w+__|conftest|test_\w+", name):
            places[name].append(path)
    apis = {path.name for path in (ROOT / "contracts").iterdir()}
    several = {name: paths for name, paths in places.items() if len(paths) > 1 and name not in apis}
    assert {name: paths for name, paths in several.items() if name not in SHARED_NAMES} == {}
    assert set(SHARED_NAMES) - set(several) == set(), "a name that stands once needs no entry"


def test_a_folder_says_what_belongs_in_it() -> None:
    folders = sorted({str(Path(path).parent) for path in files()} - WITHOUT_INIT)
    assert [folder for folder in folders if not (ROOT / folder / "__init__.py").is_file()] == []


MOST_LINES, MOST_LINES_OF_TESTS = 400, 500


def lengths() -> dict[str, int]:
    return {path: (ROOT / path).read_bytes().count(b"\n") for path in files()}


def test_a_file_can_be_read_at_one_sitting() -> None:
    most = {path: MOST_LINES_OF_TESTS if "/selftest/" in path else MOST_LINES for path in files()}
    too_long = {path: lines for path, lines in lengths().items() if lines > most[path]}
    assert too_long == {}, "split it by subject"


def test_no_class_is_named_after_nothing() -> None:
    named = {path: [name for name in source(path).classes if NO_NAME.search(name)] for path in files()}
    assert {path: names for path, names in named.items() if names} == {}


NO_NAME = re.compile(r"(Manager|Helper|Utils?|Base)$")
PRIVATE_LANGUAGE = {"told", "found", "whole", "asked", "drawn", "spot", "due", "made", "lacks", "one", "each"}


def bound_names(nodes: list[ast.AST]) -> Iterator[tuple[int, str]]:
    """(line, name) of every function, parameter and variable.

    Fields of classes are left out: they name the keys of stored files, such as `made` in a kill table.
    """
    fields = {
        statement.target
        for node in nodes
        if isinstance(node, ast.ClassDef)
        for statement in node.body
        if isinstance(statement, ast.AnnAssign)
    }
    for node in nodes:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.lineno, node.name
        elif isinstance(node, ast.arg):
            yield node.lineno, node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and node not in fields:
            yield node.lineno, node.id
        elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name:
            yield node.lineno, node.name
        elif isinstance(node, ast.Import | ast.ImportFrom):
            yield from ((node.lineno, alias.asname) for alias in node.names if alias.asname)


def private_names(nodes: list[ast.AST]) -> list[str]:
    """Each name of PRIVATE_LANGUAGE in the order of the lines, with its line."""
    names = sorted(bound_names(nodes))
    return [f"{line}: {name}" for line, name in names if name.strip("_").lower() in PRIVATE_LANGUAGE]


def test_no_name_is_private_language() -> None:
    private = {path: list(names) for path in files() if (names := source(path).private_names)}
    assert private == {}, "name it after what it holds or returns"


@pytest.mark.parametrize(
    "text",
    [
        "def told(): pass",
        "async def _found(): pass",
        "def f(*, due=1): pass",
        "lambda one: one",
        "[0 for each in x]",
        "whole: int = 1",
        "(made := 1)",
        "for a, (asked, b) in x: pass",
        "with x as drawn: pass",
        "import x as spot",
        "try: pass\nexcept ValueError as LACKS: pass",
        "match x:\n    case [*found]: pass",
    ],
)
def test_private_language_is_found_in_every_binding(text: str) -> None:
    assert len(private_names(list(ast.walk(ast.parse(text))))) == 1


def test_a_field_may_be_named_after_the_key_of_a_stored_file() -> None:
    text = "class KillTable:\n    made: Provenance\n    def read(self): made = 1"
    assert private_names(list(ast.walk(ast.parse(text)))) == ["3: made"]
