"""A small contract of our own as files, for tests of what is said when a contract is broken."""

from __future__ import annotations

from pathlib import Path

from contracts.invalid_kinds import INVALID_KINDS

CLAUSES = """\
- id: TODO-LIST-1
  section: notes
  line: "3"
  grade: stated
  check: wire
  says: All notes are listed.
- id: TODO-NOTE-1
  section: notes
  line: "5,7-9"
  grade: example
  check: fixture
  says: A note can be made, read and deleted.
- id: TODO-ERR-1
  section: errors
  line: ""
  grade: inferred
  check: wire
  says: An invalid request is refused.
- id: TODO-DOC-1
  section: notes
  line: "RFC 9110, 15.3"
  grade: public
  check: document
  says: The document names every status.
  untested: It is about the document.
"""

READINGS = """\
- id: TODO-AMB-1
  line: "4"
  question: What becomes of an unknown parameter?
  meanings:
    ignored: It does not matter.
    refused: It is an error.
  default: any
- id: TODO-AMB-2
  line: "6"
  question: Which host is meant?
  meanings: {}
  default: none
  untouched: The target's address is a setting.
"""

OPENAPI = """\
openapi: 3.1.0
info: {title: Notes, version: "1"}
servers:
  - url: /
    x-headers: {Accept: application/json}
security: [{key: []}]
x-flowproof:
  error:
    refused: {status: 4XX}
    code: /errors/*/code
    attribute: /errors/*/attribute
  refusals:
    unknown: {clause: TODO-ERR-1, status: [4XX], accepted: {TODO-AMB-1: ignored}}
    too_large: {unstated: TODO-AMB-1}
    no_body: {not_applicable: Every request may leave it out.}
<RULES>
  resources:
    notes:
      create: makeNote
      read: getNote
      delete: deleteNote gently
      list: listNotes
      item: /note
      items: /notes
      id: id
paths:
  /notes:
    get:
      operationId: listNotes
      tags: [notes]
      x-clauses: [TODO-LIST-1]
      parameters:
        - {name: limit, in: query, schema: {type: integer, minimum: 1, maximum: 100, x-may-be-refused: TODO-AMB-1}}
      responses:
        "200":
          description: The notes.
          x-clause: TODO-LIST-1
          headers:
            Link: {schema: {type: string}, x-clause: TODO-LIST-1}
          content:
            application/json:
              schema: {$ref: 'schemas.yaml#/components/schemas/Notes'}
          links:
            note: {operationId: getNote}
        4XX: {$ref: '#/components/responses/Refused'}
    post:
      operationId: makeNote
      x-clauses: [TODO-NOTE-1]
      x-safe: false
      requestBody:
        content:
          application/json:
            schema: {$ref: 'schemas.yaml#/components/schemas/NewNote'}
      responses:
        2XX: {$ref: '#/components/responses/OneNote'}
        4XX: {$ref: '#/components/responses/Refused'}
  /notes/{id}:
    parameters:
      - name: id
        in: path
        required: true
        schema: {type: string, x-known: {operation: listNotes, pointer: /notes/*/id}}
        x-refusals:
          wrong_type: {unstated: TODO-AMB-1}
    get:
      operationId: getNote
      x-clauses: [TODO-NOTE-1]
      responses:
        2XX: {$ref: '#/components/responses/OneNote'}
        4XX: {$ref: '#/components/responses/Refused'}
    delete:
      operationId: deleteNote
      x-calls:
        gently:
          x-clauses: [TODO-NOTE-1]
          x-without: [query.force]
      parameters:
        - {name: force, in: query, schema: {type: boolean}}
      responses:
        2XX: {$ref: '#/components/responses/OneNote'}
components:
  securitySchemes:
    key: {type: http, scheme: bearer}
  responses:
    OneNote:
      description: A note.
      content:
        application/json:
          schema: {type: object, properties: {note: {$ref: 'schemas.yaml#/components/schemas/Note'}}}
    Refused:
      description: What is wrong.
      x-clause: TODO-ERR-1
      content:
        application/json:
          schema: {$ref: 'schemas.yaml#/components/schemas/Refusal'}
"""

SCHEMAS = """\
components:
  schemas:
    Note:
      type: object
      required: [id]
      properties:
        id: {type: string, pattern: "^n[0-9]+$", x-clause: TODO-NOTE-1}
        text: {type: string, x-unique: true}
        parent: {$ref: '#/components/schemas/Note'}
    NewNote:
      type: object
      properties:
        text: {$ref: '#/components/schemas/Text'}
    Text: {type: string, maxLength: 100}
    Notes:
      type: object
      properties:
        notes: {type: array, items: {$ref: '#/components/schemas/Note'}}
        total: {type: integer}
    Refusal:
      type: object
      properties:
        errors:
          type: array
          items: {type: object, properties: {code: {type: string}, attribute: {type: string}}}
"""

ASYNCAPI = """\
asyncapi: 3.0.0
info: {title: Notes, version: "1"}
servers:
  plain: {host: localhost, protocol: ws, x-reading: {TODO-AMB-1: ignored}, x-correlation: {unstated: TODO-AMB-1}}
x-flowproof:
  error:
    refused: {pointer: /ok, equals: false}
    unique: {pointer: /number, clause: TODO-ERR-1}
  after_refusal: {clause: TODO-ERR-1}
  refusals:
    method.missing: {clause: TODO-ERR-1}
channels:
  notes:
    address: notes
    x-http: /notes
    messages:
      ask:
        payload: {type: object, required: [method], properties: {method: {type: string, enum: [LIST]}}}
        examples: [{payload: {method: LIST}}]
      tell:
        x-clause: TODO-LIST-1
        payload: {type: object, properties: {ok: {type: boolean}, number: {type: integer}}}
        examples: [{payload: {ok: true, number: 1}}]
operations:
  list:
    action: receive
    channel: {$ref: '#/channels/notes'}
    messages: [{$ref: '#/channels/notes/messages/ask'}]
    reply:
      channel: {$ref: '#/channels/notes'}
      messages: [{$ref: '#/channels/notes/messages/tell'}]
    x-clauses: [TODO-LIST-1]
"""

WRITTEN_OUT = ("unknown", "too_large", "no_body")
RULES = "\n".join(f"    {kind}: {{clause: TODO-ERR-1}}" for kind in INVALID_KINDS if kind not in WRITTEN_OUT)
FILES = {
    "clauses.yaml": CLAUSES,
    "readings.yaml": READINGS,
    "openapi.yaml": OPENAPI.replace("<RULES>", RULES),
    "schemas.yaml": SCHEMAS,
    "asyncapi.yaml": ASYNCAPI,
}


def write_contract(folder: Path, api: str) -> Path:
    """Writes the contract of an API of that name into that folder of contracts; returns the API's own folder."""
    (folder / api).mkdir()
    for name, text in FILES.items():
        (folder / api / name).write_text(text.replace("TODO-", f"{api.upper()}-"))
    return folder / api
