"""What objectives say of a run: a verdict for each rule with its margin, and one for the whole.

Rule: fail closed. Too few samples, a run cut short, a lost worker, a generator that was not fit, a rule that met no
request: inconclusive, with the reason. A late generator blames the target for its own time, so then no limit of times
or throughput counts as broken; errors and violations do.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from reports import verdicts
from reports.load.histogram import Histogram
from reports.load.run import LoadRun
from reports.load.scope import named, near, together, violations, within
from reports.load.slo import JOURNEY, RUN, Objectives, Rule
from reports.load.tally import Tally
from reports.records import CLAUSE

BEYOND = 10  # answers slower than a percentile before it is evidence, unless `samples` says how many answers are
OURS = "judge broke: "  # a failure's reason that is no failure of the target's
ACROSS = "across workers"  # the note of violations that only all workers together could see
EXCEPTIONS = "exceptions"  # the note of what journeys raised
SEARCH = "breakpoint"  # the note of what a search for the highest rate found
PASS, FAIL, BROKEN, INCONCLUSIVE, UNREACHABLE = "pass", "fail", "broken", "inconclusive", "unreachable"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One rule's verdict. measured: in the unit of the rule's limit, None without evidence; why: if it is no pass."""

    rule: Rule
    verdict: str
    measured: float | None
    why: str = ""

    @property
    def margin(self) -> float | None:
        """How much of the limit was left, as a share of it; negative when it was broken, None without a measure."""
        if self.measured is None or not self.rule.limit:
            return None
        left = (self.rule.limit - self.measured) / self.rule.limit
        return -left if self.rule.at_least else left


@dataclass(frozen=True, slots=True)
class Judged:
    """A run's verdict: by rule, and the reasons that are not any rule's."""

    run: LoadRun
    objectives: Objectives
    outcomes: tuple[Outcome, ...]
    reasons: tuple[str, ...]
    verdict: str

    @property
    def exit_code(self) -> int:
        """0 for a pass, as all verdicts have theirs."""
        return verdicts.EXIT_CODES[self.verdict]

    def of(self, api: str) -> list[Outcome]:
        """What was said of one API and its operations; "" for all that belongs to none."""
        return [one for one in self.outcomes if one.rule.scope.api == api]


def judge(run: LoadRun, objectives: Objectives) -> Judged:
    """The verdict of that run. Rules about what it did not set out to do are left out: other APIs, open arrivals."""
    rules = [rule for rule in objectives.rules if _is_about(rule, run)]
    drops_allowed = any(rule.metric == "dropped" for rule in rules)
    unfit = [*run.result.unfit(), *([] if drops_allowed else run.result.drops())]
    if run.plan.get("search"):
        return _searched(run, objectives)
    outcomes = tuple(_outcome(rule, run, bool(unfit)) for rule in rules)
    reasons = (*run.gaps(), *unfit)
    found = [one.verdict for one in outcomes] + ([INCONCLUSIVE] if reasons or not outcomes else [])
    if ours := failed_checks(run):
        reasons += tuple(ours)
        found.append(BROKEN)
    if nobody_there(run):
        reasons += ("no connection to the target was ever made",)
        found.append(UNREACHABLE)
    return Judged(run, objectives, outcomes, reasons, verdicts.worst(found))


def nobody_there(run: LoadRun) -> bool:
    """Whether there were requests, and no connection for any of them."""
    tallies = run.result.operations
    asked = any(tally.requests for tally in tallies)
    return asked and not any(tally.connect.count or tally.corrected.count for tally in tallies)


def search_of(run: LoadRun) -> Mapping[str, Any] | None:
    """What a search found: highest and missed rate (journeys a second), limited_by, why it did not end, steps."""
    found: Mapping[str, Any] | None = run.result.notes.get(SEARCH, {}).get("search")
    return found


def _searched(run: LoadRun, objectives: Objectives) -> Judged:
    """A search is a pass when it found a rate that keeps the objectives, and a fail when none does."""
    found = search_of(run)
    reasons = [*run.gaps(), *failed_checks(run)]
    if found is None or found["why"]:
        reasons.append(found["why"] if found else "the search did not come to its end")
    if failed_checks(run):
        verdict = BROKEN
    elif nobody_there(run):
        verdict = UNREACHABLE
    else:
        verdict = INCONCLUSIVE if reasons or not found else PASS if found["highest"] else FAIL
    return Judged(run, objectives, (), tuple(reasons), verdict)


def limiting(judged: Judged) -> str:
    """The operation that gives in first: whose times or failures most of the worst missed objective are."""
    missed = [one for one in judged.outcomes if one.verdict == FAIL]
    if not missed:
        return ""
    worst = min(missed, key=lambda one: -math.inf if one.margin is None else one.margin)
    rule = worst.rule
    tallies = within(rule.scope, judged.run)
    if rule.metric == "dropped" or not tallies:
        return f"{rule.scope} {rule.metric}"
    guilty = max(tallies, key=lambda tally: _share(rule, tally))
    return f"{named(rule.scope, guilty)} ({rule.scope} {rule.metric})"


def _mostly(rule: Rule, run: LoadRun) -> str:
    """Where a missed limit was broken most, and by what; nothing where no single place can be named."""
    tallies = [] if rule.at_least else within(rule.scope, run)
    guilty = max(tallies, key=lambda tally: _share(rule, tally), default=None)
    if guilty is None or not (number := _share(rule, guilty)):
        return ""
    if rule.is_time:
        what = f"{number} of {getattr(guilty, rule.series).count} over the limit"
    else:
        reasons = [reason for reason in guilty.failures if rule.metric != "violations" or CLAUSE.match(reason)]
        reason = max(reasons, key=lambda each: guilty.failures[each])
        what = f"{number} of {guilty.requests}, {guilty.failures[reason]} of them {reason}"
    return f"mostly {named(rule.scope, guilty)}: {what}"


def _share(rule: Rule, tally: Tally) -> float:
    """How much an operation has to do with a missed objective: answers that were too slow, or failures."""
    if rule.is_time:
        times: Histogram = getattr(tally, rule.series)
        return times.count - times.within(round(rule.limit))
    return violations(tally) if rule.metric == "violations" else tally.failed.count


def failed_checks(run: LoadRun) -> list[str]:
    """What went wrong on our side: a check that broke, a journey that raised."""
    broken = {reason for tally in run.result.operations for reason in tally.failures if reason.startswith(OURS)}
    raised = Counter[str]()
    for counted in run.result.notes.get(EXCEPTIONS, {}).values():
        raised.update(counted)
    return [*sorted(broken), *(f"a journey raised {text} ({number} times)" for text, number in raised.most_common())]


def _is_about(rule: Rule, run: LoadRun) -> bool:
    if rule.metric == "dropped":
        return bool(run.plan.get("arrivals"))
    return not rule.scope.api or rule.scope.api in run.apis


def _outcome(rule: Rule, run: LoadRun, is_unfit: bool) -> Outcome:
    if rule.metric == "dropped":
        return _dropped(rule, run)
    tally = together(within(rule.scope, run))
    if not tally.requests:
        lack = "no journey ended" if rule.scope.kind == JOURNEY else "no request was made"
        return Outcome(rule, INCONCLUSIVE, None, f"{lack}{near(rule.scope, run)}")
    if rule.is_time:
        found = _time(rule, getattr(tally, rule.series))
    elif rule.metric == "throughput":
        seconds = run.judged_seconds
        found = _limited(rule, tally.corrected.count / seconds) if seconds else Outcome(rule, INCONCLUSIVE, None)
    else:
        number = violations(tally) if rule.metric == "violations" else tally.failed.count
        if rule.metric == "violations" and rule.scope.kind == RUN:
            number += sum(len(told) for told in run.result.notes.get(ACROSS, {}).values())
        found = _limited(rule, number / tally.requests)
    if is_unfit and found.verdict == FAIL and (rule.is_time or rule.at_least):
        return Outcome(
            rule, INCONCLUSIVE, found.measured, "over the limit, but the generator was not fit to measure it"
        )
    return replace(found, why=found.why or _mostly(rule, run)) if found.verdict == FAIL else found


def _time(rule: Rule, times: Histogram) -> Outcome:
    """A limit of times. Fewer answers than are evidence can still break it, when more could not make up for them."""
    if rule.percent is None:
        needed, measured = rule.samples or 1, times.mean()
    elif rule.percent == 100:
        needed, measured = rule.samples or 1, float(times.max)
    else:
        needed = rule.samples or math.ceil(round(BEYOND / (1 - rule.percent / 100), 6))
        measured = float(times.percentile(rule.percent))
    if times.count >= needed:
        return _limited(rule, measured)
    slow = times.count - times.within(round(rule.limit))
    if rule.percent is not None and slow > needed * (1 - rule.percent / 100):
        return Outcome(rule, FAIL, measured, f"{slow} of {times.count} answers were slower")
    return Outcome(rule, INCONCLUSIVE, measured if times.count else None, f"{times.count} of {needed} samples")


def _limited(rule: Rule, measured: float) -> Outcome:
    kept = measured >= rule.limit if rule.at_least else measured <= rule.limit
    return Outcome(rule, PASS if kept else FAIL, measured)


def _dropped(rule: Rule, run: LoadRun) -> Outcome:
    arrivals = run.result.arrivals.values()
    came = sum(each["started"] + each["dropped"] for each in arrivals)
    if not came:
        return Outcome(rule, INCONCLUSIVE, None, "no arrival came")
    return _limited(rule, sum(each["dropped"] for each in arrivals) / came)
