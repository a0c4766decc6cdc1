"""Parses an outcome, which a record stores as one text, into its parts."""

from __future__ import annotations

import re
from typing import NamedTuple

PATTERN = re.compile(
    r"(?P<status>\d{3}|frame)(?P<refused> refused)?"
    r"(?: (?P<media>[\w.+*-]+/[\w.+*-]+(?:; [^ ;]+)*))?"
    r"(?: (?P<target>to .*))?(?P<malformed> malformed)?"
    r"(?: (?P<words>(?!to |malformed).+?))?(?P<allow>, allow .*)?"
)
CLOSED = "closed"  # in the place of a status, before the code of a close frame
SUCCESS_WITHOUT_BODY = ("202", "204", "205")


class Outcome(NamedTuple):
    """status: three digits or `frame`; in_band: refused although the status is none of an error. target: of a redirect.
    words: the codes of a refusal and the attribute that it names."""

    status: str
    in_band: bool
    media: str
    target: str
    malformed: bool
    words: tuple[str, ...]

    @property
    def code(self) -> str:
        """The error code, "" for none."""
        return self.words[0] if self.words else ""

    @property
    def attribute(self) -> str:
        """What the refusal is about, "" for none."""
        return self.words[-1] if len(self.words) > 1 else ""

    @property
    def refusal(self) -> tuple[str, bool, str]:
        """What all refusals for one reason share."""
        return self.status, self.in_band, self.code

    @property
    def is_refused(self) -> bool:
        """Whether the request was refused."""
        return self.in_band or self.status[:1] in ("4", "5") or self.status == CLOSED

    @property
    def is_redirect(self) -> bool:
        """Whether it was sent elsewhere."""
        return self.status[:1] == "3" and self.status != "304"

    @property
    def answer(self) -> str:
        """The class of answers that it belongs to."""
        return f"{self.status} refused" if self.in_band else self.status

    @property
    def media_type(self) -> str:
        """The media type without parameters."""
        return self.media.partition(";")[0]


def parse_outcome(text: str) -> Outcome:
    """The parts of that text; one in another form is a status alone."""
    match = PATTERN.fullmatch(text)
    if match is None:
        return Outcome(text.split(" ")[0], False, "", "", False, ())
    words = tuple((match["words"] or "").split())
    return Outcome(
        match["status"], bool(match["refused"]), match["media"] or "", match["target"] or "", bool(match["malformed"]),
        words,
    )  # fmt: skip
