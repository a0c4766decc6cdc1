"""The tree of tests inside the HTML page, counted and ordered as a reader expects.

Rule: a test that speaks for three clauses stands under each of them but is one test in every sum; Allure counts it
three times. Groups stand in the order of their names, with numbers as numbers: the same in every run.
"""

from __future__ import annotations

import base64
import json
import re
from collections import Counter
from typing import Any

TREE = re.compile(r'd\("(widgets/(?:[^"/]+/)?tree\.json)","([A-Za-z0-9+/=]+)"\)')


def mended(page: str) -> str:
    """The page with each tree in it mended; raises ValueError when it holds none."""
    page, trees = TREE.subn(_mend, page)
    if not trees:
        raise ValueError("the page holds no tree of tests")
    return page


def recount(tree: dict[str, Any]) -> dict[str, Any]:
    """The tree with sums over distinct tests, and groups in the order of their names."""
    groups, leaves = tree["groupsById"], tree["leavesById"]

    def below(group: dict[str, Any]) -> set[str]:
        found = set(group.get("leaves") or [])
        for name in group.get("groups") or []:
            found |= below(groups[name])
        statuses = Counter(leaves[leaf]["status"] for leaf in found)
        if "statistic" in group:
            group["statistic"] = {"total": len(found), **statuses}
        group["groups"] = sorted(group.get("groups") or [], key=lambda name: natural(groups[name]["name"]))
        return found

    below(tree["root"])
    return tree


def natural(text: str) -> list[tuple[int, str]]:
    """A key that puts GETFLOW-ERR-2 before GETFLOW-ERR-10."""
    return [(int(part), "") if part.isdigit() else (0, part.casefold()) for part in re.split(r"(\d+)", text)]


def _mend(found: re.Match[str]) -> str:
    tree = recount(json.loads(base64.b64decode(found[2])))
    packed = base64.b64encode(json.dumps(tree, ensure_ascii=False).encode()).decode()
    return f'd("{found[1]}","{packed}")'
