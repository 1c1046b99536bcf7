"""What can be exported from a place, and what the file is called; the nearest things first."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from backend import PAIR_SETS, quoted
from backend.records.exports import FORMS, ExportRequest
from explorer.actions import CURVES, PATH, STATISTICS
from explorer.navigation import Place

FIGURES = {
    "curves": "pass@k curves", "cover": "Cover@tau", "histogram": "accuracy histogram", "steps": "training steps",
    "agreement": "maj@k: the majority answer",
}  # fmt: skip


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
        """The forms it has."""
        return FORMS[self.request.what]

    def file_name(self, form: str) -> str:
        """The suggested name in that form."""
        return f"{self.stem}{_ending(form)}"


def export_choices(where: str, place: Place, label: str | None, every_run: Sequence[str]) -> list[ExportChoice]:
    """What a screen at that place can export.

    Args:
        where: the screen's name in the action table.
        label: of the place's problem; None where it is at none.
        every_run: names of all runs of the benchmark.
    """
    runs = place.runs or ((place.run,) if place.run else tuple(every_run))
    here = (place.run,) if place.run else runs
    of_problem = f"id={quoted(label)}" if label is not None else ""
    of_set = " ".join(word for word in (place.filter, set_selector(place)) if word)
    found: list[ExportChoice] = []

    def add(words: str, what: str, names: Sequence[str], name: str = "", **more: object) -> None:
        request = ExportRequest(what, FORMS[what][0], tuple(names), **more)  # type: ignore[arg-type]
        stem = "-".join(part for part in (_slug(place.benchmark), _slug(name), what) if part)
        found.append(ExportChoice(words, request, stem))

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
    if several and where not in (CURVES, STATISTICS):
        add("solve-set comparison", "sets", runs, problems=place.filter, min_correct=place.min_correct)
    if label is None and place.solved is not None:
        add("the problems of this set", "problems", runs, "set", problems=of_set)
        add("the paths of this set's problems", "paths", runs, "set", problems=of_set)
    for what, words in FIGURES.items():
        add(words, what, runs if what != "steps" else every_run, problems=place.filter)
        if what == "curves" and len(runs) == 2:
            add("difference of pass@k, RL - base", "difference", runs, problems=place.filter)
    if several and where in (CURVES, STATISTICS):
        add("solve-set comparison", "sets", runs, problems=place.filter, min_correct=place.min_correct)
    if label is None:
        add("every problem" if not place.filter else "the filtered problems", "problems", runs, problems=place.filter)
        add("every path" if not place.filter else "the paths of the filtered problems", "paths", runs,
            problems=place.filter)  # fmt: skip
    add("a folder for load_dataset: these runs", "datasets", runs, problems=place.filter)
    return found


def set_selector(place: Place) -> str:
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
