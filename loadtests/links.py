"""Links that an answer gives, as a journey follows them."""

from __future__ import annotations

import re

from loadtests.engine.call import Answer

NEXT = re.compile(rb'<([^>]*)>\s*;[^,]*\brel="?next"?')  # RFC 8288, 3


def next_link(answer: Answer) -> str | None:
    """Where the next page is by the Link header, None on the last one."""
    header = answer.header(b"link")
    found = NEXT.search(header) if header else None
    return found[1].decode("latin-1") if found else None
