"""Detects changes to members: gone, new, renamed, moved, sometimes missing, sometimes null."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from difflib import SequenceMatcher

from contracts.behaviour.behaviour import SHARES, Address, Behaviour
from reports.drift.behaviour_comparison import Comparison, Difference, is_error, name_of, parent_of
from reports.drift.header_changes import header_kind
from reports.drift.share_evidence import Counts, significant
from reports.drift.sightings import ENOUGH, percent_of

ALIKE = 0.6  # of two names of the same thing, by the share of letters that they have in common
OF_PAGES = ("link",)  # headers that only pages with another one behind them have
SOME = 10  # sightings from which on a test of shares may find a difference
FEW = 2  # sightings from which on what is always so may be gone
NOTHING: tuple[Address, ...] = ()
NeedsEvidence = Callable[[Address], bool]


def member_differences(comparison: Comparison, needs_evidence: NeedsEvidence) -> Iterator[Difference]:
    """Differences of presence. `needs_evidence` says where the document lets it vary: there a few sightings are not
    enough."""
    absent, new = _absent(comparison), _new(comparison, needs_evidence)
    gone = _gone(comparison, absent, needs_evidence)
    paired: set[Address] = set()
    outermost = _outermost(new)
    for before, after, kind in _pairs(comparison, _outermost(absent), new):
        if before not in paired and after not in paired:
            holder = next(
                it for it in outermost if after[:2] == it[:2] and f"{after.place}/".startswith(f"{it.place}/")
            )
            paired |= {before, after, holder}
            yield _renamed(comparison, before, after, holder, kind)
    for address in gone:
        if address not in paired:
            share = comparison.before[address]
            kind = "member gone" if share.value == "always" else "rare member gone"
            kind = "null or left out" if comparison.values(address, "null")[0] == "always" else kind
            kind = "error envelope changed" if is_error(address.answer) else kind
            yield Difference(
                kind,
                address,
                _share_text(address.family, share),
                "gone",
                name_of(address.place),
                comparison.below(address),
            )
    within = {other for address in paired for other in comparison.below(address)}
    for address in outermost:
        if address not in paired and address not in within:
            yield Difference("member new", address, "not there", _share_text(address.family, comparison.after[address]),
                             name_of(address.place), comparison.below(address))  # fmt: skip


def share_differences(
    comparison: Comparison, left: Sequence[Address], needs_evidence: NeedsEvidence
) -> Iterator[Difference]:
    """Differences of shares among these addresses, with their evidence: of presence, null and headers."""
    candidates: dict[str, dict[Address, Counts]] = defaultdict(dict)  # by family
    shares = (address for address in left if address.family in SHARES)
    for address in sorted(shares, key=lambda address: (address.family == "null", address)):  # presence explains null
        before, after = comparison.before.get(address), comparison.after.get(address)
        if before is None or after is None or before.value == after.value == "always":
            continue
        if address.family == "header" and address.place in OF_PAGES and "sometimes" in (before.value, after.value):
            continue
        is_opposite = {before.value, after.value} == {"always", "never"} and not needs_evidence(address)
        enough = FEW if is_opposite or is_error(address.answer) else ENOUGH
        if before.value != "sometimes" and before.value != after.value and before.total >= enough and after.total:
            yield _of_share(comparison, address)
        elif min(before.total, after.total) >= SOME:
            candidates[address.family][address] = (before.count, before.total, after.count, after.total)
    for counts in candidates.values():
        for address, is_significant in zip(counts, significant(list(counts.values())), strict=True):
            if is_significant:
                yield _of_share(comparison, address)


def _of_share(comparison: Comparison, address: Address) -> Difference:
    before, after = comparison.before[address], comparison.after[address]
    if address.family == "header":
        is_more = after.count * before.total > before.count * after.total
        kind, explains = header_kind(address.place, is_new=is_more), NOTHING
    else:
        kind, explains = (_presence_kind if address.family == "presence" else _null_kind)(comparison, address)
    subject = address.place if address.family == "header" else name_of(address.place)
    return Difference(
        kind, address, _share_text(address.family, before), _share_text(address.family, after), subject, explains
    )


def _presence_kind(comparison: Comparison, address: Address) -> tuple[str, tuple[Address, ...]]:
    before, after = comparison.values(address)
    if _is_swap(comparison, address):
        return "null or left out", (address._replace(family="null"),)
    if before == "always":
        return ("error envelope changed" if is_error(address.answer) else "member sometimes missing"), ()
    return ("member always there" if after == "always" else "rate of presence"), ()


def _null_kind(comparison: Comparison, address: Address) -> tuple[str, tuple[Address, ...]]:
    before, after = comparison.values(address)
    explains = tuple(comparison.below(address))
    if _is_swap(comparison, address):
        return "null or left out", (address._replace(family="presence"),)
    if before == "never":
        return "member may be null", explains if after == "always" else ()
    if after == "never":
        return "member no longer null", explains if before == "always" else ()
    return ("member may be null" if after == "always" else "rate of presence"), ()


def _is_swap(comparison: Comparison, address: Address) -> bool:
    """Whether what was null is left out now, or the reverse."""
    presence, null = (comparison.values(address, family) for family in ("presence", "null"))
    left_out = presence == ("always", "sometimes") and null[0] in ("sometimes", "always") and null[1] == "never"
    return left_out or (presence == ("sometimes", "always") and null in (("never", "sometimes"), ("never", "always")))


def _absent(comparison: Comparison) -> list[Address]:
    """The members that objects had and that none has now, though such objects are seen."""
    return [
        address
        for address in comparison.differing
        if address.family == "presence"
        and address in comparison.before
        and address not in comparison.after
        and comparison.before[address].value != "never"
        and _objects(comparison, address, now=True)
    ]


def _gone(comparison: Comparison, absent: Sequence[Address], needs_evidence: NeedsEvidence) -> list[Address]:
    """The outermost of the absent members, as far as their absence is no chance."""
    sometimes, counts, gone = [], [], []
    for address in absent:
        before, parents = comparison.before[address], _objects(comparison, address, now=True)
        if before.value == "always" and before.total >= (ENOUGH if needs_evidence(address) else FEW):
            gone.append(address)
        elif min(before.total, parents) >= ENOUGH:
            sometimes.append(address)
            counts.append((before.count, before.total, 0, parents))
    gone += [address for address, is_sure in zip(sometimes, significant(counts), strict=True) if is_sure]
    return _outermost(gone)


def _new(comparison: Comparison, needs_evidence: NeedsEvidence) -> list[Address]:
    """Members that objects have now and had not, though such objects were seen; also those within new ones."""
    new: list[Address] = []
    sometimes, counts = [], []
    unsteady = set(comparison.unsteady)
    for address in comparison.differing:
        if address.family != "presence" or address in comparison.before or address in unsteady:
            continue
        if any(other.place == parent_of(address.place) for other in new if other[:2] == address[:2]):
            new.append(address)
            continue
        after, parents = comparison.after[address], _objects(comparison, address, now=False)
        if not parents:
            is_within = any(address.place.startswith(f"{other.place}/") for other in new if other[:2] == address[:2])
            new += [address] if is_within else []
        elif after.value == "always" and min(parents, after.total) >= (ENOUGH if needs_evidence(address) else FEW):
            new.append(address)
        elif min(parents, after.total) >= ENOUGH:
            sometimes.append(address)
            counts.append((0, parents, after.count, after.total))
    new += [address for address, is_sure in zip(sometimes, significant(counts), strict=True) if is_sure]
    return sorted(new)


def _objects(comparison: Comparison, address: Address, *, now: bool) -> int:
    """In how many objects the member could have been seen: as often as the kind of its parent, if that is an object."""
    seen = comparison.after if now else comparison.before
    parent = seen.get(address._replace(family="kind", place=parent_of(address.place)))
    return max(parent.total, 1) if parent and "object" in parent.value else 0


def _outermost(addresses: Sequence[Address]) -> list[Address]:
    outer: list[Address] = []
    for address in sorted(addresses):
        if not any(address[:2] == other[:2] and address.place.startswith(f"{other.place}/") for other in outer):
            outer.append(address)
    return outer


def _pairs(
    comparison: Comparison, gone: Sequence[Address], new: Sequence[Address]
) -> list[tuple[Address, Address, str]]:
    """Members that are gone with those that took their place, the most alike first."""
    pairs: list[tuple[float, Address, Address, str]] = []
    answers: dict[tuple[str, str], list[Address]] = defaultdict(list)
    for address in new:
        answers[address.operation, address.answer].append(address)
    for before in gone:
        for after in answers[before.operation, before.answer]:
            if comparison.values(before, "kind")[0] != comparison.values(after, "kind")[1]:
                continue
            if _is_within(before.place, after.place) or _is_within(after.place, before.place):
                pairs.append((3.0, before, after, "member moved"))
            elif name_of(before.place) == name_of(after.place) and parent_of(before.place) != parent_of(after.place):
                pairs.append((2.0, before, after, "member moved"))
            elif parent_of(before.place) == parent_of(after.place):
                likeness = _likeness(comparison, before, after)
                pairs += [(likeness, before, after, "member renamed")] if likeness >= ALIKE else []
    return [(before, after, kind) for _, before, after, kind in sorted(pairs, key=lambda pair: -pair[0])]


def _is_within(outer: str, inner: str) -> bool:
    """Whether a member became one of an object in its place, such as `start_time` that became `start/time`."""
    below = inner.removeprefix(parent_of(outer).rstrip("/"))
    if below == inner and parent_of(outer) != "/":
        return False
    names = [name for name in below.split("/") if name]
    joined = [re.sub(r"[^a-z0-9]", "", text.lower()) for text in ("".join(names), name_of(outer))]
    return len(names) > 1 and (joined[0] == joined[1] or joined[1].startswith(names[0].lower().rstrip("s")))


def _likeness(comparison: Comparison, before: Address, after: Address) -> float:
    """How alike two members are, from 0: by name, and by what their values are."""
    ratio = SequenceMatcher(None, name_of(before.place).lower(), name_of(after.place).lower()).ratio()
    alike = 0.0
    for family, weight in (("values", 1.0), ("form", 0.3), ("number", 0.2), ("members", 0.5)):
        was, is_now = comparison.values(before, family)[0], comparison.values(after, family)[1]  # type: ignore[arg-type]
        alike += weight if was and was == is_now else 0.0
    return ratio + alike


def _renamed(comparison: Comparison, before: Address, after: Address, holder: Address, kind: str) -> Difference:
    """The difference of a pair; `holder` is the outermost new member around `after`."""
    explains = (*comparison.below(before), *comparison.below(holder))
    shown = (before.place, after.place)
    if kind == "member renamed":
        shown = (name_of(before.place), name_of(after.place))
    kind = "error envelope changed" if is_error(before.answer) else kind
    return Difference(kind, before, *shown, name_of(before.place), explains)


SEEN_AS = {"presence": "there", "null": "null", "header": "there"}


def _share_text(family: str, share: Behaviour) -> str:
    word = SEEN_AS[family]
    if share.value != "sometimes":
        return f"{share.value} {word}"
    return f"{word} in about {percent_of(share.count, share.total)} %"
