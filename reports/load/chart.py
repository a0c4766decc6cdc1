"""A line chart as SVG: two labelled axes, lines, bands behind them.

Rule: no script and nothing fetched. Colours are custom properties with a default by day and by night, so a chart looks
right in a page of ours and alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 560, 270
LEFT, RIGHT, TOP, BOTTOM = 56, 12, 30, 42  # margins around the plot
STYLE = (
    "svg.chart{--g:light-dark(#dfe3e9,#30353e);--t:light-dark(#5a6270,#9aa3b2);--1:light-dark(#1d5fbf,#7db3ff);"
    "--2:light-dark(#17703a,#58c37f);--3:light-dark(#b3261e,#ff8078);--4:light-dark(#8a5a00,#e0b04c);"
    "color-scheme:light dark;font:12px system-ui,sans-serif}"
    ".chart text{fill:var(--t)}.chart .grid{stroke:var(--g)}.chart .band{fill:var(--t);opacity:.08}"
    ".chart .line{fill:none;stroke-width:1.6;stroke-linejoin:round}.chart .cut{stroke:var(--t);stroke-dasharray:3 3}"
)

Tick = tuple[float, str]  # a value and what is written beside it


@dataclass(frozen=True)
class Axis:
    """What lies along an edge: its title with the unit, its ends, the marks, and where a value lies (0 to 1)."""

    title: str
    ticks: tuple[Tick, ...]
    place: Callable[[float], float]


@dataclass(frozen=True)
class Line:
    """A named line; None in `points` interrupts it. colour: 1 blue, 2 green, 3 red, 4 yellow."""

    name: str
    colour: int
    points: Sequence[tuple[float, float] | None]


@dataclass(frozen=True)
class Band:
    """A span of the horizontal axis with a name; `tinted` ones are darker."""

    name: str
    begin: float
    end: float
    tinted: bool


def linear(title: str, most: float, number: int = 5) -> Axis:
    """From 0 to `most` or a little more, in about so many round steps."""
    step = _round_up(most / number) if most > 0 else 1.0
    top = max(step, math.ceil(most / step - 1e-9) * step)
    marks = tuple((at * step, f"{at * step:g}") for at in range(round(top / step) + 1))
    return Axis(title, marks, lambda value: value / top)


def seconds(title: str, most: float) -> Axis:
    """From 0 to exactly `most` seconds."""
    step = _round_up(most / 6) if most > 0 else 1.0
    marks = tuple((at * step, f"{at * step:g}") for at in range(int(most / step + 1e-9) + 1))
    return Axis(title, marks, lambda value: value / (most or 1.0))


def logarithmic(title: str, least: float, most: float) -> Axis:
    """From a power of ten to a power of ten, or to 2 or 5 times one."""
    low = _round_down(max(least, 1e-6))
    high = max(_round_up(most), low * 10)
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    values = [digit * 10.0**decade for decade in decades for digit in (1, 2, 5)]
    shown = [value for value in values if low * 0.999 <= value <= high * 1.001]
    if len(shown) > 9:
        shown = [value for value in shown if math.log10(value) % 1 < 1e-9 or math.log10(value) % 1 > 1 - 1e-9]
    span = math.log10(high / low)
    marks = tuple((value, f"{value:g}") for value in shown)
    return Axis(title, marks, lambda value: math.log10(max(value, low) / low) / span)


def tail(title: str, most: float) -> Axis:
    """Percentiles up to `most` (below 100), with as much room for 90 to 99 as for 99 to 99.9."""
    top = _nines(most)
    marks = [
        (percent, f"{percent:g}") for percent in (0, 50, 90, 99, 99.9, 99.99, 99.999) if _nines(percent) <= top + 1e-9
    ]
    return Axis(title, tuple(marks), lambda percent: min(_nines(percent) / top, 1.0))


def _nines(percent: float) -> float:
    return -math.log10(1 - percent / 100)


def svg(title: str, x: Axis, y: Axis, lines: Sequence[Line], bands: Sequence[Band] = (), alone: bool = False) -> str:
    """The chart; `alone` with its own style, for a file."""
    style = f"<style>{STYLE}</style>" if alone else ""
    xmlns = ' xmlns="http://www.w3.org/2000/svg"' if alone else ""
    inner = "".join((_bands(bands, x), _grid(x, y), "".join(_line(one, x, y) for one in lines), _legend(lines)))
    return (
        f'<svg{xmlns} class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}">'
        f"{style}<title>{escape(title)}</title>{inner}</svg>"
    )


def _across(x: Axis, value: float) -> float:
    return LEFT + (WIDTH - LEFT - RIGHT) * x.place(value)


def _up(y: Axis, value: float) -> float:
    return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * y.place(value)


def _grid(x: Axis, y: Axis) -> str:
    floor, right = HEIGHT - BOTTOM, WIDTH - RIGHT
    told = []
    for value, text in y.ticks:
        at = _up(y, value)
        told.append(f'<path class="grid" d="M{LEFT} {at:.1f}H{right}"/>')
        told.append(f'<text x="{LEFT - 6}" y="{at + 4:.1f}" text-anchor="end">{text}</text>')
    for value, text in x.ticks:
        at = _across(x, value)
        told.append(f'<path class="grid" d="M{at:.1f} {floor}v4"/>')
        told.append(f'<text x="{at:.1f}" y="{floor + 17}" text-anchor="middle">{text}</text>')
    middle = (LEFT + right) / 2
    told.append(f'<text x="{middle}" y="{HEIGHT - 6}" text-anchor="middle">{escape(x.title)}</text>')
    level = (TOP + floor) / 2
    told.append(f'<text transform="translate(13 {level}) rotate(-90)" text-anchor="middle">{escape(y.title)}</text>')
    return "".join(told)


def _line(one: Line, x: Axis, y: Axis) -> str:
    path, pen = [], "M"
    alone: list[str] = []
    points = [*one.points, None]
    for at, point in enumerate(points[:-1]):
        if point is None:
            pen = "M"
            continue
        here = f"{_across(x, point[0]):.1f} {_up(y, point[1]):.1f}"
        path.append(pen + here)
        if pen == "M" and points[at + 1] is None:
            alone.append('<circle cx="{}" cy="{}" r="2" fill="var(--{})"/>'.format(*here.split(), one.colour))
        pen = "L"
    return f'<path class="line" stroke="var(--{one.colour})" d="{"".join(path)}"/>{"".join(alone)}' if path else ""


def _bands(bands: Sequence[Band], x: Axis) -> str:
    told = []
    for one in bands:
        begin, end = _across(x, one.begin), _across(x, one.end)
        if one.tinted:
            size = f'width="{end - begin:.1f}" height="{HEIGHT - TOP - BOTTOM}"'
            told.append(f'<rect class="band" x="{begin:.1f}" y="{TOP}" {size}/>')
        told.append(f'<path class="cut" d="M{begin:.1f} {TOP}V{HEIGHT - BOTTOM}"/>')
        if (end - begin) > 6.5 * len(one.name):
            told.append(f'<text x="{begin + 4:.1f}" y="{TOP + 12}">{escape(one.name)}</text>')
    return "".join(told)


def _legend(lines: Sequence[Line]) -> str:
    told, at = [], float(LEFT)
    for one in lines:
        told.append(f'<path class="line" stroke="var(--{one.colour})" d="M{at:.0f} 14h16"/>')
        told.append(f'<text x="{at + 21:.0f}" y="18">{escape(one.name)}</text>')
        at += 36 + 6.6 * len(one.name)
    return "".join(told)


def _round_up(value: float) -> float:
    """The next of 1, 2 and 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(value)) if value > 0 else 1.0
    return next(digit * power for digit in (1, 2, 5, 10) if digit * power >= value * (1 - 1e-9))


def _round_down(value: float) -> float:
    power = 10.0 ** math.floor(math.log10(value))
    return next(digit * power for digit in (5, 2, 1) if digit * power <= value * (1 + 1e-9))
