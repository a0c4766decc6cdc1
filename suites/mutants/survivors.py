"""Which surviving mutants count against the self-tests: not the ones that change wording only, nor the listed ones."""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from suites.mutants.mutation_run import SURVIVED, UNTESTED, Mutant

LIST = Path(__file__).with_name("survivors.yaml")
OPEN = "open"
_FIELDS = {"module", "from", "to", "why"}
Key = tuple[str, str, str]


@dataclass(frozen=True)
class Score:
    """The outcome of one module's mutants; the `open` ones survived and change behaviour, `new` ones are not listed."""

    module: str
    killed: int
    wording: int
    listed: int
    open: tuple[Mutant, ...]
    new: tuple[Mutant, ...]

    @property
    def share(self) -> float:
        """The killed share of the mutants that change behaviour: 0 to 1; 1 when there are none."""
        counted = self.killed + len(self.open)
        return self.killed / counted if counted else 1.0


def scores(mutants: Iterable[Mutant], listed: Mapping[Key, str]) -> list[Score]:
    """One score for each module, in the order of their paths."""
    modules: dict[str, list[Mutant]] = {}
    for mutant in mutants:
        modules.setdefault(mutant.module, []).append(mutant)
    return [_score(module, modules[module], listed) for module in sorted(modules)]


def _score(module: str, mutants: list[Mutant], listed: Mapping[Key, str]) -> Score:
    survivors = [mutant for mutant in mutants if mutant.outcome in (SURVIVED, UNTESTED)]
    behaviour = [mutant for mutant in survivors if not changes_wording_only(mutant)]
    unlisted = tuple(mutant for mutant in behaviour if listed.get(key(mutant), OPEN) == OPEN)
    return Score(
        module,
        killed=len(mutants) - len(survivors),
        wording=len(survivors) - len(behaviour),
        listed=len(behaviour) - len(unlisted),
        open=unlisted,
        new=tuple(mutant for mutant in unlisted if key(mutant) not in listed),
    )


def key(mutant: Mutant) -> Key:
    """A mutant's key in the list: its module, the removed lines and the added lines."""
    return mutant.module, " ".join(mutant.removed), " ".join(mutant.added)


def changes_wording_only(mutant: Mutant) -> bool:
    """Whether nothing differs but texts for people: string literals that hold white space, before or after.

    Wire data, keys and names hold none, so a change of them always counts.
    """
    before, after = _without_prose(mutant.removed), _without_prose(mutant.added)
    return before is not None and before == after


def _without_prose(lines: tuple[str, ...]) -> list[str] | None:
    """The code's tokens with each text for people replaced by a placeholder; None where it cannot be tokenized."""
    tokens: list[str] = []
    try:
        for token in tokenize.generate_tokens(io.StringIO("(" + "\n".join(lines) + "\n)").readline):
            is_text = token.type == tokenize.STRING and re.search(r"\s", _literal(token.string))
            tokens.append("<text>" if is_text else token.string)
    except (tokenize.TokenError, IndentationError, SyntaxError):
        return None
    return tokens


def _literal(text: str) -> str:
    """A string literal without its prefix, quotes and replacement fields."""
    return re.sub(r"\{[^{}]*\}", "", text.strip("rRbBfFuU").strip("\"'"))


def read_list(path: Path = LIST) -> dict[Key, str]:
    """Why each listed survivor cannot be killed, or `open` where it has not been yet.

    Raises ValueError naming the entry without a field or a reason.
    """
    entries: list[dict[str, Any]] = yaml.safe_load(path.read_text("utf-8")) or []
    for number, entry in enumerate(entries, 1):
        if set(entry) != _FIELDS or not all(
            isinstance(entry[field], str) and entry[field] for field in ("module", "why")
        ):
            raise ValueError(f"{path.name}: entry {number}: expected module, from, to and why, got {entry!r}")
    return {(entry["module"], entry["from"], entry["to"]): entry["why"] for entry in entries}
