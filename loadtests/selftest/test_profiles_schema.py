"""The JSON Schema of profiles accepts and refuses the same files as the strict reader."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml

import contracts
from contracts.yaml_reader import UsageError
from loadtests.profiles.load_profile import PROFILES_FILE, read_profiles

SCHEMA = jsonschema_rs.Draft202012Validator(
    json.loads((contracts.FOLDER / "schema" / "profiles.schema.json").read_text("utf-8"))
)
PHASES: dict[str, Any] = {
    "why": "To see it.",
    "rate": "20 /s",
    "users": 50,
    "phases": [{"name": "rise", "lasts": "1 min", "from": "0 %", "to": "100 %", "judged": False}],
    "generator": {"late": "200 ms", "stalled": "30 %"},
}
SEARCH: dict[str, Any] = {
    "why": "To find it.",
    "rate": "20 /s",
    "users": 50,
    "search": {"step": "15 s", "settle": "5 s", "precision": "5 %", "confirm": 3, "most": "1000 /s"},
}
VALUES = (
    "20 /s", "20/s", "20", 20, "30 s", "1.5 h", "2min", "10 ms", "1 %", "0%", "100", 0, "50", "050", 3.5, "", " ",
    "text", True, False, "yes", "maybe", [], {}, ["x"], [{}],
)  # fmt: skip
PLACES = (
    *((PHASES, (name,)) for name in ("why", "rate", "users", "phases", "generator", "search", "unknown")),
    *((PHASES, ("generator", name)) for name in ("late", "stalled", "cpu")),
    *((PHASES, ("phases", 0, name)) for name in ("name", "lasts", "at", "from", "to", "judged", "rate")),
    *((SEARCH, ("search", name)) for name in ("step", "settle", "precision", "confirm", "most", "least")),
)


def is_read(path: Path, document: Any) -> bool:
    path.write_text(yaml.safe_dump(document, allow_unicode=True), "utf-8")
    try:
        read_profiles(path)
    except UsageError:
        return False
    return True


def changed(profile: dict[str, Any], place: tuple[Any, ...], value: Any) -> dict[str, Any]:
    """The profile with that value at that place, or without what is there if the value is None."""
    copy = deepcopy(profile)
    node = copy
    for name in place[:-1]:
        node = node[name]
    node[place[-1]] = value
    if value is None:
        del node[place[-1]]
    return {"profile": copy}


@pytest.mark.parametrize("profile", [PHASES, SEARCH], ids=["phases", "search"])
def test_both_accept_a_profile(tmp_path: Path, profile: dict[str, Any]) -> None:
    document = {"profile": profile}
    assert (SCHEMA.is_valid(document), is_read(tmp_path / "profiles.yaml", document)) == (True, True)


@pytest.mark.parametrize(("profile", "place"), PLACES, ids=[".".join(map(str, place)) for _, place in PLACES])
def test_reader_and_schema_agree_on_each_member(
    tmp_path: Path, profile: dict[str, Any], place: tuple[Any, ...]
) -> None:
    for value in (None, *VALUES):
        document = changed(profile, place, value)
        assert SCHEMA.is_valid(document) == is_read(tmp_path / "profiles.yaml", document), document


@pytest.mark.parametrize(
    "phase", [{"at": "1 %"}, {"at": "1 %", "from": "1 %"}, {"from": "1 %"}, {"from": "1 %", "to": "2 %"}, {}], ids=repr
)
def test_reader_and_schema_agree_on_the_rates_of_a_phase(tmp_path: Path, phase: dict[str, str]) -> None:
    document = changed(PHASES, ("phases",), [{"name": "x", "lasts": "1 s"} | phase])
    assert SCHEMA.is_valid(document) == is_read(tmp_path / "profiles.yaml", document)


def test_the_published_profiles_name_the_schema_and_keep_to_it() -> None:
    text = PROFILES_FILE.read_text("utf-8")
    named = text.partition("\n")[0].removeprefix("# yaml-language-server: $schema=")
    assert (PROFILES_FILE.parent / named).resolve() == contracts.FOLDER / "schema" / "profiles.schema.json"
    assert SCHEMA.is_valid(yaml.safe_load(text))
