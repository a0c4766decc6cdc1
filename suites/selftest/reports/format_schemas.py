"""The schemas of the formats for CI servers, and what is wrong with a report by its own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs

from reports.allure import report_page

ROOT = Path(__file__).parents[3]
PACKAGES = Path(__file__).parent / "schemas"
FROM_NPM = {
    "sarif": "@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json",
    "ctrf": "ctrf/dist/ctrf-schema-0.0.json",
}
# GitLab has no schema of it: its documentation names these members, and says that others are ignored
CODE_QUALITY = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["description", "check_name", "fingerprint", "severity", "location"],
        "properties": {
            "description": {"type": "string", "minLength": 1},
            "check_name": {"type": "string", "minLength": 1},
            "fingerprint": {"type": "string", "minLength": 1},
            "severity": {"enum": ["info", "minor", "major", "critical", "blocker"]},
            "location": {
                "type": "object",
                "required": ["path", "lines"],
                "properties": {
                    "path": {"type": "string", "pattern": "^[^./][^:]*$"},  # relative to the repository
                    "lines": {
                        "type": "object",
                        "required": ["begin"],
                        "properties": {"begin": {"type": "integer", "minimum": 1}},
                    },
                },
            },
        },
    },
}
FILES = {"sarif": "flowproof.sarif", "ctrf": "ctrf.json", "code quality": "gl-code-quality.json"}


@cache
def validators() -> Mapping[str, Any]:
    """A validator of each format; those of SARIF and CTRF come from npm."""
    folder = report_page.installed_packages(ROOT / "reports" / "out" / "node", PACKAGES) / "node_modules"
    schemas = {name: json.loads((folder / path).read_text("utf-8-sig")) for name, path in FROM_NPM.items()}
    for part in ("run", "toolComponent"):  # whose pattern is no regular expression
        del schemas["sarif"]["definitions"][part]["properties"]["language"]["pattern"]
    from_npm = {name: jsonschema_rs.Draft7Validator(schema) for name, schema in schemas.items()}
    return {**from_npm, "code quality": jsonschema_rs.Draft202012Validator(CODE_QUALITY)}


def problems(folder: Path) -> list[str]:
    """What the schemas have against the reports in that folder."""
    return [
        f"{FILES[name]}: {error.message}"
        for name, validator in validators().items()
        for error in validator.iter_errors(json.loads((folder / FILES[name]).read_text()))
    ]
