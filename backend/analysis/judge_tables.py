"""The table of judges beside people and each other, and what the corrections come to in words."""

from __future__ import annotations

from collections.abc import Sequence

from backend.records.judges import PEOPLE, CorrectedPoint, Correction, JudgeComparison
from backend.records.table import EVERYWHERE, SCREEN, Column, Table
from backend.wording import percent, run_label, with_noun

WITH_ROOM = EVERYWHERE - SCREEN

JUDGES = (
    Column("judge", value=lambda row: row.judge),
    Column("against", value=lambda row: row.against),
    Column("run", value=lambda row: row.run or "all"),
    Column("n", "count", value=lambda row: row.n),
    Column("both_valid", "count", "both valid", lambda row: row.both_valid, on=WITH_ROOM),
    Column("only_judge", "count", "judge only", lambda row: row.only_judge, on=WITH_ROOM),
    Column("only_other", "count", "other only", lambda row: row.only_other, on=WITH_ROOM),
    Column("both_invalid", "count", "both invalid", lambda row: row.both_invalid, on=WITH_ROOM),
    Column("undecided", "count", "judge undecided", lambda row: row.undecided, on=WITH_ROOM),
    Column("agreement", "percent", "agreement %", lambda row: row.agreement),
    Column("precision", "percent", "precision %", lambda row: row.precision),
    Column("recall", "percent", "recall %", lambda row: row.recall),
    Column("specificity", "percent", "specificity %", lambda row: row.specificity),
    Column("kappa", "percent", "kappa %", lambda row: row.kappa),
    Column("kappa_low", "percent", "95 % from", lambda row: row.kappa_interval and row.kappa_interval[0], on=WITH_ROOM),
    Column("kappa_high", "percent", "to", lambda row: row.kappa_interval and row.kappa_interval[1], on=WITH_ROOM),
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
    if found.judge is None or found.read is None or found.unknown:
        return [_not_corrected(found)]
    read = found.read
    lines = [
        f"corrected for the errors of {found.judge}: {with_noun(read.n, 'path')} read by people too, "
        f"recall {percent(read.recall)} %, specificity {percent(read.specificity)} %"
    ]
    for entry in found.runs:
        if not entry.judged:
            lines.append(f"{run_label(entry.run)}: it has judged none of its correct paths")
            continue
        words = f"{run_label(entry.run)}: {percent(entry.called_valid / entry.judged)} % of "
        words += f"{with_noun(entry.judged, 'judged path')} called valid"
        if entry.share is not None:
            share, low, high = entry.share
            words += f", {percent(share)} % corrected (95 % {percent(low)}–{percent(high)})"
        if k is not None and (point := entry.at(k)) is not None:
            words += f"; CoT-pass@{k} {_value(point)} % corrected (95 % {_ends(point)})"
        lines.append(words)
    return lines


def corrected_at_k(found: Correction, k: int) -> list[str]:
    """CoT-pass@k of each run at one k, corrected for a judge's errors, in as few words as a side panel has room for."""
    if found.judge is None or found.read is None or found.unknown:
        return [_not_corrected(found)]
    lines = [f"corrected for {found.judge} (read by people too: {found.read.n:,}), 95 %:"]
    for entry in found.runs:
        if entry.judged and (point := entry.at(k)) is not None:
            lines.append(f"{run_label(entry.run)}: {_value(point)}, {_ends(point)}")
    return lines


def _not_corrected(found: Correction) -> str:
    if found.judge is None or found.read is None:
        return f"not corrected: {found.unknown}"
    return f"not corrected for {found.judge}: {found.unknown} (read by both: {found.read.n:,})"


def _value(point: CorrectedPoint) -> str:
    ends = percent(point.low), percent(point.high)
    return ends[0] if ends[0] == ends[1] else f"{ends[0]}–{ends[1]}"


def _ends(point: CorrectedPoint) -> str:
    return f"{percent(point.interval[0])}–{percent(point.interval[1])}"
