"""A broken contract is ours: one line names file, line, what stands there and what was expected."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path

import pytest

import contracts
from contracts.clauses import clauses, readings
from contracts.contract_check import problems
from contracts.errors import ContractError, UsageError
from contracts.openapi import load_contract
from suites.selftest.contracts.small_contract import FILES, write_contract

NUMBERS = itertools.count(1)  # contracts are read once by name, so each test has a name of its own


@dataclass(frozen=True)
class Break:
    """One way to break a contract: `old` becomes `new` in that file, and the message names the line with `at`."""

    name: str
    file: str
    old: str
    new: str
    at: str
    words: str


CLAUSES, READINGS, OPENAPI, SCHEMAS, ASYNCAPI = FILES
BREAKS = [
    # clauses
    Break(
        "clause without grade", CLAUSES, "  grade: stated\n", "", "id: TODO-LIST-1", "'grade' is missing: expected how"
    ),
    Break(
        "clause without id",
        CLAUSES,
        "- id: TODO-LIST-1\n  section",
        "- section",
        "- section",
        "'id' is missing: expected an id",
    ),
    Break(
        "clause without sentence", CLAUSES, "  says: All notes are listed.\n", "", "TODO-LIST-1", "'says' is missing"
    ),
    Break(
        "unknown grade",
        CLAUSES,
        "grade: stated",
        "grade: sure",
        "grade: sure",
        "grade: got 'sure', expected stated, example",
    ),
    Break(
        "unknown check",
        CLAUSES,
        "check: fixture",
        "check: eyes",
        "check: eyes",
        "check: got 'eyes', expected wire, fixture",
    ),
    Break(
        "unknown name in a clause",
        CLAUSES,
        "grade: stated",
        "grad: stated",
        "grad: stated",
        "'grad' is unknown here: expected one of id",
    ),
    Break(
        "name twice in a clause",
        CLAUSES,
        '  line: "3"\n',
        '  line: "3"\n  line: "4"\n',
        'line: "4"',
        "'line' stands here twice",
    ),
    Break(
        "line that is no text",
        CLAUSES,
        'line: "3"',
        "line: 3",
        "line: 3",
        "line: got 3, expected the lines of the document",
    ),
    Break(
        "line that is no line",
        CLAUSES,
        'line: "3"',
        'line: "three"',
        'line: "three"',
        "line: got 'three', expected the lines",
    ),
    Break(
        "sentence without full stop",
        CLAUSES,
        "are listed.",
        "are listed",
        "are listed",
        "expected one sentence of our own with a full stop",
    ),
    Break(
        "section in capitals",
        CLAUSES,
        "section: errors",
        "section: Errors",
        "section: Errors",
        "section: got 'Errors', expected a section",
    ),
    Break(
        "document check without reason",
        CLAUSES,
        "  untested: It is about the document.\n",
        "",
        "TODO-DOC-1",
        "'untested' is missing: expected the reason",
    ),
    Break(
        "tested clause with reason",
        CLAUSES,
        "  check: fixture\n",
        "  check: fixture\n  untested: No.\n",
        "untested: No.",
        "expected no reason under untested",
    ),
    Break(
        "clause id twice",
        CLAUSES,
        "id: TODO-NOTE-1",
        "id: TODO-LIST-1",
        "id: TODO-LIST-1",
        "TODO-LIST-1 stands here twice: expected each id once",
    ),
    Break(
        "clause id of another API",
        CLAUSES,
        "id: TODO-NOTE-1",
        "id: OTHER-NOTE-1",
        "id: OTHER-NOTE-1",
        "expected one that starts with TODO-",
    ),
    Break(
        "clause id without number",
        CLAUSES,
        "id: TODO-NOTE-1",
        "id: TODO-NOTE",
        "id: TODO-NOTE",
        "expected an id such as",
    ),
    Break(
        "date as a value",
        CLAUSES,
        'line: "3"',
        "line: 2026-01-02",
        "line: 2026-01-02",
        "expected a text; put it in quotes",
    ),
    # readings
    Break(
        "one meaning",
        READINGS,
        "    refused: It is an error.\n",
        "",
        "meanings:",
        "expected at least two possible meanings",
    ),
    Break(
        "default that is no meaning",
        READINGS,
        "default: any",
        "default: denied",
        "default: denied",
        "default: got 'denied', expected one of any, ignored, refused",
    ),
    Break(
        "meaning named any",
        READINGS,
        "    ignored:",
        "    any:",
        "any: It",
        "got 'any' for a name: expected the name of a meaning",
    ),
    Break(
        "question without question mark",
        READINGS,
        "unknown parameter?",
        "unknown parameter",
        "unknown parameter",
        "expected a question of our own",
    ),
    Break(
        "no meanings and no reason",
        READINGS,
        "  untouched: The target's address is a setting.\n",
        "",
        "id: TODO-AMB-2",
        "'untouched' is missing",
    ),
    Break(
        "reading id twice",
        READINGS,
        "id: TODO-AMB-2",
        "id: TODO-AMB-1",
        "id: TODO-AMB-1",
        "TODO-AMB-1 stands here twice",
    ),
    Break(
        "meanings as a list",
        READINGS,
        "meanings: {}",
        "meanings: [a]",
        "meanings: [a]",
        "meanings: got a list, expected at least two",
    ),
    # the document as a whole
    Break("no YAML", OPENAPI, "security: [{key: []}]", "security: [{key: []}", "x-flowproof:", "this is no YAML"),
    Break(
        "number as a name",
        OPENAPI,
        '        "200":',
        "        200:",
        "200:",
        "got '200' for a name: expected a text; put it in quotes",
    ),
    Break(
        "old OpenAPI",
        OPENAPI,
        "openapi: 3.1.0",
        "openapi: 3.0.3",
        "openapi: 3.0.3",
        "openapi: got '3.0.3', expected the version",
    ),
    Break(
        "no refusal rules",
        OPENAPI,
        "  refusals:",
        "  x-rules:",
        "x-rules:",
        "'x-rules' is unknown here: expected one of error, refusals",
    ),
    Break(
        "unknown name in x-flowproof",
        OPENAPI,
        "  resources:",
        "  resource:",
        "resource:",
        "'resource' is unknown here: expected one of error",
    ),
    Break(
        "path without slash", OPENAPI, "  /notes:", "  notes:", "  notes:", "got 'notes' for a name: expected a path"
    ),
    Break(
        "unknown security scheme",
        OPENAPI,
        "security: [{key: []}]",
        "security: [{token: []}]",
        "get:",
        "'token' is no security scheme: expected key",
    ),
    # operations
    Break(
        "operation without operationId",
        OPENAPI,
        "      operationId: getNote\n",
        "",
        "get:",
        "'operationId' is missing: expected an id",
    ),
    Break(
        "operation without x-clauses",
        OPENAPI,
        "      x-clauses: [TODO-LIST-1]\n",
        "",
        "get:",
        "'x-clauses' is missing: expected an operation with operationId and responses, and x-clauses",
    ),
    Break(
        "empty x-clauses",
        OPENAPI,
        "x-clauses: [TODO-LIST-1]",
        "x-clauses: []",
        "x-clauses: []",
        "x-clauses: got nothing, expected a list of clause ids",
    ),
    Break(
        "call without x-clauses",
        OPENAPI,
        "          x-clauses: [TODO-NOTE-1]\n",
        "",
        "gently:",
        "names no clause: expected x-clauses",
    ),
    Break(
        "operation without responses",
        OPENAPI,
        "      responses:\n        2XX: {$ref: '#/components/responses/OneNote'}\ncomp",
        "comp",
        "gently:",
        "has no response: expected responses",
    ),
    Break(
        "operationId twice",
        OPENAPI,
        "operationId: makeNote",
        "operationId: listNotes",
        "post:",
        "the operationId 'listNotes' stands here twice",
    ),
    Break(
        "unknown x- name of an operation",
        OPENAPI,
        "x-safe: false",
        "x-save: false",
        "x-save: false",
        "'x-save' is unknown here: expected one of x-clauses",
    ),
    Break(
        "x-safe that is no truth value",
        OPENAPI,
        "x-safe: false",
        "x-safe: sometimes",
        "x-safe: sometimes",
        "x-safe: got 'sometimes', expected true when",
    ),
    Break(
        "parameter in a cookie",
        OPENAPI,
        "in: query, schema: {type: boolean}",
        "in: cookie, schema: {type: boolean}",
        "in: cookie",
        "in: got 'cookie', expected query, header, path",
    ),
    Break(
        "path parameter that is not in the path",
        OPENAPI,
        "  /notes/{id}:",
        "  /notes/{key}:",
        "get:",
        "has no path parameter 'key'",
    ),
    Break(
        "status that is none",
        OPENAPI,
        '        "200":',
        '        "20":',
        '"20":',
        "got '20' for a name: expected a status",
    ),
    Break(
        "x-without that names no place",
        OPENAPI,
        "x-without: [query.force]",
        "x-without: [force]",
        "x-without: [force]",
        "expected a parameter as place.name",
    ),
    Break(
        "x-without that names no parameter",
        OPENAPI,
        "x-without: [query.force]",
        "x-without: [query.forse]",
        "x-without: [query.forse]",
        "query.forse is no parameter",
    ),
    Break(
        "link to no operation",
        OPENAPI,
        "operationId: getNote}",
        "operationId: getNotes}",
        "getNotes}",
        "there is no operation 'getNotes': expected getNote",
    ),
    # ids
    Break(
        "unknown clause of an operation",
        OPENAPI,
        "x-clauses: [TODO-LIST-1]",
        "x-clauses: [TODO-LIST-7]",
        "TODO-LIST-7",
        "TODO-LIST-7 is no clause or reading of todo: expected TODO-LIST-1",
    ),
    Break(
        "unknown clause of a response",
        OPENAPI,
        "x-clause: TODO-LIST-1\n          headers",
        "x-clause: TODO-LIST-8\n          headers",
        "TODO-LIST-8",
        "TODO-LIST-8 is no clause",
    ),
    Break(
        "unknown clause of a schema",
        SCHEMAS,
        "x-clause: TODO-NOTE-1",
        "x-clause: TODO-NOTE-5",
        "TODO-NOTE-5",
        "TODO-NOTE-5 is no clause",
    ),
    Break(
        "unknown clause of a rule",
        OPENAPI,
        "unknown: {clause: TODO-ERR-1",
        "unknown: {clause: TODO-ERR-9",
        "TODO-ERR-9",
        "TODO-ERR-9 is no clause",
    ),
    Break(
        "unstated by a clause",
        OPENAPI,
        "too_large: {unstated: TODO-AMB-1}",
        "too_large: {unstated: TODO-ERR-1}",
        "too_large:",
        "TODO-ERR-1 is no reading of todo",
    ),
    Break(
        "accepted by an unknown meaning",
        OPENAPI,
        "{TODO-AMB-1: ignored}}",
        "{TODO-AMB-1: wanted}}",
        "wanted",
        "'wanted' is no meaning of TODO-AMB-1: expected ignored, refused",
    ),
    Break(
        "accepted by an unknown reading",
        OPENAPI,
        "{TODO-AMB-1: ignored}}",
        "{TODO-AMB-8: ignored}}",
        "TODO-AMB-8",
        "TODO-AMB-8 is no reading of todo",
    ),
    Break(
        "x-may-be-refused by an unknown reading",
        OPENAPI,
        "x-may-be-refused: TODO-AMB-1",
        "x-may-be-refused: TODO-AMB-5",
        "TODO-AMB-5",
        "TODO-AMB-5 is no reading",
    ),
    # refusal rules
    Break(
        "rule without clause",
        OPENAPI,
        "unknown: {clause: TODO-ERR-1, status",
        "unknown: {status",
        "unknown: {status",
        "expected a rule with clause, unstated or not_applicable",
    ),
    Break(
        "rule with clause and unstated",
        OPENAPI,
        "too_large: {",
        "too_large: {clause: TODO-ERR-1, ",
        "too_large:",
        "expected a rule with clause, unstated or not_applicable, just one",
    ),
    Break(
        "kind without a rule",
        OPENAPI,
        "    too_large: {unstated: TODO-AMB-1}\n",
        "",
        "refusals:",
        "there is no rule for too_large",
    ),
    Break(
        "rule for no kind",
        OPENAPI,
        "          wrong_type:",
        "          wrong_tipe:",
        "wrong_tipe",
        "got 'wrong_tipe' for a name: expected a kind of invalid request",
    ),
    Break(
        "status of a rule as a number",
        OPENAPI,
        "status: [4XX], acc",
        "status: [400], acc",
        "status: [400]",
        "got 400, expected a status",
    ),
    # pointers
    Break(
        "wrong items of a resource",
        OPENAPI,
        "items: /notes",
        "items: /data",
        "items: /data",
        "/data leads to nothing in the documented response of listNotes",
    ),
    Break(
        "wrong item of a resource",
        OPENAPI,
        "item: /note\n",
        "item: /notes\n",
        "item: /notes",
        "/notes leads to nothing in the documented response of",
    ),
    Break(
        "items that are no list",
        OPENAPI,
        "items: /notes",
        "items: /total",
        "items: /total",
        "/total is no list in the documented response of listNotes",
    ),
    Break(
        "wrong id of a resource",
        OPENAPI,
        "      id: id\n",
        "      id: key\n",
        "id: key",
        "has no 'key' in the documented response of",
    ),
    Break(
        "resource of an unknown operation",
        OPENAPI,
        "read: getNote",
        "read: getNotes",
        "read: getNotes",
        "todo has no operation 'getNotes': expected one of getNote",
    ),
    Break("resource without its pointer", OPENAPI, "      items: /notes\n", "", "notes:", "'items' is missing"),
    Break(
        "resource whose reader takes no id",
        OPENAPI,
        "read: getNote",
        "read: listNotes",
        "read: listNotes",
        "listNotes takes no id of a record",
    ),
    Break(
        "known value of an unknown operation",
        OPENAPI,
        "x-known: {operation: listNotes",
        "x-known: {operation: listNote",
        "x-known:",
        "todo has no operation 'listNote'",
    ),
    Break(
        "known value that the response lacks",
        OPENAPI,
        "pointer: /notes/*/id",
        "pointer: /notes/*/key",
        "x-known:",
        "/notes/*/key leads to nothing in the documented response of listNotes",
    ),
    Break(
        "known value without pointer",
        OPENAPI,
        ", pointer: /notes/*/id",
        "",
        "x-known:",
        "x-known: got names with values, expected either setting, with or without otherwise, or operation with pointer",
    ),
    Break(
        "code that no response has",
        OPENAPI,
        "code: /errors/*/code",
        "code: /errors/*/kode",
        "kode",
        "/errors/*/kode leads to nothing in any documented response",
    ),
    Break(
        "attribute that no response has",
        OPENAPI,
        "/errors/*/attribute",
        "/error/attribute",
        "/error/attribute",
        "leads to nothing in any documented response",
    ),
    # references and schemas
    Break(
        "reference to nothing",
        OPENAPI,
        "4XX: {$ref: '#/components/responses/Refused'}\n    post",
        "4XX: {$ref: '#/components/responses/Denied'}\n    post",
        "Denied",
        "#/components/responses/Denied leads nowhere",
    ),
    Break(
        "reference to nothing in a file",
        OPENAPI,
        "schemas/NewNote'}",
        "schemas/OldNote'}",
        "OldNote",
        "schemas.yaml#/components/schemas/OldNote leads nowhere",
    ),
    Break(
        "reference to no file",
        OPENAPI,
        "'schemas.yaml#/components/schemas/NewNote'",
        "'shapes.yaml#/components/schemas/NewNote'",
        "shapes.yaml",
        "shapes.yaml#/components/schemas/NewNote leads nowhere",
    ),
    Break(
        "reference to nothing in schemas.yaml",
        SCHEMAS,
        "schemas/Text'",
        "schemas/Texts'",
        "Texts'",
        "#/components/schemas/Texts leads nowhere",
    ),
    Break(
        "reference to itself",
        SCHEMAS,
        "Text: {type: string, maxLength: 100}",
        "Text: {$ref: '#/components/schemas/Text'}",
        "    Text:",
        "leads back to itself",
    ),
    Break(
        "unknown type of a schema",
        SCHEMAS,
        "total: {type: integer}",
        "total: {type: int}",
        "total:",
        "this is no JSON Schema",
    ),
    Break("pattern that is none", SCHEMAS, '"^n[0-9]+$"', '"^n[0-9+$"', "pattern:", "is no regular expression"),
    Break(
        "unknown x- name of a schema",
        SCHEMAS,
        "x-unique: true",
        "x-uniq: true",
        "x-uniq",
        "'x-uniq' is unknown here: expected one of x-clause",
    ),
    Break(
        "component in two files",
        OPENAPI,
        "components:\n",
        "components:\n  schemas: {Note: {type: string}}\n",
        "schemas: {Note",
        "components/schemas/Note stands in",
    ),
    # AsyncAPI
    Break(
        "call that is sent",
        ASYNCAPI,
        "action: receive",
        "action: send",
        "action: send",
        "action: got 'send', expected receive",
    ),
    Break(
        "call without clause",
        ASYNCAPI,
        "    x-clauses: [TODO-LIST-1]\n",
        "",
        "  list:",
        "operation list: it names no clause",
    ),
    Break(
        "call without example",
        ASYNCAPI,
        "        examples: [{payload: {method: LIST}}]\n",
        "",
        "  list:",
        "operation list: its message has no example",
    ),
    Break(
        "call of another channel's message",
        ASYNCAPI,
        "messages: [{$ref: '#/channels/notes/messages/ask'}]",
        "messages: [{$ref: '#/channels/notes'}]",
        "  list:",
        "is no message of the channel notes",
    ),
    Break(
        "unknown clause of a call",
        ASYNCAPI,
        "x-clauses: [TODO-LIST-1]",
        "x-clauses: [TODO-LIST-4]",
        "TODO-LIST-4",
        "TODO-LIST-4 is no clause",
    ),
    Break(
        "unknown clause after a refusal",
        ASYNCAPI,
        "after_refusal: {clause: TODO-ERR-1}",
        "after_refusal: {clause: TODO-ERR-6}",
        "TODO-ERR-6",
        "TODO-ERR-6 is no clause",
    ),
    Break(
        "refusal that no reply tells",
        ASYNCAPI,
        "refused: {pointer: /ok",
        "refused: {pointer: /fine",
        "/fine",
        "/fine leads to nothing in any documented response",
    ),
    Break(
        "channel without HTTP path",
        ASYNCAPI,
        "    x-http: /notes\n",
        "",
        "notes:",
        "'x-http' is missing: expected the path over HTTP",
    ),
]


@pytest.fixture
def api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of an API whose contract is whole, in a folder of contracts of its own."""
    monkeypatch.setattr(contracts, "FOLDER", tmp_path)
    name = f"todo{next(NUMBERS)}"
    write_contract(tmp_path, name)
    return name


def named(text: str, api: str) -> str:
    """The text about the API todo as one about this API."""
    return text.replace("TODO-", f"{api.upper()}-").replace("todo", api)


def edit(api: str, broken: Break) -> Path:
    """Breaks the contract; the broken file."""
    path = contracts.FOLDER / api / broken.file
    text = path.read_text()
    assert named(broken.old, api) in text, f"the table expects {broken.old!r} in {broken.file}"
    path.write_text(text.replace(named(broken.old, api), named(broken.new, api), 1))
    return path


def test_whole_contract_has_no_problem(api: str) -> None:
    assert problems(api) == []
    assert load_contract(api).operations


@pytest.mark.parametrize("api_name", contracts.apis())
def test_contract_of_ours_has_no_problem(api_name: str) -> None:
    assert problems(api_name) == []


def test_ways_to_break_a_contract_are_many_and_different() -> None:
    assert len({broken.name for broken in BREAKS}) == len(BREAKS) >= 40


@pytest.mark.parametrize("broken", BREAKS, ids=lambda broken: broken.name)
def test_broken_contract_is_reported_in_one_line(broken: Break, api: str) -> None:
    path = edit(api, broken)
    message = problems(api)[0]
    place, _, reason = message.removeprefix(f"{path}, line ").partition(": ")
    lines = path.read_text().splitlines()
    assert message.startswith(f"{path}, line "), message
    assert named(broken.at, api) in lines[int(place) - 1], message
    assert named(broken.words, api) in reason, message
    assert "\n" not in message


@pytest.mark.parametrize("name", [CLAUSES, READINGS, OPENAPI, ASYNCAPI])
@pytest.mark.parametrize("text", ["", "# nothing\n", "5\n", "\0"])
def test_file_without_content_is_named(name: str, text: str, api: str) -> None:
    (contracts.FOLDER / api / name).write_text(text)
    assert problems(api)[0].startswith(f"{contracts.FOLDER / api / name}")


@pytest.mark.parametrize("name", [CLAUSES, READINGS, OPENAPI])
def test_missing_file_is_named(name: str, api: str) -> None:
    (contracts.FOLDER / api / name).unlink()
    assert problems(api)[0].startswith(f"{contracts.FOLDER / api / name} is missing: expected")


def test_file_in_another_encoding_is_named(api: str) -> None:
    (contracts.FOLDER / api / CLAUSES).write_bytes("- id: ü".encode("latin-1"))
    assert problems(api)[0].startswith(f"{contracts.FOLDER / api / CLAUSES} cannot be read: ")


def test_api_without_readings_has_an_empty_list(api: str) -> None:
    (contracts.FOLDER / api / READINGS).write_text("[]\n")
    assert readings(api) == {}


def test_broken_contract_stops_no_other(api: str, tmp_path: Path) -> None:
    sound_api = f"todo{next(NUMBERS)}"
    write_contract(tmp_path, sound_api)
    (contracts.FOLDER / api / READINGS).unlink()
    assert contracts.apis() == sorted([api, sound_api])
    assert problems(api) != []
    assert problems(sound_api) == []


def test_folder_without_openapi_document_is_a_broken_contract_and_not_overlooked(api: str) -> None:
    (contracts.FOLDER / api / OPENAPI).unlink()
    assert api in contracts.apis()


def test_every_mistake_of_a_file_is_reported(api: str) -> None:
    path = contracts.FOLDER / api / CLAUSES
    path.write_text(path.read_text().replace("grade: stated", "grade: sure").replace("check: fixture", "check: eyes"))
    assert [message.partition(" got ")[2][:6] for message in problems(api)[:2]] == ["'sure'", "'eyes'"]


def test_loading_a_broken_contract_is_a_usage_error(api: str) -> None:
    (contracts.FOLDER / api / CLAUSES).unlink()
    for load in (clauses, load_contract):
        with pytest.raises(ContractError) as error:
            load(api)
        assert isinstance(error.value, UsageError)


def test_unknown_operation_is_answered_with_the_names_that_are_close(api: str) -> None:
    with pytest.raises(ContractError, match="has no operation 'getNot': expected one of getNote"):
        load_contract(api).find("getNot")
