"""`passk benchmark add`: a table of problems becomes one part of a store, which appears whole or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from backend.benchmarks.problems import BenchmarkColumns, Problems, read_problems
from backend.benchmarks.source import open_source
from backend.errors import StoreError, UsageError
from backend.importers.intake import as_json
from backend.importers.protocol import ProblemFacts
from backend.records import Benchmark
from backend.store.database import open_store
from backend.store.identity import without_surrogates
from backend.store.layout import StoreLayout, publishing
from backend.store.merge import merge
from backend.store.parts import (
    Manifest,
    discard,
    new_part_name,
    publish,
    read_manifest,
    waiting_parts,
    write_workspace,
)
from backend.store.reads import Reader
from backend.verifiers.registry import fitting, require_verifier


@dataclass(frozen=True, slots=True)
class BenchmarkReport:
    """What was added."""

    benchmark: str
    problems: int
    """Of the source."""
    added: int
    """Those of them that the store did not have, or knew less of."""
    changed: bool
    """Whether anything was written."""
    verifier: str | None
    columns: BenchmarkColumns
    split: str | None
    notes: Mapping[str, int]
    """What was odd, with how often."""


@dataclass(frozen=True, slots=True)
class _Known:
    """What the store knows of a benchmark."""

    parts: frozenset[str] = frozenset()
    """Every part that has been looked at."""
    problems: Mapping[int, tuple[str, str | None, bool]] | None = None
    """Label, reference and whether there is a statement, by key."""
    listed: bool = False
    """Whether it has been added before, and did not only come with results."""
    verifier: str | None = None


def known_benchmarks(reader: Reader) -> tuple[Benchmark, ...]:
    """Every benchmark of a store, those without a run and those that came with imported results among them."""
    return tuple(Benchmark(*row) for row in reader.rows("reads/benchmarks"))


def add_benchmark(
    layout: StoreLayout,
    name: str,
    source: str,
    *,
    columns: BenchmarkColumns | None = None,
    verifier: str | None = None,
    split: str | None = None,
    config: str | None = None,
    limit: int | None = None,
) -> BenchmarkReport:
    """Read a table of problems and publish those that the store does not have yet.

    Args:
        layout: the store; made if it does not exist.
        source: whatever datasets.load_dataset reads.
        columns: which column holds what; recognised by their names where the user says nothing.
        verifier: what judges the samples; the one that fits the answers when omitted.
        limit: only so many rows, from the first.

    Raises:
        PasskError: something is wrong, or contradicts what the store has; the store is as it was.
    """
    name = without_surrogates(name.strip())
    if not name:
        raise UsageError("A benchmark needs a name")
    if verifier is not None:
        require_verifier(verifier)
    with open_source(source, split=split, config=config) as table:
        problems = read_problems(table, name, source, columns or BenchmarkColumns(), limit)
        split = table.split
    return add_problems(layout, name, source, problems, verifier=verifier, split=split)


def add_problems(
    layout: StoreLayout,
    name: str,
    source: str,
    problems: Problems,
    *,
    verifier: str | None = None,
    split: str | None = None,
) -> BenchmarkReport:
    """Publish those of some problems that the store does not have yet; arguments and errors as `add_benchmark`."""
    try:
        while (report := _attempt(layout, name, source, problems, verifier, split)) is None:
            pass  # somebody else has added a part meanwhile: look again
    except (OSError, duckdb.Error) as error:
        raise StoreError(
            f"Adding to {layout.root} failed", str(error).strip(), "Nothing was added. Is there room on the disk?"
        ) from error
    merge(layout)
    return report


def _attempt(
    layout: StoreLayout, name: str, source: str, problems: Problems, wanted: str | None, split: str | None
) -> BenchmarkReport | None:
    known = _known(layout, name)
    there = known.problems or {}
    _refuse_contradictions(name, source, problems, known, wanted)
    verifier = known.verifier or wanted or fitting((p.reference, p.metadata) for p in problems.by_key.values())
    new = {key: facts for key, facts in problems.by_key.items() if _tells_more(facts, there.get(key))}
    changed = bool(new) or not known.listed or verifier != known.verifier
    report = BenchmarkReport(
        name,
        len(problems.by_key),
        len(new),
        changed,
        verifier,
        problems.columns,
        split,
        _notes(problems, verifier, [statement for _, _, statement in there.values()]),
    )
    if changed and not _publish(layout, report, source, new, known.parts):
        return None
    return report


def _known(layout: StoreLayout, name: str) -> _Known:
    if not layout.exists():
        return _Known()
    database = open_store(layout)
    try:
        with Reader(database) as reader:
            rows = reader.rows("reads/benchmark_problems", benchmark=name)
            listed = reader.rows("reads/benchmark", benchmark=name)
            return _Known(
                frozenset(database.manifests).union(waiting_parts(layout)),
                {key: (label, reference, statement) for key, label, reference, statement in rows},
                bool(listed),
                listed[0][0] if listed else None,
            )
    finally:
        database.close()


def _refuse_contradictions(name: str, source: str, problems: Problems, known: _Known, wanted: str | None) -> None:
    if wanted is not None and known.verifier not in (None, wanted):
        raise UsageError(
            f"{name} is verified by {known.verifier}, not by {wanted}",
            "Samples of one benchmark are judged by one verifier, so that runs can be compared.",
            f"Choose it for one run with passk sample --verifier {wanted}, or add the problems under another name.",
        )
    for key, facts in problems.by_key.items():
        label, reference, _ = (known.problems or {}).get(key, ("", None, True))
        if reference is not None and facts.reference is not None and reference != facts.reference:
            raise UsageError(
                f"{name} has another answer to the problem {label}",
                f"It is {reference} there, and {facts.reference} in {source}.",
                "Add the problems under another name. Nothing was added.",
            )


def _tells_more(facts: ProblemFacts, known: tuple[str, str | None, bool] | None) -> bool:
    return known is None or not known[2] or (known[1] is None and facts.reference is not None)


def _notes(problems: Problems, verifier: str | None, statements: list[bool]) -> dict[str, int]:
    notes = dict(problems.notes.counts)
    without = sum(facts.reference is None for facts in problems.by_key.values())
    if without and verifier != "expression":
        notes["problems without a reference answer: their samples will be unverified"] = without
    if nameless := len(statements) - sum(statements):
        notes["problems of that name whose statements are not known, from published counts: they stay apart"] = nameless
    return notes


def _publish(
    layout: StoreLayout, report: BenchmarkReport, source: str, new: Mapping[int, ProblemFacts], seen: frozenset[str]
) -> bool:
    """Publish a part; False, and nothing is written, when others have published since we looked."""
    from backend.store.part_tables import write_rows

    part = new_part_name("benchmark")
    folder = write_workspace(layout, part)
    try:
        columns = report.columns
        said = {
            "split": report.split,
            "question": columns.question,
            "answer": columns.answer,
            "level": columns.level,
            "id": columns.id,
        }
        metadata = as_json({key: value for key, value in said.items() if value is not None})
        place = str(Path(source).expanduser().resolve()) if Path(source).expanduser().exists() else source
        write_rows(folder, "benchmarks", [(report.benchmark, report.verifier, place, metadata, part)])
        write_rows(
            folder,
            "problems",
            [
                (
                    key,
                    report.benchmark,
                    facts.id,
                    facts.position,
                    facts.statement,
                    facts.reference,
                    facts.level,
                    as_json(facts.metadata) if facts.metadata else None,
                    part,
                )
                for key, facts in new.items()
            ],
        )
        created = datetime.now(UTC).isoformat(timespec="seconds")
        notes = tuple(f"{times} {note}" for note, times in report.notes.items())
        with publishing(layout):
            news = [part for part in waiting_parts(layout) if part not in seen]
            if any((found := read_manifest(layout, part)) and found.kind != "samples" for part in news):
                discard(folder)
                return False
            publish(layout, folder, Manifest(part, "benchmark", created, (), notes=notes))
    except BaseException:
        discard(folder)
        raise
    return True
