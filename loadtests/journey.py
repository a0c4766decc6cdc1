"""What a journey is: a generator method, marked as Locust marks tasks; and a plain request for it to yield."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, TypeVar, overload

from locust import tag, task

from loadtests.engine.call import Address, Judge, Request
from loadtests.engine.recorder import Slot

Method = TypeVar("Method", bound=Callable[..., Any])


@overload
def journey(weight: Method) -> Method: ...


@overload
def journey(weight: int = 1, *, tags: tuple[str, ...] = ()) -> Callable[[Method], Method]: ...


def journey(weight: Any = 1, *, tags: tuple[str, ...] = ()) -> Any:
    """Mark a generator method as a journey: what `@task` is to Locust, with the same weights and tags.

    Written `@journey`, `@journey(9)` or `@journey(weight=9, tags=("read",))`. Raises TypeError if it does not yield.
    """

    def mark(method: Callable[..., Any]) -> Callable[..., Any]:
        must_yield(method)
        marked: Callable[..., Any] = task(weight if isinstance(weight, int) else 1)(method)
        return tag(*tags)(marked) if tags else marked

    return mark(weight) if callable(weight) else mark


def must_yield(method: Any) -> None:
    """Raises TypeError for what is not a generator function, such as a Locust task or a TaskSet."""
    name = getattr(method, "__qualname__", method)
    if inspect.isclass(method):
        raise TypeError(f"{name} is a class, but a user of journeys plays generator methods; use a Locust user for it")
    if not inspect.isgeneratorfunction(inspect.unwrap(method)):
        raise TypeError(f"the journey {name} must be a generator: it yields its requests, and is resumed with answers")


def http_request(
    slot: Slot, address: Address, method: str, path: str, headers: Mapping[str, str], body: bytes, judge: Judge | None
) -> Request:
    """A request as HTTP/1.1 has it on the wire (RFC 9112), with a Host, and a length where there can be a body."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: {address.authority}"]
    lines += [f"{key}: {value}" for key, value in headers.items()]
    if body or method in {"POST", "PUT", "PATCH"}:
        lines.append(f"Content-Length: {len(body)}")
    text = "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body
    return Request(slot, text, address, judge, head=method == "HEAD")
