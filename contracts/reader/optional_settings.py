"""Reads `settings.yaml`: what else a run may know of an API's target, beside what its operations need.

Rule: the file is optional, and so is each setting in it; tests that need one which is not set are skipped.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any

import contracts
from contracts.reader.document_reader import read_checked

FILE = "settings.yaml"


@dataclass(frozen=True, slots=True)
class OptionalSetting:
    """`name` is in capitals, without the API's; `type` is secret, text or integer; `says` is what it is.

    otherwise: where the target shows such values, as `operation` and `pointers`; None where it shows none.
    """

    name: str
    type: str
    says: str
    otherwise: Mapping[str, Any] | None = None


@cache
def optional_settings(api: str) -> Mapping[str, OptionalSetting]:
    """The settings in that API's file by name, none without a file. Raises ContractError."""
    path = contracts.FOLDER / api / FILE
    if not path.is_file():
        return MappingProxyType({})
    return {name: OptionalSetting(name, **entry) for name, entry in read_checked(path).data.items()}
