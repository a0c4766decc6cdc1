"""Tokens and what they give access to. The document only names tokens; public clients send `Authorization: Bearer`."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from hypothesis import strategies as st

from contracts.exchange import Exchange
from fixtures.target_api import Api, MissingPrecondition
from suites.getflow.client import (
    KINDS,
    LISTS,
    TASKS,
    UNKNOWN_ID,
    VERSIONINGS,
    RecordKind,
    accepted_body,
    is_success,
    json_body,
    permitted_operations,
    problem_codes,
    problems,
    refusal_problems,
    response_text,
    send,
    single_record,
)
from suites.getflow.pagination import all_records
from suites.getflow.record_factory import RecordFactory
from suites.getflow.strategies import queries
from suites.hypothesis_checks import for_all
from suites.observed_readings import ObservedReadings
from suites.reporting.failures import violation

clause = pytest.mark.clause
ATTRIBUTES = {"name": "by nobody"}


def _send_with_access(
    api: Api, factory: RecordFactory, operation: tuple[RecordKind, str], ids: dict[RecordKind, Any], **access: Any
) -> Exchange:
    kind, action = operation
    attributes = factory.required_attributes(kind) if action == "create" else ATTRIBUTES if action == "update" else None
    return send(api, kind, action, ids[kind], attributes=attributes, **access)


@clause("GETFLOW-AUTH-1")
@pytest.mark.parametrize("credentials", ["none", "wrong", "empty"])
@pytest.mark.parametrize("versioning", VERSIONINGS, ids=["Accept", "prefix"])
def test_nothing_is_served_without_a_known_token(
    api: Api, factory: RecordFactory, credentials: str, versioning: int
) -> None:
    """No operation is served without a valid token, and a refused update changes nothing."""
    ids = factory.ids_by_kind()
    for operation in permitted_operations(api):
        exchange = _send_with_access(api, factory, operation, ids, credentials=credentials, versioning=versioning)
        assert exchange.response.status == 401, f"{operation[1]} {operation[0]}: {response_text(exchange)}"
        refusal_problems(api, exchange, "GETFLOW-AUTH-1")
    after = single_record(api, send(api, LISTS, "read", ids[LISTS]), LISTS, "GETFLOW-AUTH-1")
    assert after.get("name") != ATTRIBUTES["name"], "refused, but the record has changed"


@clause("GETFLOW-AUTH-1")
def test_an_invalid_token_is_refused(api: Api) -> None:
    """An invented, truncated or extended token is refused."""
    token = api.setting("TOKEN")

    def check(kind: RecordKind, guess: str) -> None:
        exchange = send(api, kind, "list", headers={"Authorization": f"Bearer {guess}"})
        assert exchange.response.status == 401, response_text(exchange)

    invented = st.text(st.characters(codec="ascii", categories=("L", "N")), min_size=1, max_size=40)
    similar = st.sampled_from([token[:-1], token + "x", token.swapcase(), "null", "undefined", "*"])
    for_all(
        check, 15, kind=st.sampled_from(KINDS), guess=invented.filter(lambda candidate: candidate != token) | similar
    )


@clause("GETFLOW-AUTH-1")
def test_the_token_is_sent_as_bearer(api: Api, readings: ObservedReadings) -> None:
    """The token is accepted after Bearer, and not in the query, with Basic or alone."""
    token = api.setting("TOKEN")
    basic = base64.b64encode(f"{token}:".encode()).decode()
    other_forms = [
        send(api, TASKS, "list", headers={"Authorization": f"Basic {basic}"}),
        send(api, TASKS, "list", headers={"Authorization": token}),
        send(api, TASKS, "list", query={"access_token": token}, credentials="none"),
    ]
    bearer_works = is_success(send(api, TASKS, "list"))
    readings.one_of(
        "GETFLOW-AMB-1",
        bearer=bearer_works and not any(map(is_success, other_forms)),
        other=any(map(is_success, other_forms)),
    )


@clause("GETFLOW-AUTH-2")
@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_lists_stay_within_the_organisation(api: Api, kind: RecordKind) -> None:
    """Every listed and included record belongs to the requested organisation, whatever the query."""
    organisation = int(api.setting("ORGANIZATION_ID"))

    def check(query: dict[str, Any]) -> None:
        compared = 0
        body = accepted_body(api, send(api, kind, "list", query=query), "GETFLOW-AUTH-2")
        for name in {kind.plural, *kind.includes} & set(body):
            owners = {
                record.get("id"): record["organization_id"] for record in body[name] if "organization_id" in record
            }
            foreign_ids = [identifier for identifier, owner in owners.items() if owner != organisation]
            assert not foreign_ids, f"{name} of another organisation: {foreign_ids[:5]}"
            compared += len(owners)
        if not compared:
            raise MissingPrecondition(f"no {kind} say which organisation they belong to")

    for_all(check, 12, query=queries(api, kind))


@clause("GETFLOW-AUTH-2", "GETFLOW-ERR-12")
def test_another_accounts_organisation_seems_not_to_exist(api: Api, factory: RecordFactory) -> None:
    """Another account's organisation is refused exactly like an organisation that does not exist."""
    foreign_organisation = api.setting("FOREIGN_ORGANIZATION_ID")
    ids = factory.ids_by_kind()
    for operation in permitted_operations(api):
        foreign, unknown = (
            _send_with_access(api, factory, operation, ids, query={"organization_id": organisation})
            for organisation in (foreign_organisation, UNKNOWN_ID)
        )
        assert not is_success(foreign), f"{operation[1]} {operation[0]}: {response_text(foreign)}"
        refusal, expected = _masked_refusal(foreign, foreign_organisation), _masked_refusal(unknown, UNKNOWN_ID)
        assert refusal == expected, (
            f"{operation[1]} {operation[0]}: {refusal} but an unknown organisation has {expected}"
        )


@clause("GETFLOW-AUTH-2")
def test_another_account_sees_nothing_of_this_organisation(api: Api, factory: RecordFactory) -> None:
    """Another account's token cannot read, create, change or delete records of our organisation."""
    other_account = api.with_settings(TOKEN=api.setting("OTHER_TOKEN"))
    ids = factory.ids_by_kind()
    for operation in permitted_operations(api):
        exchange = _send_with_access(other_account, factory, operation, ids)
        assert not is_success(exchange), f"{operation[1]} {operation[0]}: {response_text(exchange)}"
        refusal_problems(api, exchange, "GETFLOW-AUTH-2")
    for kind, identifier in ids.items():
        if kind.supports("read"):
            assert is_success(send(api, kind, "read", identifier)), (
                f"{kind}: refused, but the record cannot be read any more"
            )


@clause("GETFLOW-AUTH-2", "GETFLOW-ERR-12")
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.supports("read")], ids=str)
@pytest.mark.parametrize("owner_setting", ["FOREIGN", "SECOND"])
def test_a_record_of_another_organisation_seems_not_to_exist(api: Api, kind: RecordKind, owner_setting: str) -> None:
    """A record of another organisation is refused exactly like an id that no record has."""
    organisation = api.setting(f"{owner_setting}_ORGANIZATION_ID")
    owner = api.with_settings(TOKEN=api.setting("OTHER_TOKEN")) if owner_setting == "FOREIGN" else api
    records = json_body(send(owner, kind, "list", query={"organization_id": organisation, "limit": 20})).get(
        kind.plural
    )
    ids = (
        [record["id"] for record in records if isinstance(record, dict) and "id" in record]
        if isinstance(records, list)
        else []
    )
    if not ids:
        raise MissingPrecondition(f"organisation {organisation} has no {kind}")

    def check(identifier: Any) -> None:
        foreign, unknown = send(api, kind, "read", identifier), send(api, kind, "read", UNKNOWN_ID)
        assert not is_success(foreign), response_text(foreign)
        if problem_codes(foreign) != ["record_not_found"]:
            raise violation(api, "GETFLOW-ERR-12", "record_not_found", response_text(foreign), foreign)
        if _masked_refusal(foreign, identifier) != _masked_refusal(unknown, UNKNOWN_ID):
            raise violation(
                api,
                "GETFLOW-ERR-12",
                str(_masked_refusal(unknown, UNKNOWN_ID)),
                str(_masked_refusal(foreign, identifier)),
                foreign,
            )

    for_all(check, 6, identifier=st.sampled_from(ids))


def _masked_refusal(exchange: Exchange, identifier: Any) -> tuple[int, str]:
    """Status and problems of a refusal, without the requested id."""
    return exchange.response.status, str(problems(exchange)).replace(str(identifier), "…")


@clause("GETFLOW-AUTH-2")
def test_the_second_organisation_of_a_token_is_kept_apart(api: Api, factory: RecordFactory) -> None:
    """A record created in one organisation is not shown in another organisation of the same token."""
    organisation = api.setting("SECOND_ORGANIZATION_ID")
    created = factory.create(LISTS)
    listed = all_records(api, LISTS, "GETFLOW-AUTH-2", organization_id=organisation)
    assert created["id"] not in {record["id"] for record in listed}
    exchange = send(api, LISTS, "read", created["id"], query={"organization_id": organisation})
    assert not is_success(exchange), response_text(exchange)
