"""Variants that a drift run cannot see in principle, each with the reason why (`unseen_variants.yaml`)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from contracts.yaml_reader import YamlReader
from fixtures.reference import load

FILE = Path(__file__).with_suffix(".yaml")
MEMBERS = ("reason", "variants")


@cache
def unseen_variants(file: Path = FILE) -> Mapping[str, str]:
    """The reason for each, by API, `variant` and name, such as `flowback.variant.has_forty_users`.

    Raises UsageError with file, line and what was expected.
    """
    reader = YamlReader(file, "no option")
    assert reader.root is not None, f"{file} is empty"
    reasons: dict[str, str] = {}
    for node in reader.items(reader.root):
        members = reader.mapping(node, MEMBERS)
        for item in reader.items(members["variants"]):
            api, _, name = reader.text(item).partition(".")
            if name not in load(api).VARIANTS:
                raise reader.error(item, f"expected API.NAME of a variant, got {item.value!r}")
            reasons[f"{api}.variant.{name}"] = reader.text(members["reason"])
    return reasons
