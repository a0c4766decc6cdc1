"""Computes how many requests behaviour tests send at most, so that a run can announce it before it begins."""

from __future__ import annotations

from contracts.asyncapi import load_rpc_contract
from contracts.openapi import load_contract
from contracts.operation import Operation
from fixtures.questions.observing import Plan
from fixtures.questions.page_walk import REQUESTS as OF_PAGE_WALK
from fixtures.questions.page_walk import list_pointer

OF_RECORD_WALK = 24  # requests of the life of a record, with a list of several pages
OF_PROBES = 9  # messages of the probes of an endpoint
WAYS = 3  # transports beside that of frames by which a message that is compared goes
OF_RECORDS = 2  # requests to create and to delete a record that a question needs


def planned_requests_of_drift(api: str, plan: Plan) -> tuple[int, int]:
    """The most requests of one behaviour test of that API, and those of all its operations and calls together."""
    contract, rpc = load_contract(api), load_rpc_contract(api)
    numbers = [_of_operation(operation, plan) for operation in contract.operations.values()]
    for call in rpc.calls.values() if rpc else ():
        questions = plan.of_call(call)
        own = 1 if call.safe else 1 + OF_RECORDS
        numbers.append(sum(own * (1 + WAYS * it.is_compared) for it in questions) + OF_PROBES)
    return max(numbers), sum(numbers)


def _of_operation(operation: Operation, plan: Plan) -> int:
    contract = load_contract(operation.api)
    creates = {resource.get("create") for resource in contract.resources.values()}
    own = 1 if operation.safe else 1 + OF_RECORDS
    number = own * len(plan.of_operation(operation))
    number += OF_PAGE_WALK if list_pointer(contract, operation) else 0
    return number + (OF_RECORD_WALK if plan.writes and operation.id in creates else 0)
