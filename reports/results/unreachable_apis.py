"""Which APIs do not answer, as files in the results folder: what one process of a run finds out, all of them know.

Rule: nothing more is sent to an API that stands here.
"""

from __future__ import annotations

from pathlib import Path

from reports.results.run_manifest import UNREACHABLE_PREFIX


class UnreachableApis:
    """The APIs of a run that do not answer; without a folder, those that this process has found out about."""

    def __init__(self, results: Path | None) -> None:
        self._results = results
        self._reasons: dict[str, str] = {}

    def add(self, api: str, reason: str) -> None:
        """That API does not answer; `reason` is one line that says what was tried."""
        self._reasons.setdefault(api, reason)
        if self._results and self._results.is_dir():
            path = self._results / f"{UNREACHABLE_PREFIX}{api}.txt"
            fresh = path.with_suffix(f".{id(self)}.tmp")
            fresh.write_text(reason, "utf-8")
            fresh.replace(path)

    def reason(self, api: str) -> str | None:
        """Why nothing may be sent to that API; None when it may."""
        if api not in self._reasons and self._results:
            try:
                self._reasons[api] = (self._results / f"{UNREACHABLE_PREFIX}{api}.txt").read_text("utf-8")
            except OSError:
                return None
        return self._reasons.get(api)
