"""Draws a line chart as SVG: two labelled axes, lines, and bands behind them.

Rule: no script and nothing fetched. Colours are custom properties with defaults for light and dark mode, so a chart
looks right within our pages and as a file of its own.
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

Tick = tuple[float, str]  # a value and its label


@dataclass(frozen=True)
class Axis:
    """An axis: its title with the unit, its ticks, and the function that maps a value to a position (0 to 1)."""

    title: str
    ticks: tuple[Tick, ...]
    place: Callable[[float], float]


@dataclass(frozen=True)
class ChartLine:
    """A named line; None among `points` is a gap. colour: 1 blue, 2 green, 3 red, 4 yellow."""

    name: str
    colour: int
    points: Sequence[tuple[float, float] | None]


@dataclass(frozen=True)
class Band:
    """A named part of the horizontal axis; `tinted` ones are darker."""

    name: str
    begin: float
    end: float
    tinted: bool


def linear_axis(title: str, most: float, number: int = 5) -> Axis:
    """From 0 to `most` or a little more, in about `number` round steps."""
    step = _round_up(most / number) if most > 0 else 1.0
    top = max(step, math.ceil(most / step - 1e-9) * step)
    marks = tuple((at * step, f"{at * step:g}") for at in range(round(top / step) + 1))
    return Axis(title, marks, lambda value: value / top)


def seconds_axis(title: str, most: float) -> Axis:
    """From 0 to exactly `most` seconds."""
    step = _round_up(most / 6) if most > 0 else 1.0
    marks = tuple((at * step, f"{at * step:g}") for at in range(int(most / step + 1e-9) + 1))
    return Axis(title, marks, lambda value: value / (most or 1.0))


def logarithmic_axis(title: str, least: float, most: float) -> Axis:
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


def tail_axis(title: str, most: float) -> Axis:
    """Percentiles up to `most` (below 100); 90 to 99 is as wide as 99 to 99.9."""
    top = _nines(most)
    marks = [
        (percent, f"{percent:g}") for percent in (0, 50, 90, 99, 99.9, 99.99, 99.999) if _nines(percent) <= top + 1e-9
    ]
    return Axis(title, tuple(marks), lambda percent: min(_nines(percent) / top, 1.0))


def _nines(percent: float) -> float:
    return -math.log10(1 - percent / 100)


def render_chart(
    title: str, x: Axis, y: Axis, lines: Sequence[ChartLine], bands: Sequence[Band] = (), alone: bool = False
) -> str:
    """The chart as SVG; with `alone` it contains its style, for a file of its own."""
    style = f"<style>{STYLE}</style>" if alone else ""
    xmlns = ' xmlns="http://www.w3.org/2000/svg"' if alone else ""
    inner = "".join((_bands(bands, x), _grid(x, y), "".join(_line(line, x, y) for line in lines), _legend(lines)))
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
    parts = []
    for value, text in y.ticks:
        level = _up(y, value)
        parts.append(f'<path class="grid" d="M{LEFT} {level:.1f}H{right}"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{level + 4:.1f}" text-anchor="end">{text}</text>')
    for value, text in x.ticks:
        column = _across(x, value)
        parts.append(f'<path class="grid" d="M{column:.1f} {floor}v4"/>')
        parts.append(f'<text x="{column:.1f}" y="{floor + 17}" text-anchor="middle">{text}</text>')
    middle = (LEFT + right) / 2
    parts.append(f'<text x="{middle}" y="{HEIGHT - 6}" text-anchor="middle">{escape(x.title)}</text>')
    centre = (TOP + floor) / 2
    parts.append(f'<text transform="translate(13 {centre}) rotate(-90)" text-anchor="middle">{escape(y.title)}</text>')
    return "".join(parts)


def _line(line: ChartLine, x: Axis, y: Axis) -> str:
    path, command = [], "M"
    dots: list[str] = []
    points = [*line.points, None]
    for index, point in enumerate(points[:-1]):
        if point is None:
            command = "M"
            continue
        position = f"{_across(x, point[0]):.1f} {_up(y, point[1]):.1f}"
        path.append(command + position)
        if command == "M" and points[index + 1] is None:
            dots.append('<circle cx="{}" cy="{}" r="2" fill="var(--{})"/>'.format(*position.split(), line.colour))
        command = "L"
    return f'<path class="line" stroke="var(--{line.colour})" d="{"".join(path)}"/>{"".join(dots)}' if path else ""


def _bands(bands: Sequence[Band], x: Axis) -> str:
    parts = []
    for band in bands:
        begin, end = _across(x, band.begin), _across(x, band.end)
        if band.tinted:
            size = f'width="{end - begin:.1f}" height="{HEIGHT - TOP - BOTTOM}"'
            parts.append(f'<rect class="band" x="{begin:.1f}" y="{TOP}" {size}/>')
        parts.append(f'<path class="cut" d="M{begin:.1f} {TOP}V{HEIGHT - BOTTOM}"/>')
        if (end - begin) > 6.5 * len(band.name):
            parts.append(f'<text x="{begin + 4:.1f}" y="{TOP + 12}">{escape(band.name)}</text>')
    return "".join(parts)


def _legend(lines: Sequence[ChartLine]) -> str:
    parts, left = [], float(LEFT)
    for line in lines:
        parts.append(f'<path class="line" stroke="var(--{line.colour})" d="M{left:.0f} 14h16"/>')
        parts.append(f'<text x="{left + 21:.0f}" y="18">{escape(line.name)}</text>')
        left += 36 + 6.6 * len(line.name)
    return "".join(parts)


def _round_up(value: float) -> float:
    """The next 1, 2 or 5 times a power of ten that is not lower."""
    power = 10.0 ** math.floor(math.log10(value)) if value > 0 else 1.0
    return next(digit * power for digit in (1, 2, 5, 10) if digit * power >= value * (1 - 1e-9))


def _round_down(value: float) -> float:
    power = 10.0 ** math.floor(math.log10(value))
    return next(digit * power for digit in (5, 2, 1) if digit * power <= value * (1 + 1e-9))
