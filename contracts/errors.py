"""Errors that are reported in one sentence without a traceback: what was expected, what was received, what to do."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

Location = Sequence[str | int]


class UsageError(ValueError):
    """An error of the user in a command, an environment variable or a file; the exit code is 2."""


class ContractError(UsageError):
    """A contract that breaks the format of `contracts/README.md`: an error of ours, never of the vendor.

    `location` leads to the broken part, by member names and item numbers from the top of its document; the reader
    of the file puts file and line before the message. `further` has the messages of other errors in the file.
    """

    def __init__(self, message: str, location: Location = ()) -> None:
        super().__init__(message)
        self.location = tuple(location)
        self.further: tuple[str, ...] = ()


def raise_first(errors: Iterable[ContractError]) -> None:
    """Raises the first of these errors, which gets the messages of the others; does nothing when there is none."""
    first, *others = [*errors, None]
    if first is not None:
        first.further = tuple(str(error) for error in others if error is not None)
        raise first
