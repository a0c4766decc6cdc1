"""Marks generator methods as journeys, as Locust marks tasks."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, TypeVar, overload

from locust import User, tag, task

from contracts.errors import UsageError

WEIGHT = "flowproof_weight"  # the attribute of a journey with its weight as it was written

Method = TypeVar("Method", bound=Callable[..., Any])


@overload
def journey(weight: Method) -> Method: ...


@overload
def journey(weight: int = 1, *, tags: tuple[str, ...] = ()) -> Callable[[Method], Method]: ...


def journey(weight: Any = 1, *, tags: tuple[str, ...] = ()) -> Any:
    """Mark a generator method as a journey, with weight and tags as for Locust's `@task`.

    Written `@journey`, `@journey(9)` or `@journey(weight=9, tags=("read",))`. Its name is a tag as well, so that
    `--tags NAME` runs it alone. Raises TypeError for a method that does not yield. `require_weights` reports an invalid
    weight before a run.
    """

    def mark(method: Callable[..., Any]) -> Callable[..., Any]:
        require_generator(method)
        marked: Callable[..., Any] = task(weight if _is_weight(weight) else 1)(method)
        setattr(marked, WEIGHT, weight)
        return tag(*tags, method.__name__)(marked)

    if callable(weight):
        method, weight = weight, 1
        return mark(method)
    return mark


def _is_weight(weight: Any) -> bool:
    """Whether Locust can use it as the weight of a task; a bool would be taken for 0 or 1."""
    return type(weight) is int and weight >= 0


def require_weights(user_class: type[User]) -> None:
    """Raises UsageError for a weight, of this class or of a journey of it, that is not a number of 0 or more."""
    weight = getattr(user_class, "weight", 1)
    if isinstance(weight, bool) or not isinstance(weight, int | float) or not weight >= 0:
        raise UsageError(
            f"{user_class.__name__}: expected a number of 0 or more as weight of the class, got {weight!r}"
        )
    for name in dir(user_class):
        weight = getattr(inspect.getattr_static(user_class, name, None), WEIGHT, 1)
        if not _is_weight(weight):
            raise UsageError(
                f"{user_class.__name__}.{name}: expected a whole number of 0 or more as weight of a journey,"
                f" got {weight!r}"
            )


def require_generator(method: Any) -> None:
    """Raises TypeError for anything but a generator function, such as a Locust task or a TaskSet."""
    name = getattr(method, "__qualname__", method)
    if inspect.isclass(method):
        raise TypeError(f"{name} is a class, but journeys are generator methods; use an ordinary Locust user for it")
    if not inspect.isgeneratorfunction(inspect.unwrap(method)):
        raise TypeError(
            f"the journey {name} must be a generator: it yields requests, and is resumed with their responses"
        )
