"""What can be exported from a location, and what the file is called; the nearest things first."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from backend import PAIR_SETS, quoted
from backend.records.exports import FORMS, ExportRequest
from explorer.actions import CURVES, PATH, PERPLEXITY, STATISTICS
from explorer.location import ExportContext, Location
from explorer.options import error_rates

FIGURES = {
    "curves": "pass@k curves",
    "difference": "difference of pass@k, RL − base",
    "cover": "Cover@tau",
    "cot": "CoT-pass@k beside pass@k",
    "histogram": "accuracy histogram",
    "efficiency": "efficiency: pass@1, pass@k, Delta_SE",
    "steps": "training steps",
    "temperature": "temperatures",
    "lengths": "response lengths",
    "agreement": "maj@k: the majority answer",
    "verdicts": "shares of verdicts",
    "perplexity": "perplexities of the responses",
}


JUDGED_VIEWS = ("sets", "problems", "datasets")
"""What has a judged view beside the plain one."""


@dataclass(frozen=True, slots=True)
class ExportChoice:
    """One thing that can be exported from a place."""

    words: str
    request: ExportRequest
    """With its usual form."""
    stem: str
    """What the file is called, without its ending."""

    @property
    def forms(self) -> tuple[str, ...]:
        return FORMS[self.request.what]

    def file_name(self, form: str) -> str:
        """The suggested name in that form."""
        return f"{self.stem}{_ending(form)}"


def export_choices(
    where: str, place: Location, label: str | None, every_run: Sequence[str], shown: ExportContext
) -> list[ExportChoice]:
    """What a screen at that place can export.

    Args:
        where: the screen's name in the action table.
        label: of the place's problem; None where it is at none.
        every_run: names of all runs of the benchmark; of the whole store, those with texts.
        shown: what the screen shows there; its figure comes first.
    """
    runs = place.runs or ((place.run,) if place.run else tuple(every_run))
    here = (place.run,) if place.run else runs
    of_problem = f"id={quoted(label)}" if label is not None else ""
    of_set = " ".join(word for word in (place.filter, set_selector(place)) if word)
    found: list[ExportChoice] = []

    def add(words: str, what: str, names: Sequence[str], name: str = "", **more: object) -> None:
        judged = shown.judged and what in JUDGED_VIEWS
        request = ExportRequest(what, FORMS[what][0], tuple(names), judged=judged, **more)  # type: ignore[arg-type]
        stem = "-".join(part for part in (_slug(place.benchmark), _slug(name), what) if part)
        found.append(ExportChoice(words, request, stem))

    if shown.find:
        chosen = " ".join(word for word in (of_problem, place.filter) if word)
        add(f"the paths found: {shown.find}", "paths", place.runs or every_run, "found", problems=chosen,
            find=shown.find, sample=place.sample)  # fmt: skip
    if not place.benchmark:
        return found
    if shown.marked:
        of_marked = f"id={','.join(map(quoted, shown.marked))}"
        words = "the marked problem" if len(shown.marked) == 1 else f"the {len(shown.marked)} marked problems"
        add(words, "problems", runs, "marked", problems=of_marked)
        add(f"the paths of {words}", "paths", runs, "marked", problems=of_marked)
    if label is not None:
        if place.sample is not None and where == PATH:
            name = f"{label}-{place.sample}"
            add(f"this path: sample {place.sample} of {label}", "paths", here, name, problems=of_problem,
                sample=place.sample)  # fmt: skip
        of_run = here[0].removesuffix(f"@{place.benchmark}")
        add(f"the paths of {label}, {here[0]}", "paths", here, f"{label}-{of_run}", problems=of_problem)
        if len(runs) > 1:
            add(f"the paths of {label}, {len(runs)} runs", "paths", runs, label, problems=of_problem)
        add(f"the problem {label}", "problems", runs, label, problems=of_problem)
    several = len(runs) > 1
    figures_first = where in (CURVES, STATISTICS, PERPLEXITY)
    if shown.sides:
        add("the audit, problem by problem", "audit", runs, problems=place.filter, min_correct=place.min_correct,
            first=shown.sides[0], second=shown.sides[1])  # fmt: skip
    supposed = error_rates(place.false_positives)
    if several and not figures_first:
        add("solve-set comparison", "sets", runs, problems=place.filter, min_correct=place.min_correct,
            false_positives=supposed)  # fmt: skip
    if label is None and place.solved is not None:
        add("the problems of this set", "problems", runs, "set", problems=of_set)
        add("the paths of this set's problems", "paths", runs, "set", problems=of_set)
    for what, words in FIGURES.items():
        if what != "difference" or len(runs) == 2:
            add(words, what, _figure_runs(what, runs, every_run, shown.base), **_figure_options(what, shown),
                problems=of_problem if what == "perplexity" and of_problem else place.filter)  # fmt: skip
    if several and figures_first:
        add("solve-set comparison", "sets", runs, problems=place.filter, min_correct=place.min_correct,
            false_positives=supposed)  # fmt: skip
    if label is None:
        add("every problem" if not place.filter else "the filtered problems", "problems", runs, problems=place.filter)
        add("every path" if not place.filter else "the paths of the filtered problems", "paths", runs,
            problems=place.filter)  # fmt: skip
    add("a folder for load_dataset: these runs", "datasets", runs, problems=place.filter)
    return sorted(found, key=lambda choice: choice.request.what != shown.figure) if shown.figure else found


def _figure_runs(what: str, runs: Sequence[str], every_run: Sequence[str], base: str) -> Sequence[str]:
    """The runs of a figure, the base first where the others are seen against it."""
    wanted = every_run if what in ("steps", "temperature") else runs
    first = base or runs[0]
    return tuple(dict.fromkeys((first, *wanted))) if what in ("efficiency", "temperature") else wanted


def _figure_options(what: str, shown: ExportContext) -> dict[str, Any]:
    """Intervals and verdicts as the screen shows them; a difference is never without an interval."""
    if what in ("curves", "cover", "difference"):
        return {"bands": "problems" if (what, shown.bands) == ("difference", "off") else shown.bands}
    return {"verdict": shown.verdict} if what == "perplexity" else {}


def set_selector(place: Location) -> str:
    """The solve set that a place looks at, as a selector; empty for all problems."""
    if place.solved is None:
        return ""
    if len(place.runs) == 2 and place.min_correct == 1:
        return f"set:{PAIR_SETS[place.solved]}"
    return " ".join(
        f"{quoted(run)}.c{'>=' if solved else '<'}{place.min_correct}"
        for run, solved in zip(place.runs, place.solved, strict=True)
    )


def with_ending(name: str, form: str) -> str:
    """A file's name with the ending of another form."""
    stem = re.sub(r"\.verl\.parquet$|\.[A-Za-z]{2,8}$", "", name.strip())
    return f"{stem}{_ending(form)}"


def _ending(form: str) -> str:
    return {"verl": ".verl.parquet", "folder": ""}.get(form, f".{form}")


def _slug(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9._]+", "-", text).strip("-.")[:60]
