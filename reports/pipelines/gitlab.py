"""Formats causes as a code quality report of GitLab, which a merge request shows beside the lines of the contract."""

from __future__ import annotations

import json
from collections.abc import Sequence

from reports import cause_text
from reports.pipelines.clause_location import location_of
from reports.results.verdicts import ApiVerdict

FAILURE, WARNING = "major", "minor"  # severities


def code_quality(verdicts: Sequence[ApiVerdict]) -> str:
    """An issue for each cause that is not accepted; its fingerprint is the cause's id."""
    issues = []
    for judged in verdicts:
        for cause in judged.causes:
            path, line = location_of(judged.api, cause.clause)
            issues.append(
                {
                    "check_name": cause.clause or "flowproof",
                    "description": f"{cause_text.heading(cause)} ({cause_text.how_often(cause)})",
                    "fingerprint": cause.id,
                    "severity": WARNING if cause.is_warning else FAILURE,
                    "location": {"path": path, "lines": {"begin": line}},
                }
            )
    return json.dumps(issues, indent=1, ensure_ascii=False) + "\n"
