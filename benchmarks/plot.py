"""A line chart as SVG, by hand: a plotting library would be the largest thing that is installed.

Both axes are logarithmic: callers double, and what is compared is ratios.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 720, 400
LEFT, RIGHT, TOP, BOTTOM = 80, 190, 40, 50
HEAD = (
    f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
    'font-family="sans-serif">'
)
COLOURS = ("#1668a8", "#c4501b", "#3a8a3f", "#7a4fa3", "#8a6d1f", "#555555")


@dataclass(frozen=True)
class Series:
    """A line and its name; points with anything not above 0 cannot be drawn."""

    name: str
    points: Sequence[tuple[float, float]]


def chart(title: str, x_title: str, y_title: str, series: Sequence[Series]) -> str:
    """The whole file. Raises ValueError where there is nothing to draw."""
    xs = [x for each in series for x, _ in each.points]
    ys = [y for each in series for _, y in each.points]
    if not xs:
        raise ValueError("no points")
    across = _Axis(min(xs), max(xs), LEFT, WIDTH - RIGHT)
    up = _Axis(min(ys) / 1.3, max(ys) * 1.3, HEIGHT - BOTTOM, TOP)
    parts = [
        HEAD,
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        _text(LEFT, 22, title, size=15),
        _text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 10, x_title, anchor="middle"),
        _text(8, TOP - 4, y_title),
        *_grid(across, up, sorted(set(xs))),
    ]
    for number, each in enumerate(series):
        parts.extend(_line(each, COLOURS[number % len(COLOURS)], across, up, number))
    return "\n".join([*parts, "</svg>", ""])


@dataclass(frozen=True)
class _Axis:
    low: float
    high: float
    begin: float
    end: float

    def at(self, value: float) -> float:
        span = math.log(self.high / self.low) or 1.0
        share = math.log(value / self.low) / span
        return round(self.begin + share * (self.end - self.begin), 1)


def _grid(across: _Axis, up: _Axis, xs: Iterable[float]) -> Iterable[str]:
    for x in xs:
        at = across.at(x)
        yield f'<line x1="{at}" y1="{TOP}" x2="{at}" y2="{HEIGHT - BOTTOM}" stroke="#eee"/>'
        yield _text(at, HEIGHT - BOTTOM + 18, f"{x:,g}", anchor="middle")
    for y in _steps(up.low, up.high):
        at = up.at(y)
        yield f'<line x1="{LEFT}" y1="{at}" x2="{WIDTH - RIGHT}" y2="{at}" stroke="#ddd"/>'
        yield _text(LEFT - 8, at + 4, f"{y:,g}", anchor="end")


def _steps(low: float, high: float) -> list[float]:
    """1, 2 and 5 times each power of ten between two figures."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    steps = [step * 10.0**power for power in powers for step in (1, 2, 5)]
    return [each for each in steps if low <= each <= high]


def _line(series: Series, colour: str, across: _Axis, up: _Axis, number: int) -> Iterable[str]:
    points = [(across.at(x), up.at(y)) for x, y in series.points]
    path = " ".join(f"{x},{y}" for x, y in points)
    yield f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>'
    for x, y in points:
        yield f'<circle cx="{x}" cy="{y}" r="3" fill="{colour}"/>'
    top = TOP + 10 + 20 * number
    yield f'<rect x="{WIDTH - RIGHT + 14}" y="{top - 9}" width="12" height="4" fill="{colour}"/>'
    yield _text(WIDTH - RIGHT + 32, top - 2, series.name)


def _text(x: float, y: float, text: str, anchor: str = "start", size: int = 12) -> str:
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}" font-size="{size}">{escape(text)}</text>'
