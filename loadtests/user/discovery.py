"""Finds the classes of users in the locustfiles `loadtests/<api>.py`."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from loadtests.user.contract_user import ContractUser

LOADTESTS = Path(__file__).parents[1]


def user_classes() -> dict[str, type[ContractUser]]:
    """The class of users of each API, by the name of the class, out of all files that are named after their API.

    Other files beside them, such as a locustfile for two APIs, are ignored.
    """
    names = sorted(path.stem for path in LOADTESTS.glob("*.py") if path.stem != "all")
    classes = [user_class for api in names if (user_class := user_class_of(api))]
    return {user_class.__name__: user_class for user_class in classes}


def user_class_of(api: str) -> type[ContractUser] | None:
    """The class of users that `loadtests/<api>.py` defines for that API; None if it defines none."""
    for value in vars(import_module(f"loadtests.{api}")).values():
        if isinstance(value, type) and issubclass(value, ContractUser) and value.api == api:
            return value
    return None
