"""The points of a schema, and the values that reach them."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.coverage.schema_coverage import NodeBuilder, NodeLocation
from contracts.coverage.schema_nodes import MAX_PATTERNS, SchemaNode, parse_text
from contracts.operation import Schema
from suites.selftest.contracts.one_operation import contract_with

RECURSIVE = {"Tree": {"type": "object", "properties": {"left": {"$ref": "#/components/schemas/Tree"}}}}
TREE = {"$ref": "#/components/schemas/Tree"}


class Tree:
    """The node of a schema with its points, as part of a request or of a response."""

    def __init__(self, schema: Any, request: bool = False, schemas: dict[str, Any] | None = None) -> None:
        self.points: list[str] = []
        self.names: list[str] = []
        self.contract = contract_with(schemas=schemas, body={"type": "object", "properties": {"it": schema}})
        (operation,) = self.contract.operations.values()
        assert operation.body
        resolved = operation.body.schema["properties"]["it"]
        builder = NodeBuilder(self.contract, self.add, self.is_expected if request else None)
        self.node = builder.node([resolved], NodeLocation("it", "it"))

    def add(self, display_path: str, description: str, name: str) -> int:
        self.points.append(f"{display_path}: {description}")
        self.names.append(name)
        return len(self.points) - 1

    @staticmethod
    def is_expected(name: str, schema: Schema, kind: str) -> bool:
        return f"{name} {kind}" not in schema.get("x-never", ())

    def reached(self, *values: Any, text: bool = False) -> list[str]:
        """The points that these values reach."""
        hits: set[int] = set()
        for value in values:
            assert self.node
            self.node.walk(value, hits, text)
        return [self.points[number] for number in sorted(hits)]


def request_points(schema: Any, **schemas: Any) -> list[str]:
    return Tree(schema, request=True, schemas=schemas).points


def response_points(schema: Any, **schemas: Any) -> list[str]:
    return Tree(schema, schemas=schemas).points


@pytest.mark.parametrize("schema", [{}, {"type": "string"}, {"type": "object"}, {"type": "array"}, {"minLength": 1}])
def test_schema_without_choice_has_no_node(schema: Any) -> None:
    tree = Tree(schema)
    assert (tree.node, tree.points) == (None, [])


@pytest.mark.parametrize("schema", [True, False])
def test_schema_that_is_true_or_false_has_no_node(schema: bool) -> None:
    assert Tree(schema).node is None


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"minimum": 0}, ["at the minimum 0", "below the minimum 0"]),
        ({"maximum": 0}, ["at the maximum 0", "above the maximum 0"]),
        ({"minLength": 0}, []),
        ({"minLength": 2}, ["as short as 2", "shorter than 2"]),
        ({"maxLength": 2}, ["as long as 2", "longer than 2"]),
        ({"minItems": 0}, []),
        ({"minItems": 1}, ["as few as 1", "fewer than 1"]),
        ({"maxItems": 2}, ["as many as 2", "more than 2"]),
        ({"minimum": 1, "x-known": {"setting": "a"}}, ["below the minimum 1"]),
        ({"enum": [1, 2], "minimum": 1}, ["value 1", "value 2", "a value not listed"]),
        ({"enum": ["a", None]}, ["null", 'value "a"', "a value not listed"]),
        ({"enum": [True, 1, [1], {}]}, ["value true", "value 1", "a value not listed"]),
        ({"type": ["string", "null"]}, ["null"]),
    ],
    ids=str,
)
def test_points_of_a_value_that_is_sent(schema: Any, expected: list[str]) -> None:
    assert request_points(schema) == [f"it: {text}" for text in expected]


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"minimum": 0, "maxLength": 3}, []),
        ({"enum": [1, 2]}, ["value 1", "value 2"]),
        ({"type": ["string", "null"]}, ["null"]),
    ],
    ids=str,
)
def test_responses_have_no_points_beyond_what_is_allowed(schema: Any, expected: list[str]) -> None:
    assert response_points(schema) == [f"it: {text}" for text in expected]


def test_limits_values_and_absence_are_points_only_where_they_are_expected() -> None:
    schema = {
        "required": ["a", "b"],
        "properties": {
            "a": {"minimum": 1, "x-never": ["a out_of_range", "a missing"]},
            "b": {"enum": [1], "x-never": ["b not_in_enum"]},
        },
    }
    assert request_points(schema) == [
        "it.a: sent",
        "it.a: at the minimum 1",
        "it.b: sent",
        "it.b: left out",
        "it.b: value 1",
    ]


def test_points_have_the_own_name_of_what_they_are_about() -> None:
    schema = {
        "type": ["object", "null"],
        "properties": {"a": {"enum": [1], "x-clause": "b"}, "c": {"items": {"maximum": 3}}},
        "additionalProperties": {"maxLength": 2},
        "anyOf": [{"title": "d"}],
        "if": {"title": "e"},
    }
    tree = Tree(schema, request=True)
    assert [name for point, name in zip(tree.points, tree.names, strict=True) if point.startswith("it: ")] == ["it"] * 4
    assert {name for point, name in zip(tree.points, tree.names, strict=True) if point.startswith("it.a")} == {"a"}
    assert {name for point, name in zip(tree.points, tree.names, strict=True) if point.startswith("it.c")} == {"c"}
    assert {name for point, name in zip(tree.points, tree.names, strict=True) if point.startswith("it.*")} == {"*"}


def test_members_of_a_request_are_sent_or_left_out() -> None:
    schema = {"properties": {"a": {}, "b": {}}, "required": ["b"]}
    assert request_points(schema) == ["it.a: sent", "it.a: left out", "it.b: sent", "it.b: left out"]


def test_members_of_a_response_are_present_or_absent_if_not_required() -> None:
    schema = {"properties": {"a": {}, "b": {}}, "required": ["b"]}
    assert response_points(schema) == ["it.a: present", "it.a: absent", "it.b: present"]


def test_read_only_members_are_seen_but_not_sent() -> None:
    schema = {"properties": {"id": {"readOnly": True}}}
    assert request_points(schema) == []
    assert response_points(schema) == ["it.id: present", "it.id: absent"]


def test_all_schemas_of_a_value_are_one_node() -> None:
    schema = {"allOf": [{"properties": {"a": {"enum": [1]}}}, {"required": ["a"], "properties": {"a": {"enum": [2]}}}]}
    assert response_points(schema) == ["it.a: present", "it.a: value 1", "it.a: value 2"]


def test_required_members_are_required_in_branches_too() -> None:
    schema = {"required": ["a"], "anyOf": [{"properties": {"a": {}}}]}
    assert response_points(schema) == ["it: alternative 1: properties " + '{"a": {}}', "it.a: present"]


def test_items_and_other_members_have_paths_of_their_own() -> None:
    schema = {"items": {"enum": [1]}, "additionalProperties": {"enum": [2]}}
    assert response_points(schema) == ["it.*: value 2", "it[]: value 1"]


def test_items_and_other_members_that_are_true_are_no_points() -> None:
    assert Tree({"items": True, "additionalProperties": False, "properties": {"a": True}}).points == [
        "it.a: present",
        "it.a: absent",
    ]


def test_alternatives_are_counted_and_named() -> None:
    schema = {
        "anyOf": [{"$ref": "#/components/schemas/Thing"}, {"type": "integer", "description": "a", "x-clause": "b"}],
        "oneOf": [{"const": "x" * 60}, {"type": "array", "items": {"$ref": "#/components/schemas/Thing"}}],
    }
    assert response_points(schema, Thing={"type": "string"}) == [
        "it: alternative 1: Thing",
        "it: alternative 2: type integer",
        f"it: alternative 3: const {'x' * 60}",
        'it: alternative 4: type array, items {"$ref": "#/components/schemas/Thing"}',
    ]


def test_condition_is_named_and_has_two_sides() -> None:
    schema = {"if": {"type": "string"}, "then": {"enum": ["a"]}, "else": {"enum": [1]}}
    tree = Tree(schema)
    assert tree.points == ['it: value "a"', "it: value 1", "it: if type string", "it: if not type string"]
    assert tree.reached("a") == ['it: value "a"', "it: if type string"]
    assert tree.reached(1) == ["it: value 1", "it: if not type string"]


def test_condition_may_have_one_side_only() -> None:
    tree = Tree({"if": {"type": "string"}, "then": {"enum": ["a"]}})
    assert tree.reached(1) == ["it: if not type string"]


@pytest.mark.parametrize(("length", "shown"), [(38, '"' + "x" * 38 + '"'), (39, '"' + "x" * 39 + "…")])
def test_listed_values_are_shortened_to_40_characters(length: int, shown: str) -> None:
    assert response_points({"enum": ["x" * length]}) == [f"it: value {shown}"]


def test_titles_are_shortened_to_80_characters() -> None:
    (point,) = response_points({"anyOf": [{"title": "y" * 100}]})
    assert point == f"it: alternative 1: title {'y' * 74}"


def test_schema_that_contains_itself_is_opened_once() -> None:
    assert response_points(TREE, **RECURSIVE) == ["it.left: present", "it.left: absent"]


def test_schema_that_contains_itself_is_opened_at_each_place() -> None:
    schema = {"properties": {"a": TREE, "b": TREE}, "required": ["a", "b"]}
    assert [point for point in response_points(schema, **RECURSIVE) if "left" in point] == [
        "it.a.left: present",
        "it.a.left: absent",
        "it.b.left: present",
        "it.b.left: absent",
    ]


def test_schema_that_contains_a_list_of_itself_is_opened_once() -> None:
    members = {"all": {"type": "array", "items": TREE}}
    points = response_points(TREE, Tree={"type": "object", "properties": members})
    assert points == ["it.all: present", "it.all: absent"]


def test_member_of_the_root_has_its_own_name_as_path() -> None:
    assert NodeLocation("").member("a").display_path == "a"


def test_schema_beside_one_that_is_true_is_read() -> None:
    assert response_points({"allOf": [True, {"enum": [1]}]}) == ["it: value 1"]


@pytest.mark.parametrize(
    ("branch", "title"),
    [
        (True, "True"),
        ({"title": "a", "example": 1, "examples": [1], "description": "b", "x-c": 1}, "title a"),
        ({"enum": ["a", "b"]}, 'enum ["a", "b"]'),
    ],
    ids=str,
)
def test_alternative_is_named_after_what_it_demands(branch: Any, title: str) -> None:
    assert response_points({"anyOf": [branch]})[0] == f"it: alternative 1: {title}"


def test_listed_value_is_shown_in_its_own_script() -> None:
    assert response_points({"enum": ["å"]}) == ['it: value "å"']


def test_members_are_points_down_to_eight_levels() -> None:
    schema: dict[str, Any] = {"enum": [1]}
    for _ in range(9):
        schema = {"properties": {"m": schema}, "required": ["m"]}
    assert len(response_points(schema)) == 8


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1, ["value 1"]),
        (True, ["value true"]),
        (2, ["a value not listed"]),
        (False, ["a value not listed"]),
        (None, []),
        ("1", ["a value not listed"]),
        ([], []),
    ],
    ids=repr,
)
def test_listed_value_is_reached_by_itself_alone(value: Any, expected: list[str]) -> None:
    assert Tree({"enum": [1, True]}, request=True).reached(value) == [f"it: {text}" for text in expected]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1, ["at the minimum 1"]),
        (0, ["below the minimum 1"]),
        (0.5, ["below the minimum 1"]),
        (2, []),
        (3, ["at the maximum 3"]),
        (3.5, ["above the maximum 3"]),
        (True, []),
        ("0", []),
        ([], []),
    ],
    ids=repr,
)
def test_limit_of_a_number_is_reached_by_numbers(value: Any, expected: list[str]) -> None:
    tree = Tree({"minimum": 1, "maximum": 3}, request=True)
    assert tree.reached(value) == [f"it: {text}" for text in expected]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a", "shorter than 2"),
        ("ab", "as short as 2"),
        ("abcd", "as long as 4"),
        ("abcde", "longer than 4"),
        ([1], "fewer than 2"),
        ([1, 1], "as few as 2"),
        ([1, 1, 1], "as many as 3"),
        ([1, 1, 1, 1], "more than 3"),
    ],
    ids=repr,
)
def test_limit_of_a_length_is_reached_by_texts_and_lists(value: Any, expected: str) -> None:
    schema = {"minLength": 2, "maxLength": 4, "minItems": 2, "maxItems": 3}
    assert Tree(schema, request=True).reached(value) == [f"it: {expected}"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({}, ["it.a: absent"]),
        ({"a": 1}, ["it.a: present", "it.a: value 1"]),
        ({"a": None}, ["it.a: present", "it.a: null"]),
        ({"b": 2}, ["it.a: absent", "it.*: value 2"]),
        ({"b": None}, ["it.a: absent", "it.*: null"]),
        ([{"a": 1}], []),
    ],
    ids=repr,
)
def test_members_are_reached(value: Any, expected: list[str]) -> None:
    schema = {"properties": {"a": {"enum": [1, None]}}, "additionalProperties": {"enum": [2, None]}}
    assert Tree(schema).reached(value) == expected


def test_member_that_is_only_null_is_reached() -> None:
    tree = Tree({"properties": {"a": {"type": ["string", "null"]}}})
    assert tree.reached({"a": None}) == ["it.a: present", "it.a: null"]
    assert tree.reached({"a": "x"}) == ["it.a: present"]


def test_null_of_the_value_itself_is_reached_and_nothing_else() -> None:
    tree = Tree({"type": ["object", "null"], "properties": {"a": {}}, "anyOf": [{}]})
    assert tree.reached(None) == ["it: null"]


def test_items_are_reached_one_by_one() -> None:
    assert Tree({"items": {"enum": [1, 2, 3]}}).reached([1, 3]) == ["it[]: value 1", "it[]: value 3"]


def test_only_alternatives_that_fit_are_reached() -> None:
    schema = {"anyOf": [{"type": "integer"}, {"type": "object", "properties": {"a": {}}}]}
    assert Tree(schema).reached(1) == ["it: alternative 1: type integer"]
    assert Tree(schema).reached({"a": 1})[1:] == ["it.a: present"]


def test_patterns_of_members_are_remembered_up_to_a_number() -> None:
    node = SchemaNode(members=[("a", 1, 0, None, None)])
    for number in range(MAX_PATTERNS + 5):
        hits: set[int] = set()
        node.walk({f"m{number}": 1, **({"a": 1} if number % 2 else {})}, hits)
        assert hits == {number % 2}
    assert len(node._patterns) == MAX_PATTERNS


@pytest.mark.parametrize(
    ("types", "text", "value"),
    [
        ((), "1", "1"),
        (("string",), "1", "1"),
        (("string", "integer"), "1", "1"),
        (("integer",), "1", 1),
        (("integer",), "-1", -1),
        (("integer",), "1.5", "1.5"),
        (("integer",), "x", "x"),
        (("number",), "1.5", 1.5),
        (("number",), "x", "x"),
        (("boolean",), "true", True),
        (("boolean",), "false", False),
        (("boolean",), "1", "1"),
        (("boolean", "integer"), "1", 1),
        (("array",), "a,b", ["a", "b"]),
        (("array",), "a", ["a"]),
        (("array",), "", []),
        (("object",), "{}", "{}"),
    ],
    ids=repr,
)
def test_text_is_read_as_the_type_that_it_stands_for(types: tuple[str, ...], text: str, value: Any) -> None:
    parsed = parse_text(frozenset(types), text)
    assert (type(parsed), parsed) == (type(value), value)


def test_texts_stand_for_other_types_only_where_that_is_said() -> None:
    tree = Tree({"type": "integer", "minimum": 1}, request=True)
    assert tree.reached("1") == []
    assert tree.reached("1", text=True) == ["it: at the minimum 1"]


@pytest.mark.parametrize(
    "schema",
    [
        {"properties": {"a": {"type": "integer", "enum": [1]}}},
        {"additionalProperties": {"type": "integer", "enum": [1]}},
        {"if": {"type": "object"}, "then": {"properties": {"a": {"type": "integer", "enum": [1]}}}},
    ],
    ids=str,
)
def test_texts_stand_for_other_types_within_forms(schema: Any) -> None:
    assert any("value 1" in point for point in Tree(schema).reached({"a": "1"}, text=True))


def test_text_is_a_text_unless_it_is_said_to_stand_for_another_type() -> None:
    tree = Tree({"type": "integer", "enum": [1]})
    hits: set[int] = set()
    assert tree.node
    tree.node.walk("1", hits)
    assert hits == set()


def test_text_in_a_list_stands_for_the_type_of_the_items() -> None:
    tree = Tree({"type": "array", "items": {"type": "integer", "enum": [1]}})
    assert tree.reached(["1"], text=True) == ["it[]: value 1"]
    assert tree.reached(["1"]) == []


def test_bare_node_may_have_nothing_but_null() -> None:
    assert SchemaNode().is_bare()
    assert not SchemaNode(null=0).is_bare()
    assert SchemaNode(null=0).is_bare(but_null=True)
    assert not SchemaNode(null=0, values={(False, 1): 1}).is_bare(but_null=True)
