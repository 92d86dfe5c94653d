"""Pictures as SVG that takes its colors from the page: bars, stacks, lines, and bars that lie. Knows nothing of Devin."""

from __future__ import annotations

import math
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 640, 240
LEFT, RIGHT, TOP, BOTTOM = 46, 12, 12, 26


@dataclass
class Series:
    """What is drawn in one color. None is a gap."""

    name: str
    color: str
    values: list[float | None]


def stacks(labels: list[str], series: list[Series], unit: str = "") -> str:
    """A bar for each label, of all series on top of each other."""
    highest = max((sum(row.values[at] or 0 for row in series) for at in range(len(labels))), default=0)
    steps, top = scale(highest)
    drawn = grid(steps, top, unit) + below(labels)
    slot = (WIDTH - LEFT - RIGHT) / max(1, len(labels))
    width = max(1.0, slot * 0.72)
    for at, label in enumerate(labels):
        base = HEIGHT - BOTTOM
        told = ", ".join(f"{row.name} {number(row.values[at] or 0)}{unit}" for row in series)
        drawn += f"<g><title>{escape(label)}: {escape(told)}</title>"
        for row in series:
            height = (row.values[at] or 0) / top * (HEIGHT - TOP - BOTTOM)
            if height > 0:
                base -= height
                x = LEFT + slot * at + (slot - width) / 2
                drawn += f'<rect class="{row.color}" x="{x:.1f}" y="{base:.1f}" width="{width:.1f}" height="{height:.1f}"/>'
        drawn += "</g>"
    return frame(drawn, labels, series, unit)


def lines(labels: list[str], series: list[Series], unit: str = "") -> str:
    """A line for each series, broken where a value is missing."""
    known = [value for row in series for value in row.values if value is not None]
    steps, top = scale(max(known, default=0))
    drawn = grid(steps, top, unit) + below(labels)
    slot = (WIDTH - LEFT - RIGHT) / max(1, len(labels))
    for row in series:
        path, pen = "", "M"
        dots = ""
        for at, value in enumerate(row.values):
            if value is None:
                pen = "M"
                continue
            x = LEFT + slot * (at + 0.5)
            y = HEIGHT - BOTTOM - value / top * (HEIGHT - TOP - BOTTOM)
            path += f"{pen}{x:.1f} {y:.1f}"
            pen = "L"
            if len(labels) <= 30:
                told = f"{labels[at]}: {row.name} {number(value)}{unit}"
                dots += f'<circle class="{row.color}" cx="{x:.1f}" cy="{y:.1f}" r="2.6"><title>{escape(told)}</title></circle>'
        drawn += f'<path class="line {row.color}" d="{path}"/>{dots}'
    return frame(drawn, labels, series, unit)


def lying(rows: list[tuple[str, float, str]], color: str) -> str:
    """A bar that lies for each row: its name, its length, and what stands behind it."""
    # A few rows need not look lost beside a picture of the other kinds.
    height, name_width = (26 if len(rows) > 5 else 38), 240
    bar = height - 10
    highest = max((value for _, value, _ in rows), default=0) or 1
    drawn = ""
    for at, (name, value, told) in enumerate(rows):
        y = at * height
        length = value / highest * (WIDTH - name_width - 150)
        drawn += (
            f'<text class="name" x="{name_width - 10}" y="{y + height / 2 + 4:.0f}" text-anchor="end">{escape(shortened(name, 28))}<title>{escape(name)}</title></text>'
            f'<rect class="{color}" x="{name_width}" y="{y + 5}" width="{max(length, 1):.1f}" height="{bar}" rx="2"/>'
            f'<text class="told" x="{name_width + length + 8:.1f}" y="{y + height / 2 + 4:.0f}">{escape(told)}</text>'
        )
    label = "; ".join(f"{name}: {told}" for name, _, told in rows)
    return f'<svg viewBox="0 0 {WIDTH} {max(1, len(rows)) * height}" role="img" aria-label="{escape(label, True)}">{drawn}</svg>'


def frame(drawn: str, labels: list[str], series: list[Series], unit: str) -> str:
    spoken = "; ".join(
        f"{row.name} in the last of {len(labels)}: {number(next((v for v in reversed(row.values) if v is not None), 0))}{unit}"
        for row in series
    )
    legend = "".join(f'<span><i class="{row.color}"></i>{escape(row.name)}</span>' for row in series)
    legend = f'<p class="legend">{legend}</p>' if len(series) > 1 else ""
    return f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(spoken, True)}">{drawn}</svg>{legend}'


def grid(steps: list[float], top: float, unit: str) -> str:
    drawn = ""
    for step in steps:
        y = HEIGHT - BOTTOM - step / top * (HEIGHT - TOP - BOTTOM)
        drawn += f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        drawn += f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{number(step)}{escape(unit)}</text>'
    return drawn


def below(labels: list[str]) -> str:
    """As many labels as there is room for, always with the last one."""
    slot = (WIDTH - LEFT - RIGHT) / max(1, len(labels))
    every = max(1, math.ceil(72 / slot))
    drawn = ""
    for at, label in enumerate(labels):
        if (len(labels) - 1 - at) % every == 0:
            x, anchor = LEFT + slot * (at + 0.5), "middle"
            if x > WIDTH - 24:
                x, anchor = WIDTH - 1, "end"
            drawn += f'<text x="{x:.1f}" y="{HEIGHT - 8}" text-anchor="{anchor}">{escape(label)}</text>'
    return drawn


def scale(highest: float) -> tuple[list[float], float]:
    """Three to six round steps from zero to just above the highest value."""
    if highest <= 0:
        return [0, 1], 1
    rough = highest / 4
    power = 10 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= rough)
    count = math.ceil(highest / step - 1e-9)
    return [step * at for at in range(count + 1)], step * count


def number(value: float) -> str:
    """As people write it: 12,345, 12.3, 0.25."""
    if abs(value) >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 1 else f"{value:.2g}"


def shortened(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
