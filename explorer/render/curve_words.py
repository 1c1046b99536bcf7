"""Intervals, differences and crossings in words; plain strings, for screens and for the command line."""

from __future__ import annotations

from collections.abc import Sequence

from backend.records import Curve
from backend.records.bands import BandPoint, Crossing, Difference, Kind
from explorer.render.curve_look import Bands, Look, Values
from explorer.render.names import contrast, run_label
from explorer.render.numbers import UNKNOWN, percent, span

KIND_WORDS: dict[Kind | None, str] = {
    None: "no intervals: b",
    "problems": "95 %, over problems, bootstrap",
    "samples": "95 %, over samples, by posterior",
}
"""What the intervals on the screen are."""


def value_headings(look: Look, bands: Bands) -> tuple[str, str]:
    """What the values are: in words, and over their column."""
    if look.view == "cover":
        tau = f"{float(look.tau):g}"
        return f"Cover@tau at tau = {tau}", f"≥{tau} %"
    found = bands.difference if look.view == "difference" else None
    return f"{difference_name(found) if found else 'pass@k'} at k = {look.k:,}", f"@{look.k} %"


def interval_heading(look: Look) -> str | None:
    """What stands over the ends of the intervals; None where none are shown."""
    if look.view == "cot":
        return "CoT"
    return "95 %" if look.kind is not None or look.view == "difference" else None


def what_is_shown(curves: Sequence[Curve], look: Look, values: Values, bands: Bands) -> list[str]:
    """What the intervals are, difference, crossing, and what the runs that are on are."""
    shown = [curve for name in look.on for curve in curves if curve.run.name == name]
    result = [KIND_WORDS[look.kind or ("problems" if look.view == "difference" else None)]]
    if look.view == "cot":
        result = ["dotted, CoT: pass@k by valid paths, from open paths as invalid to open paths as valid"]
        of_runs = [curve for curve in shown if curve.run.name in bands.curves and bands.view == "cot"]
        result += [f"{run_label(curve.run)}: {bands.curves[curve.run.name].method}" for curve in of_runs]
    elif look.view == "difference":
        result += difference_in_words(bands.difference, look.k)
    elif look.view == "cover":
        result.append("share of problems with c/n ≥ tau")
    elif len(shown) == 2:
        first, second = (values.get(curve.run.name) for curve in shown)
        result.append(plain_difference(first, second, look.k))
    # What holds for several runs, such as their source, is said once.
    return [*result, *dict.fromkeys(line for curve in shown for line in sizes_in_words(curve))]


def interval(point: BandPoint | None) -> str:
    """The ends of an interval in percent: 93.5–97.6."""
    if point is None or point.low is None:
        return UNKNOWN
    return f"{percent(point.low)}–{percent(point.high)}"


def points(share: float | None) -> str:
    """A difference in percentage points: -3.2."""
    return UNKNOWN if share is None else f"{100 * share:+.1f}"


def crossing_in_words(crossing: Crossing, n: int | None) -> str:
    """Where the curves cross, how sure that is, and how often they do not."""
    where = "the curves do not cross" if crossing.k is None else f"the curves cross at k = {crossing.k}"
    ends = [str(end) if end is not None else f"beyond {n}" for end in (crossing.low, crossing.high)]
    sure = "" if crossing.low is None else f", 95 % interval {ends[0]} to {ends[1]}"
    return f"{where}{sure}; up to n = {n}, {percent(crossing.share_without)} % of replicates do not cross"


def wins_in_words(found: Difference) -> str:
    """In how many problems which run has the higher c/n."""
    (base, rl), wins = contrast((found.base, found.rl)), found.wins
    return f"higher c/n: {rl} {wins.rl:,}, {base} {wins.base:,}, equal {wins.ties:,} of {found.problems:,} problems"


def difference_name(found: Difference) -> str:
    """RL - base, or step 800 - step 400: what is subtracted from what."""
    base, rl = contrast((found.base, found.rl))
    return f"{rl} - {base}"


def difference_in_words(found: Difference | None, k: int) -> list[str]:
    """The difference at the cursor, the crossing, who wins."""
    if found is None:
        return ["A difference is of two runs: switch on two (space)."]
    if found.crossing is None:
        return ["No problem that counts has a verdict in both runs."]
    at = found.at(k)
    here = f"undefined at k = {k}: n = {found.n} is the smaller n of the two"
    if at is not None:
        here = f"{points(at.value)} points, 95 % {points(at.low)} to {points(at.high)}"
    return [here, crossing_in_words(found.crossing, found.n), wins_in_words(found)]


def plain_difference(first: BandPoint | None, second: BandPoint | None, k: int) -> str:
    """The difference of two values at the cursor."""
    if first is None or second is None:
        return f"difference undefined at k = {k}"
    return f"difference {points(second.value - first.value)} points"


def sizes_in_words(curve: Curve) -> list[str]:
    """What a run's figures are figures of."""
    run = curve.run
    sizes = f"n = {span(run.n_min, run.n_max)}, {curve.problems:,} problems, {run.samples:,} samples"
    source = [f"published by {run.parameters['source']}"] if "source" in run.parameters else []
    return [f"{run_label(run)}: {sizes}", *curve_end_in_words(curve), *source]


def curve_end_in_words(curve: Curve) -> list[str]:
    """Why a curve ends where it does; empty when there is nothing to say."""
    run = curve.run
    if run.n_min is None:
        why = "no sample has a verdict" if run.problems else "no problem is left"
        return [f"{run_label(run)}: pass@k unknown, {why}"]
    result = []
    if curve.problems_below_n_max:
        result.append(
            f"{run_label(run)} ends at k = {run.n_min}: {curve.problems_below_n_max} of {curve.problems} problems have "
            f"fewer than {run.n_max} samples"
        )
    if run.without_verdict:
        result.append(f"{run_label(run)}: {run.without_verdict} problems without a verdict left out")
    return result
