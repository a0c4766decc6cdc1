"""Errors in contracts: where they are, and that the first one carries the messages of the others."""

from __future__ import annotations

import pytest

from contracts.errors import ContractError, raise_first


def test_location_is_kept_as_a_tuple() -> None:
    assert ContractError("wrong", ["paths", 0]).location == ("paths", 0)


def test_error_without_location_is_about_the_document_and_stands_alone() -> None:
    error = ContractError("wrong")
    assert (str(error), error.location, error.further) == ("wrong", (), ())


def test_first_error_is_raised_with_the_messages_of_the_others() -> None:
    with pytest.raises(ContractError, match=r"^a$") as raised:
        raise_first(ContractError(message) for message in "abc")
    assert raised.value.further == ("b", "c")


def test_only_error_has_no_further_messages() -> None:
    with pytest.raises(ContractError) as raised:
        raise_first([ContractError("a")])
    assert raised.value.further == ()


def test_no_error_raises_nothing() -> None:
    raise_first([])
