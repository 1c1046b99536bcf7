"""The table of judges beside people and each other, and what the corrections come to in words."""

from __future__ import annotations

from collections.abc import Sequence

from backend.records.judges import PEOPLE, Correction, JudgeComparison
from backend.records.table import Column, Table
from backend.wording import percent, run_label, with_noun

JUDGES = (
    Column("judge", value=lambda row: row.judge),
    Column("against", value=lambda row: row.against),
    Column("run", value=lambda row: row.run or "all"),
    Column("n", "count", value=lambda row: row.n),
    Column("both_valid", "count", "both valid", lambda row: row.both_valid),
    Column("only_judge", "count", "judge only", lambda row: row.only_judge),
    Column("only_other", "count", "other only", lambda row: row.only_other),
    Column("both_invalid", "count", "both invalid", lambda row: row.both_invalid),
    Column("undecided", "count", "judge undecided", lambda row: row.undecided, gives_way=1),
    Column("agreement", "percent", "agreement %", lambda row: row.agreement),
    Column("precision", "percent", "precision %", lambda row: row.precision),
    Column("recall", "percent", "recall %", lambda row: row.recall),
    Column("specificity", "percent", "specificity %", lambda row: row.specificity),
    Column("kappa", "number", value=lambda row: row.kappa),
    Column("kappa_low", "number", "kappa 95 % from", lambda row: row.kappa_interval and row.kappa_interval[0]),
    Column("kappa_high", "number", "to", lambda row: row.kappa_interval and row.kappa_interval[1]),
)


def judges_table(found: Sequence[JudgeComparison]) -> Table:
    """Every judge beside people, over all runs and by run; then every two judges."""
    notes = [
        "Of correct paths that both call valid or invalid; precision, recall and specificity take the other for right.",
        "kappa: agreement beyond chance (Cohen 1960), with its 95 % confidence interval.",
    ]
    if not found:
        notes = ["No step checker and no language model has judged these runs: passk judge --checker does it."]
    elif not any(row.n for row in found if row.against == PEOPLE):
        notes.append("No path was judged by people and a judge: what a judge is worth is unknown.")
    return Table(JUDGES, found, tuple(notes))


def correction_in_words(found: Correction, k: int | None = None) -> list[str]:
    """By which judge the figures are corrected, on how many paths its errors are known, and what comes of it.

    Args:
        k: at which CoT-pass@k is said, where it is.
    """
    if found.judge is None or found.read is None:
        return [f"not corrected: {found.unknown}"]
    read = found.read
    if found.unknown:
        return [f"not corrected for the errors of {found.judge}: {found.unknown} (n = {read.n:,} read by both)"]
    lines = [
        f"corrected for the errors of {found.judge}: {with_noun(read.n, 'path')} read by people too, "
        f"recall {percent(read.recall)} %, specificity {percent(read.specificity)} %"
    ]
    for entry in found.runs:
        words = f"{run_label(entry.run)}: {percent(_share(entry.called_valid, entry.judged))} % of "
        words += f"{with_noun(entry.judged, 'judged path')} called valid"
        if entry.share is not None:
            share, low, high = entry.share
            words += f", {percent(share)} % corrected (95 % {percent(low)}–{percent(high)})"
        if k is not None and (point := entry.at(k)) is not None:
            value = percent(point.low)
            value = value if point.high - point.low < 5e-4 else f"{value}–{percent(point.high)}"
            ends = f"{percent(point.interval[0])}–{percent(point.interval[1])}"
            words += f"; CoT-pass@{k} {value} % corrected (95 % {ends})"
        lines.append(words)
    return lines


def _share(part: int, of: int) -> float | None:
    return part / of if of else None
