"""pass@k curves as a small inline SVG, for the page that must stand alone. Figures for papers: `drawing.py`."""

from __future__ import annotations

from collections.abc import Sequence
from math import log2

from backend.exporters.escaping import for_html
from backend.exporters.figures import colour_of, dash_of, legend_of
from backend.records.exports import Figure

WIDTH, HEIGHT = 680, 360
LEFT, RIGHT, TOP, BOTTOM = 64, 16, 12, 44


def curve_svg(figure: Figure) -> str:
    """The figure's lines with their bands over a log2 axis, and below it a legend whose names may be long.

    Its title is for those who cannot see it.
    """
    largest = max((max(series.x) for series in figure.series if series.x), default=1)
    span = max(log2(largest), 1.0)

    def x(k: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * log2(k) / span

    def y(share: float) -> float:
        return TOP + (HEIGHT - TOP - BOTTOM) * (1 - share)

    parts = [
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" class="curve">',
        f"<title>{for_html(figure.y_label)} against {for_html(figure.x_label)}</title>",
    ]
    for tenth in range(0, 11, 2):
        at = y(tenth / 10)
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{at:.1f}" y2="{at:.1f}"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{at + 4:.1f}" text-anchor="end">{10 * tenth}</text>')
    for power in range(int(span) + 1):
        at = x(1 << power)
        parts.append(f'<line class="tick" x1="{at:.1f}" x2="{at:.1f}" y1="{y(0):.1f}" y2="{y(0) + 5:.1f}"/>')
        parts.append(f'<text x="{at:.1f}" y="{y(0) + 18:.1f}" text-anchor="middle">{1 << power}</text>')
    parts.append(f'<text x="{(LEFT + WIDTH) / 2:.0f}" y="{HEIGHT - 6}" text-anchor="middle">k</text>')
    parts.append(
        f'<text transform="translate(14 {HEIGHT / 2 - 16:.0f}) rotate(-90)" text-anchor="middle">pass@k, %</text>'
    )
    for place, series in enumerate(figure.series):
        colour, dash = colour_of(series, place), dash_of(series, place)
        if series.low is not None and series.high is not None:
            edge = _points(series.x, series.high, x, y) + _points(series.x, series.low, x, y)[::-1]
            parts.append(f'<polygon fill="{colour}" opacity="0.15" points="{" ".join(edge)}"/>')
        points = " ".join(_points(series.x, series.y, x, y))
        style = f' stroke-dasharray="{dash}"' if dash else ""
        parts.append(f'<polyline fill="none" stroke="{colour}" stroke-width="2"{style} points="{points}"/>')
    return "\n".join([*parts, "</svg>", *_legend(figure)])


def _points(xs: Sequence[float], ys: Sequence[float], x: object, y: object) -> list[str]:
    assert callable(x) and callable(y)
    return [f"{x(k):.1f},{y(share):.1f}" for k, share in zip(xs, ys, strict=True)]


def _legend(figure: Figure) -> list[str]:
    parts = ['<ul class="legend">']
    for place, series in enumerate(figure.series):
        dash = dash_of(series, place)
        style = f' stroke-dasharray="{dash}"' if dash else ""
        line = f'<line x1="0" x2="32" y1="5" y2="5" stroke="{colour_of(series, place)}" stroke-width="2"{style}/>'
        parts.append(f'<li><svg width="32" height="10">{line}</svg> {for_html(legend_of(series))}</li>')
    if figure.band:
        parts.append(f'<li><svg width="32" height="10"><rect class="band" width="32" height="10"/></svg> '
                     f"{for_html(figure.band)}</li>")  # fmt: skip
    return [*parts, "</ul>"]
