"""The requests and responses of the benchmarks: a task of getflow over HTTP, a device of bitvis over a websocket.

Rule: responses follow the contracts and have about 400 bytes; each request asks for another task or device, and the
HTTP response has the id that was requested.
"""

from __future__ import annotations

import json
from typing import Any

import jsonschema_rs

from contracts.openapi import load_contract
from contracts.operation import Schema

TOKEN = "benchmark-0123456789abcdef0123456789abcdef"
HEADERS = {"Authorization": f"Bearer {TOKEN}", "Accept": "application/json"}
ID = "$task"  # where nginx inserts the requested id
PATH = "/v2/tasks/{}?organization_id=52"
ONE_PATH = PATH.format(87)  # for the tools that repeat one request
TASK = {
    "id": 87,
    "organization_id": 52,
    "workspace_id": 12,
    "list_id": 1234,
    "account_id": 1,
    "owner_id": 2,
    "subscriber_ids": [1, 2],
    "name": "Check the second pump",
    "due_on": "2026-05-15",
    "starts_on": None,
    "tags": ["later"],
    "completed": False,
    "completed_at": None,
    "cleared": False,
    "note_content": "See the manual",
    "created_at": "2026-03-01T16:58:39Z",
    "updated_at": "2026-05-15T16:58:39Z",
}
DEVICE_ID = "3a472a78-4e3e-4858-8acc-eb754f9d{:04x}"  # of 65,536 devices
CALL = {"method": "OPEN", "objectid": DEVICE_ID, "token": TOKEN}
DEVICE = {
    "id": DEVICE_ID.format(0x1328),
    "created": "2026-03-01T09:23:50Z",
    "updated": "2026-05-15T09:27:40Z",
    "name": "Core switch 12",
    "address": "10.20.30.40",
    "location": "Room 4, rack 2, slot 17",
    "comment": "Replaced the power supply; the second one is on order.",
    "ports": [1, 2, 3, 4, 5, 6, 7, 8],
    "managed": True,
}


def http_response(task: str = ID) -> str:
    """The body of the response for that task; by default with nginx's variable for its id."""
    body = {"request_id": "3f1f6a5e-5b0a-4c7e-9d7e-0d6f0c0a1b2c", "task": {**TASK, "id": 0}}
    return compact(body).replace('"id":0', f'"id":{task}', 1)


def websocket_response() -> str:
    """The text message that responds to each call."""
    return compact({"status": 0, "success": True, "data": DEVICE, "dataType": "JSON"})


def websocket_call(number: int) -> str:
    """The text message that requests that device."""
    return compact(CALL).replace(DEVICE_ID, DEVICE_ID.format(number % 65_536))


def http_validator() -> jsonschema_rs.Validator:
    """The schema of a task by getflow's contract."""
    return _validator("getflow", "getTask")


def websocket_validator() -> jsonschema_rs.Validator:
    """The schema of a device by bitvis' contract."""
    return _validator("bitvis", "deviceCollectionGet OPEN by header")


def _validator(api: str, operation: str) -> jsonschema_rs.Validator:
    contract = load_contract(api)
    numbers = range(len(contract.document.get("servers") or [{}]))
    wanted = contract.find(operation, numbers[-1])
    response = wanted.response_for(200)
    if response is None:
        raise LookupError(f"{wanted} describes no response with status 200")
    schema: Schema = response.content["application/json"]["schema"]
    return contract.validator(schema)


def compact(value: Any) -> str:
    """JSON without blanks."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
