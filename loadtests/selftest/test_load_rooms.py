"""Imports within loadtests: chains of six packages at most, no cycles, and one module that uses Locust's events."""

from __future__ import annotations

import ast
import importlib.machinery
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

LOADTESTS = Path(__file__).parents[1]
FLOORS = 6
TOOLS = {"bench", "fuzz", "proof", "selftest"}  # programs about the load tests, which nothing else imports
ROOMS = sorted(path.parent.name for path in LOADTESTS.glob("*/__init__.py"))
FILES = sorted(path.stem for path in LOADTESTS.glob("*.py"))
UNITS = sorted({*FILES, *ROOMS})

pytestmark = pytest.mark.xdist_group("load-rooms")  # one worker parses the files, and none while it collects


def imported(path: Path) -> Iterator[str]:
    """The modules of loadtests that a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module == "loadtests":
            yield from (f"loadtests.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


@cache
def units() -> dict[str, frozenset[str]]:
    """Each file at the top and each folder, with the others that it imports."""
    imports = {}
    for name in (*FILES, *ROOMS):
        folder = LOADTESTS / name
        paths = folder.rglob("*.py") if folder.is_dir() else [folder.with_suffix(".py")]
        modules = {module for path in paths for module in imported(path)}
        others = {module.split(".")[1] for module in modules if module.startswith("loadtests.")}
        imports[name] = frozenset(others - {name})
    return imports


def chain(name: str, above: tuple[str, ...] = ()) -> tuple[str, ...]:
    """The longest chain of imports that begins at a unit. Raises ValueError for a circle."""
    if name in above:
        raise ValueError(f"a circle of imports: {' -> '.join((*above, name))}")
    below = [chain(other, (*above, name)) for other in sorted(units()[name])]
    return (name, *max(below, key=len, default=()))


@pytest.mark.parametrize("name", UNITS)
def test_the_longest_chain_of_imports_has_six_units(name: str) -> None:
    longest = chain(name)
    assert len(longest) <= FLOORS + (name in TOOLS), " -> ".join(longest)


def test_chains_are_found_at_all() -> None:
    assert chain("getflow")[-1] == "engine"
    assert len(chain("getflow")) >= 4


@pytest.mark.parametrize("name", sorted(set(UNITS) - TOOLS))
def test_nothing_imports_the_programs_about_it(name: str) -> None:
    assert not units()[name] & TOOLS


@pytest.mark.parametrize("room", [room for room in ROOMS if room not in TOOLS])
def test_no_package_imports_a_file_that_users_edit(room: str) -> None:
    assert not units()[room] & set(FILES)


def names_of_events(path: Path) -> set[str]:
    """What of Locust's events a file imports or uses: `events`, `locust.events` or the class Events."""
    uses = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module in ("locust", "locust.event"):
            uses |= {alias.name for alias in node.names if alias.name in ("events", "Events")}
        if isinstance(node, ast.Attribute) and node.attr == "add_listener":
            uses.add("add_listener")
    return uses


def test_one_module_listens_to_locust() -> None:
    paths = [path for room in ROOMS if room not in {"selftest", "bench"} for path in (LOADTESTS / room).rglob("*.py")]
    listening = {str(path.relative_to(LOADTESTS)) for path in paths if names_of_events(path)}
    assert listening == {"locust_plugin/listeners.py"}


@pytest.mark.parametrize("api", [name for name in FILES if name != "all"])
def test_every_locustfile_registers_flowproof(api: str) -> None:
    tree = ast.parse((LOADTESTS / f"{api}.py").read_text("utf-8"))
    calls = [node.value for node in tree.body if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)]
    assert [call.func.id for call in calls if isinstance(call.func, ast.Name)] == ["register"]


def is_of_the_checkout(folder: Path) -> bool:
    """Whether that folder is the checkout or one of its packages; an environment within it is not."""
    root = LOADTESTS.parent
    packages = ("contracts", "fixtures", "loadtests", "reports", "suites")
    return folder == root or any(folder.is_relative_to(root / package) for package in packages)


@pytest.mark.parametrize(
    "name", [*FILES, *(path.name for path in LOADTESTS.iterdir() if path.is_dir() and path.name != "__pycache__")]
)
def test_no_name_at_the_top_hides_an_installed_package(name: str) -> None:
    """Locust puts the folder of its locustfile in front of all others that Python looks for modules in."""
    elsewhere = [entry for entry in sys.path if not is_of_the_checkout(Path(entry or ".").resolve())]
    assert name not in sys.stdlib_module_names
    assert importlib.machinery.PathFinder.find_spec(name, elsewhere) is None
