"""References are resolved once; only those to schemas that contain themselves stay."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.errors import ContractError
from contracts.reader.references import Resolver, dangling_references, open_reference, recursive_schemas, references


def schemas(**entries: Any) -> dict[str, Any]:
    return {"components": {"schemas": entries}}


def to(name: str, **beside: Any) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}", **beside}


def test_reference_becomes_the_very_object_that_it_leads_to() -> None:
    resolved = Resolver({**schemas(A={"type": "string"}), "one": to("A"), "two": [to("A")]}).document
    assert resolved["one"] is resolved["two"][0] is resolved["components"]["schemas"]["A"]
    assert resolved["one"] == {"type": "string"}


def test_reference_through_references_is_followed_to_its_end() -> None:
    resolved = Resolver({**schemas(A=to("B"), B=to("C"), C={"type": "string"}), "one": to("A")}).document
    assert resolved["one"] == {"type": "string"}


def test_members_beside_a_reference_are_laid_over_a_copy() -> None:
    resolver = Resolver({**schemas(A={"type": "string", "title": "a"}), "one": to("A", title="b", inner=to("A"))})
    assert resolver.document["one"] == {"type": "string", "title": "b", "inner": {"type": "string", "title": "a"}}
    assert resolver.document["components"]["schemas"]["A"]["title"] == "a"


def test_reference_may_lead_to_any_part_of_the_document() -> None:
    document = {"a": {"b/c": [{"type": "string"}]}, "one": {"$ref": "#/a/b~1c/0"}}
    assert Resolver(document).document["one"] == {"type": "string"}


def test_source_is_not_changed() -> None:
    document = {**schemas(A={"type": "string"}), "one": to("A")}
    assert Resolver(document).document != document
    assert document["one"] == to("A")


def test_member_of_the_name_ref_is_no_reference() -> None:
    document = {"properties": {"$ref": {"type": "string"}}}
    assert Resolver(document).document == document
    assert references(document) == []


def test_schemas_have_their_names_by_identity_and_so_have_copies() -> None:
    resolver = Resolver(
        {**schemas(A={"type": "string"}, B={"type": "string"}), "one": to("B"), "two": to("A", title="t")}
    )
    names = resolver.names
    of_components = resolver.document["components"]["schemas"]
    assert (names[id(of_components["A"])], names[id(of_components["B"])]) == ("A", "B")
    assert names[id(resolver.document["one"])] == "B"
    assert names[id(resolver.document["two"])] == "A"


def test_reference_to_a_schema_that_contains_itself_stays() -> None:
    tree = {"properties": {"left": to("Tree"), "leaf": to("Leaf")}}
    document = {**schemas(Tree=tree, Leaf={"type": "string"}), "one": to("Tree"), "two": to("Leaf")}
    resolved = Resolver(document).document
    assert resolved["one"] == to("Tree")
    assert resolved["two"] == {"type": "string"}
    opened = open_reference(resolved["components"]["schemas"], resolved["one"])
    assert opened == {"properties": {"left": to("Tree"), "leaf": {"type": "string"}}}


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        ({"A": {"items": to("A")}}, {"A"}),
        ({"A": {"items": to("B")}, "B": {"items": [to("A")]}}, {"A", "B"}),
        ({"A": {"items": to("B")}, "B": {"items": to("B")}}, {"B"}),
        ({"A": {"items": to("B")}, "B": {"type": "string"}}, set()),
        ({"A": {"items": to("B")}, "B": {"items": to("C")}, "C": {"items": to("A")}}, {"A", "B", "C"}),
    ],
    ids=["itself", "two", "one of two", "none", "three"],
)
def test_schema_contains_itself_directly_or_through_others(entries: dict[str, Any], expected: set[str]) -> None:
    assert recursive_schemas(schemas(**entries)) == {f"#/components/schemas/{name}" for name in expected}


def test_members_beside_a_remaining_reference_are_laid_over_it() -> None:
    assert open_reference({"A": to("B", title="a"), "B": {"title": "b", "type": "string"}}, to("A", note=1)) == {
        "title": "a",
        "type": "string",
        "note": 1,
    }


@pytest.mark.parametrize(
    "document",
    [
        schemas(A=to("A")),
        schemas(A=to("B"), B=to("A")),
        {"components": {"responses": {"A": {"$ref": "#/components/responses/A"}}}},
        {"components": {"responses": {"A": {"links": {"$ref": "#/components/responses/A"}}}}},
    ],
    ids=str,
)
def test_reference_that_leads_back_to_itself_is_an_error(document: dict[str, Any]) -> None:
    with pytest.raises(ContractError, match="leads back to itself"):
        Resolver(document)


@pytest.mark.parametrize("reference", ["#/none", "other.yaml#/a", "#a", "a", "", "#/list/*"])
def test_reference_that_leads_nowhere_is_an_error_with_its_location(reference: str) -> None:
    document = {"a": [{"b": {"$ref": reference}}], "list": [1, 2]}
    with pytest.raises(ContractError, match="leads nowhere") as error:
        Resolver(document)
    assert error.value.location == ("a", 0, "b")
    assert dangling_references(document) == [(("a", 0, "b"), reference)]


def test_dangling_reference_is_listed_where_it_stands_first() -> None:
    document = {"a": {"$ref": "#/x"}, "b": {"$ref": "#/x"}, "c": {"$ref": "#/y"}, "d": {"$ref": "#/a"}}
    assert dangling_references(document) == [(("a",), "#/x"), (("c",), "#/y")]
