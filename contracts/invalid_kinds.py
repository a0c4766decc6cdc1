"""The kinds of invalid request: what can be wrong with one value, with the body, or with the request as a whole."""

from __future__ import annotations

VALUE_KINDS = (
    "missing",
    "empty",
    "wrong_type",
    "out_of_range",
    "not_in_enum",
    "bad_format",
    "unknown",
    "unknown_record",
)
BODY_KINDS = (
    "malformed_body",
    "not_utf8",
    "not_an_object",
    "wrong_media_type",
    "no_media_type",
    "no_body",
    "too_large",
)
REQUEST_KINDS = (
    "no_credentials",
    "wrong_credentials",
    "empty_credentials",
    "unknown_method",
    "unknown_path",
    "wrong_accept",
)
INVALID_KINDS = VALUE_KINDS + BODY_KINDS + REQUEST_KINDS
