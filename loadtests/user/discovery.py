"""Finds the classes of users in the locustfiles `loadtests/<api>.py`."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from contracts.errors import UsageError
from loadtests.user.contract_user import ContractUser

LOADTESTS = Path(__file__).parents[1]


def user_classes() -> dict[str, type[ContractUser]]:
    """The class of users of each API, by the name of the class, out of all files that are named after their API.

    Other files beside them, such as a locustfile for two APIs, are ignored. Raises UsageError for two classes of one
    name, since Locust knows classes by their names.
    """
    classes: dict[str, type[ContractUser]] = {}
    for api in sorted(path.stem for path in LOADTESTS.glob("*.py") if path.stem != "all"):
        user_class = user_class_of(api)
        if user_class is None:
            continue
        other = classes.setdefault(user_class.__name__, user_class)
        if other is not user_class:
            raise UsageError(
                f"{user_class.__name__}: expected one class of users of that name, got those of"
                f" loadtests/{other.api}.py and loadtests/{api}.py; rename one of them"
            )
    return classes


def user_class_of(api: str) -> type[ContractUser] | None:
    """The class of users that `loadtests/<api>.py` defines for that API; None if it defines none."""
    for value in vars(import_module(f"loadtests.{api}")).values():
        if isinstance(value, type) and issubclass(value, ContractUser) and value.api == api:
            return value
    return None
