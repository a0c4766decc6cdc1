"""What the checks of a contract say, and about which part: each check alone, on a few mappings."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import contracts
from contracts import contract_check
from contracts.errors import ContractError
from contracts.loader import source_files
from contracts.openapi import Contract
from contracts.operation import Schema
from contracts.reader import document_reader, promise_check
from contracts.reader import optional_settings as settings_module
from contracts.reader.consistency import _link_problems, _parameter_problems
from contracts.reader.document_parts import nearest, parts
from contracts.reader.document_reader import read_document
from contracts.reader.pointer_check import error_format_problems, known_value_problems, leads_to, resource_problems
from contracts.reader.promises import _id_errors
from suites.selftest.contracts.one_operation import contract_with, query

TEXT: Schema = {"type": "string"}


def responding(schema: Schema, **more: Any) -> Contract:
    """A contract whose operation makeThing responds with that schema."""
    content = {"application/json": {"schema": schema}}
    return contract_with(responses={"200": {"description": "done", "content": content}}, **more)


# ------------------------------------------------------------------------------------------------ parts


def test_parts_are_all_mappings_with_their_locations() -> None:
    shared = {"type": "string"}
    document = {"a": [{"b": shared}, {"c": shared}], "d": [[{"e": 1}]], "f": 1}
    assert parts(document) == [
        ((), document),
        (("a", 0), document["a"][0]),  # type: ignore[index] # a list
        (("a", 0, "b"), shared),
        (("a", 1), {"c": shared}),
        (("d", 0, 0), {"e": 1}),
    ]


@pytest.mark.parametrize("name", ["example", "examples", "default", "const", "enum"])
@pytest.mark.parametrize("holder", ["properties", "patternProperties", "schemas", "parameters", "headers"])
def test_examples_are_no_parts_unless_they_are_members_of_that_name(name: str, holder: str) -> None:
    assert [location for location, _ in parts({name: {}})] == [()]
    assert [location for location, _ in parts({"other": {name: [{}]}})] == [(), ("other",)]
    assert [location for location, _ in parts({holder: {name: {}}})] == [(), (holder,), (holder, name)]


@pytest.mark.parametrize(
    ("name", "known", "text"),
    [
        ("limits", ["limit", "offset"], ": expected limit"),
        ("limit", ["offset"], ""),
        ("abcd", ["abef"], ""),
        ("abcde", ["abcd", "abcdef", "abcdex", "abcdey"], ": expected abcdey or abcdex or abcdef"),
    ],
)
def test_names_that_are_close_are_offered(name: str, known: list[str], text: str) -> None:
    assert nearest(name, known) == text


# ------------------------------------------------------------------------------------------------ documents


def folder_with(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text)
    return folder / "openapi.yaml"


SCHEMAS = "components: {schemas: {Note: {type: object, properties: {next: {$ref: '#/components/schemas/Note'}}}}}\n"


@pytest.fixture
def read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Reads `openapi.yaml` with that text beside the file of schemas, without the check of its format."""
    monkeypatch.setattr(document_reader, "schema_errors", lambda _: [])
    return lambda text, schemas=SCHEMAS: read_document(folder_with(tmp_path, openapi=text, schemas=schemas)).data


def test_document_without_components_gets_those_of_the_file_beside_it(read: Any) -> None:
    note = {"type": "object", "properties": {"next": {"$ref": "#/components/schemas/Note"}}}
    data = read("a: {$ref: 'schemas.yaml#/components/schemas/Note'}")
    assert data == {"a": {"$ref": "#/components/schemas/Note"}, "components": {"schemas": {"Note": note}}}


def test_components_of_both_files_are_kept(read: Any) -> None:
    text = "a: {$ref: 'schemas.yaml#/components/schemas/Note'}\ncomponents: {schemas: {Own: {}}, responses: {Done: {}}}"
    components = read(text)["components"]
    assert {kind: sorted(entries) for kind, entries in components.items()} == {
        "schemas": ["Note", "Own"],
        "responses": ["Done"],
    }


def test_object_at_two_places_stays_one(read: Any) -> None:
    data = read("a: &it {$ref: 'schemas.yaml#/components/schemas/Note'}\nb: *it\nc: {d: {}}")
    assert data["a"] is data["b"]
    assert data["c"]["d"] == {}


def test_component_in_both_files_is_an_error_that_names_the_other(read: Any, tmp_path: Path) -> None:
    text = "a: {$ref: 'schemas.yaml#/components/schemas/Note'}\ncomponents:\n  schemas:\n    Note: {}"
    with pytest.raises(ContractError) as error:
        read(text)
    reason = f"components/schemas/Note stands in {tmp_path / 'schemas.yaml'} as well: expected it in one of the two"
    assert str(error.value) == f"{tmp_path / 'openapi.yaml'}, line 4: {reason}"


# ------------------------------------------------------------------------------------------------ files


def test_requests_depend_on_documents_alone(tmp_path: Path) -> None:
    for name in ("schemas.yaml", "openapi.yaml", "clauses.yaml", "readings.yaml", "settings.yaml", "notes.txt"):
        (tmp_path / name).touch()
    assert source_files(tmp_path) == [tmp_path / "openapi.yaml", tmp_path / "schemas.yaml"]


def test_settings_have_their_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "settings-of-notes").mkdir()
    (tmp_path / "settings-of-notes" / "settings.yaml").write_text("TOKEN: {type: secret, says: The token of a user.}\n")
    monkeypatch.setattr(contracts, "FOLDER", tmp_path)
    setting = settings_module.optional_settings("settings-of-notes")["TOKEN"]
    assert (setting.name, setting.type, setting.says) == ("TOKEN", "secret", "The token of a user.")
    assert settings_module.optional_settings("no-settings") == {}


def test_every_error_of_every_file_is_listed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*reasons: str) -> Any:
        def load(_: str) -> None:
            error = ContractError(reasons[0])
            error.further = reasons[1:]
            raise error

        return load

    loaders = (failing("a", "b"), lambda _: None, failing("c", "a"))
    monkeypatch.setattr(contract_check, "LOADERS", loaders)
    assert contract_check.problems("todo") == ["a", "b", "c"]


# ------------------------------------------------------------------------------------------------ parameters and links


def test_parameter_that_a_call_leaves_out_is_one_of_the_document() -> None:
    known: Any = [((), {"in": "query", "name": "limit"}), (("x",), {"x-without": ["query.limit", "query.limits"]})]
    problem = (("x", "x-without", 1), "query.limits is no parameter: expected query.limit")
    assert list(_parameter_problems(known)) == [problem]


def test_link_leads_to_an_operation_unless_it_is_a_reference() -> None:
    links = {
        "own": {"operationId": "makeThing"},
        "elsewhere": {"$ref": "#/components/links/own"},
        "wrong": {"operationId": "makeThings"},
        "none": {"operationRef": "x"},
    }
    known = [(("links", name), link) for name, link in links.items()]
    assert list(_link_problems(contract_with(), [*known, (("other", "x"), {"operationId": "y"})])) == [
        (("links", "wrong", "operationId"), "there is no operation 'makeThings': expected makeThing"),
        (("links", "none", "operationId"), "there is no operation None"),
    ]


# ------------------------------------------------------------------------------------------------ pointers


@pytest.mark.parametrize(
    ("source", "problems"),
    [
        ({"operation": "makeThing", "pointer": "/id"}, []),
        ({"operation": "makeThing"}, []),
        ({"setting": "thing"}, []),
        (
            {"operation": "makeThing", "pointer": "/ids"},
            [(("a", "x-known", "pointer"), "/ids leads to nothing in the documented response of makeThing")],
        ),
        (
            {"operation": "makeThing", "pointer": "/ids/0"},
            [(("a", "x-known", "pointer"), "/ids/0 leads to nothing in the documented response of makeThing")],
        ),
        (
            {"operation": "makeThin", "pointer": "/id"},
            [(("a", "x-known", "operation"), "todo has no operation 'makeThin': expected one of makeThing")],
        ),
    ],
)
def test_known_value_is_in_the_response_of_its_operation(source: dict[str, str], problems: list[Any]) -> None:
    contract = responding({"type": "object", "properties": {"id": TEXT}})
    assert list(known_value_problems(contract, [(("a",), {"x-known": source}), (("b",), {})])) == problems


@pytest.mark.parametrize(
    ("error", "path"),
    [
        ({"refused": {"pointer": "/x"}}, ("refused", "pointer")),
        ({"code": "/x"}, ("code",)),
        ({"attribute": "/x"}, ("attribute",)),
        ({"unique": {"pointer": "/x"}}, ("unique", "pointer")),
    ],
)
def test_member_of_a_refusal_is_in_a_response(error: dict[str, Any], path: tuple[str, ...]) -> None:
    contract = contract_with(error=error)
    reason = "/x leads to nothing in any documented response"
    assert list(error_format_problems(contract, [TEXT])) == [(("x-flowproof", "error", *path), reason)]
    assert list(error_format_problems(contract, [TEXT, {"properties": {"x": TEXT}}])) == []


@pytest.mark.parametrize(
    ("schema", "pointer", "is_there"),
    [
        ({"properties": {"a": {"items": {"properties": {"b": TEXT}}}}}, "a/*/b", True),
        ({"properties": {"a": {"items": {"properties": {"b": TEXT}}}}}, "a/0/b", True),
        ({"properties": {"a": {"items": {"properties": {"b": TEXT}}}}}, "a/x/b", False),
        ({"additionalProperties": {"properties": {"b": TEXT}}}, "any/b", True),
        ({"additionalProperties": {"properties": {"b": TEXT}}}, "0/b", False),
        ({"additionalProperties": {"properties": {"b": TEXT}}}, "*/b", False),
        ({"additionalProperties": True}, "any", False),
        *(({branch: [TEXT, {"properties": {"a": TEXT}}]}, "a", True) for branch in ("allOf", "anyOf", "oneOf")),
        *(({branch: {"properties": {"a": TEXT}}}, "a", True) for branch in ("then", "else")),
        ({"if": {"properties": {"a": TEXT}}}, "a", False),
        ({"oneOf": [{"properties": {"b": TEXT}}], "properties": {"a": TEXT}}, "a", True),
    ],
)
def test_pointer_leads_through_a_schema(schema: Schema, pointer: str, is_there: bool) -> None:
    assert leads_to(contract_with(), [schema], pointer.split("/")) is is_there


def resource(contract: Contract, **resource: str) -> list[Any]:
    """The problems of a resource `notes` with these actions and pointers."""
    view: Any = SimpleNamespace(resources={"notes": resource}, find=contract.find, resolve=contract.resolve)
    return [(location[2:], reason) for location, reason in resource_problems(view)]


def test_record_is_read_by_an_id_that_another_operation_gave() -> None:
    item = {"type": "object", "properties": {"id": TEXT}}
    known = {"x-known": {"operation": "makeThing", "pointer": "/id"}}
    fitting = [
        responding(item, parameters=[query("id", **known)]),
        responding(item, body={"properties": {"id": {"type": "string", **known}}}),
    ]
    actions = {"create": "makeThing", "read": "makeThing", "item": "", "id": "id"}
    assert [resource(contract, **actions) for contract in fitting] == [[], []]
    reason = "makeThing takes no id of a record: expected a parameter with an x-known of listThings or makeThing"
    assert resource(responding(item), **actions, list="listThings", items="")[0] == (("notes", "read"), reason)


def test_response_to_an_error_is_no_response_with_a_record() -> None:
    def content(media_type: str) -> dict[str, Any]:
        return {"description": "x", "content": {media_type: {"schema": {"properties": {"id": TEXT}}}}}

    actions = {"create": "makeThing", "item": "", "id": "id"}
    reason = "the empty pointer leads to nothing in the documented response of makeThing"
    for responses in ({"404": content("application/json")}, {"200": content("text/csv")}):
        assert resource(contract_with(responses=responses), **actions) == [(("notes", "item"), reason)]
    for status in ("201", "2XX", "default"):
        assert resource(contract_with(responses={status: content("application/json")}), **actions) == []


# ------------------------------------------------------------------------------------------------ promises


@pytest.fixture
def promises(monkeypatch: pytest.MonkeyPatch) -> None:
    """An API with one clause and one reading."""
    monkeypatch.setattr(promise_check, "clauses", lambda _: {"TODO-A-1": None})
    reading = SimpleNamespace(meanings={"ignored": "", "refused": ""})
    monkeypatch.setattr(promise_check, "readings", lambda _: {"TODO-AMB-1": reading})


@pytest.mark.parametrize(
    ("location", "mapping", "place"),
    [
        ((), {"x-clause": "TODO-A-9"}, ("x-clause",)),
        ((), {"x-clauses": ["TODO-A-1", "TODO-A-9"]}, ("x-clauses", 1)),
        ((), {"x-may-be-refused": "TODO-A-1"}, ("x-may-be-refused",)),
        ((), {"x-maximum": "TODO-A-9"}, ("x-maximum",)),
        ((), {"x-known": {"operation": "add", "mail": True, "clause": "TODO-A-9"}}, ("x-known", "clause")),
        ((), {"x-reading": {"TODO-A-1": "ignored"}}, ("x-reading", "TODO-A-1")),
        ((), {"x-reading": {"TODO-AMB-1": "x"}}, ("x-reading", "TODO-AMB-1")),
        ((), {"x-correlation": {"unstated": "TODO-A-1"}}, ("x-correlation", "unstated")),
        ((), {"x-served-if": {"reading": "TODO-A-1", "meanings": ["refused"]}}, ("x-served-if", "reading")),
        ((), {"x-served-if": {"reading": "TODO-AMB-1", "meanings": ["x"]}}, ("x-served-if", "meanings", 0)),
        ((), {"x-refusals": {"empty": {"clause": "TODO-A-9"}}}, ("x-refusals", "empty", "clause")),
        ((), {"x-refusals": {"empty": {"unstated": "TODO-A-1"}}}, ("x-refusals", "empty", "unstated")),
        (
            (),
            {"x-refusals": {"empty": {"accepted": {"TODO-AMB-1": "x"}}}},
            ("x-refusals", "empty", "accepted", "TODO-AMB-1"),
        ),
        (("x-flowproof",), {"refusals": {"empty": {"clause": "TODO-A-9"}}}, ("refusals", "empty", "clause")),
        (("x-flowproof", "error"), {"unique": {"clause": "TODO-A-9"}}, ("unique", "clause")),
        (("x-flowproof",), {"after_refusal": {"clause": "TODO-A-9"}}, ("after_refusal", "clause")),
    ],
)
@pytest.mark.usefixtures("promises")
def test_unknown_id_or_meaning_is_a_problem_of_its_place(
    location: tuple[str, ...], mapping: dict[str, Any], place: tuple[Any, ...]
) -> None:
    ((where, reason),) = promise_check.promise_problems("todo", [(location, mapping)])
    assert where == (*location, *place)
    assert reason.startswith(
        ("TODO-A-9 is no clause or reading of todo: expected TODO-A-1", "TODO-A-1 is no reading", "'x'")
    )


@pytest.mark.parametrize(
    ("location", "mapping"),
    [
        (("paths",), {"unique": {"clause": "TODO-A-9"}}),
        ((), {"x-clauses": ["TODO-A-1", "TODO-AMB-1"], "x-correlation": {}}),
        ((), {"x-refusals": {"empty": {}}, "x-reading": {"TODO-AMB-1": "refused"}}),
        ((), {"x-correlation": {"unstated": "TODO-AMB-1"}}),
        ((), {"x-served-if": {"reading": "TODO-AMB-1", "meanings": ["ignored"]}}),
    ],
)
@pytest.mark.usefixtures("promises")
def test_known_ids_are_no_problems(location: tuple[str, ...], mapping: dict[str, Any]) -> None:
    assert list(promise_check.promise_problems("todo", [(location, mapping)])) == []


def test_wrong_ids_are_errors_at_the_id() -> None:
    file: Any = SimpleNamespace(
        data=[{"id": "TODO-A-1"}, {"id": "OTHER-A-1"}, {"id": "TODO-A-1"}],
        error=lambda location, reason: (location, reason),
    )
    assert list(_id_errors("todo", file)) == [
        ((1, "id"), "got the id OTHER-A-1: expected one that starts with TODO-"),
        ((2, "id"), "TODO-A-1 stands here twice: expected each id once"),
    ]
