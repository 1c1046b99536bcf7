"""What an exporter gets and gives, and where an export says it comes from."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from typing import Any

from backend.overrides import overridden
from backend.records import Run
from backend.records.exports import ExportRequest
from backend.store.reads import Reader
from backend.wording import with_noun

# Where an export comes from: version, store, runs with their parameters, filters. It stands in every file.

LONGEST = 200
"""Characters of a parameter's value; a rendered prompt template can be longer, and is in the samples themselves."""


def version() -> str:
    from importlib.metadata import version as installed

    return installed("passk-explorer")


def fingerprint(reader: Reader) -> str:
    """16 hexadecimal digits that follow from what the store holds, not from how or when it came in.

    A digest of every run's name, model and parameters, and of every problem's tally in it. A copy of the store has the
    same, and so has a store into which an export of all its runs was imported.
    """
    digest = blake2b(digest_size=8)
    for run, model, parameters, *tally in reader.rows("exports/fingerprint"):
        known = json.dumps(json.loads(parameters, parse_float=_number), sort_keys=True) if parameters else "{}"
        digest.update(repr((run, model, known, *tally)).encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def _number(text: str) -> float:
    """A number of which 1 and 1.0 are the same."""
    number = float(text)
    return int(number) if number.is_integer() else number


@dataclass(frozen=True)
class Provenance:
    request: ExportRequest
    runs: tuple[Run, ...]
    store: str
    """The store's fingerprint."""
    passk: str
    """Version."""
    filter_words: str = ""
    """What the selector asks, in words."""
    overridden: int = 0
    """Verdicts of these runs that a person has given instead of the verifier's."""

    @cached_property
    def short(self) -> dict[str, Any]:
        """What differs from file to file, without the runs."""
        request = self.request
        chosen = {
            "min_correct": request.min_correct if request.what in ("sets", "audit") else None,
            "first": request.first,
            "second": request.second,
            "bands": request.bands if request.what in ("curves", "difference", "cover") else None,
            "false_positives": request.false_positives if request.what == "sets" else None,
            "verdict": request.verdict,
            "sample": request.sample,
            "limit": request.limit,
            "find": request.find,
            "judged": request.judged or None,
        }
        return {
            "passk": self.passk,
            "store": self.store,
            "what": request.what,
            "problems": request.problems or "all",
            **{key: value for key, value in chosen.items() if value is not None},
            **({"overridden": self.overridden} if self.overridden else {}),
        }

    @cached_property
    def full(self) -> dict[str, Any]:
        runs = [
            {
                "run": run.name,
                "model": run.model.name,
                "role": run.model.role,
                "from_model": run.model.from_model,
                "step": run.model.step,
                "algorithm": run.model.algorithm,
                "benchmark": run.benchmark,
                "parameters": dict(sorted(run.parameters.items())),
            }
            for run in self.runs
        ]
        return {**self.short, "runs": runs}

    @cached_property
    def words(self) -> str:
        """One line for people."""
        problems = f"problems: {self.filter_words or self.request.problems or 'all'}"
        by_hand = f", {with_noun(self.overridden, 'verdict')} overridden by hand" if self.overridden else ""
        return f"passk {self.passk}, store {self.store}, {problems}{by_hand}"


def shown_parameters(run: Run) -> dict[str, Any]:
    """The run's sampling parameters, long values cut."""
    return {
        name: value if not isinstance(value, str) or len(value) <= LONGEST else value[: LONGEST - 1] + "…"
        for name, value in sorted(run.parameters.items())
    }


def parameters_in_words(run: Run) -> str:
    """The sampling parameters on one line; empty where none is known."""
    return ", ".join(f"{name} {value}" for name, value in shown_parameters(run).items() if len(str(value)) < 80)


def provenance(reader: Reader, request: ExportRequest, runs: Sequence[Run], filter_words: str = "") -> Provenance:
    by_hand = overridden(reader, [run.key for run in runs])
    return Provenance(request, tuple(runs), fingerprint(reader), version(), filter_words, by_hand)


# What an exporter gets and gives.

Tell = Callable[[int, int], None]
"""Rows written and rows in all, a few times a second. It may raise Cancelled: then nothing is left of the file."""


@dataclass(slots=True)
class ExportTask:
    reader: Reader
    request: ExportRequest
    runs: tuple[Run, ...]
    problems: frozenset[int] | None
    """Keys of the problems that the selector means; None for all."""
    provenance: Provenance
    path: Path
    """Where to write: a temporary name. For the form `folder` a folder, which is there and empty."""
    tell: Tell
    notes: list[str] = field(default_factory=list)
    """What was left out, for the report."""

    @property
    def problem_keys(self) -> Collection[int] | None:
        """The selected problems, as functions that count take them."""
        return self.problems


Exporter = Callable[[ExportTask], int]
"""Writes the file and returns how many rows it has."""
