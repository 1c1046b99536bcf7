"""Parts of a draw: provisional ones while it goes on, a sorted one at its end that supersedes them."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING

import queries
from backend.engines.protocol import Sample
from backend.importers.intake import as_json
from backend.importers.protocol import Block, ProblemFacts, RunFacts
from backend.jobs.plan import SamplingPlan
from backend.store.connection import open_database
from backend.store.identity import run_key, source_key
from backend.store.layout import StoreLayout
from backend.store.parts import (
    Manifest,
    PartRun,
    discard,
    new_part_name,
    publish,
    read_manifest,
    waiting_parts,
    write_workspace,
)
from backend.verifiers.protocol import Judgement

if TYPE_CHECKING:
    import duckdb

Drawn = tuple[Sample, Judgement]


@dataclass(frozen=True, slots=True)
class DrawTarget:
    """Where samples go to."""

    layout: StoreLayout
    plan: SamplingPlan
    origin: str
    """Engine, libraries and verifier with their versions."""
    job: str = ""


def write_part(target: DrawTarget, drawn: list[Drawn], connection: duckdb.DuckDBPyConnection) -> str:
    """One provisional part; its name."""
    from backend.importers.part_files import PartFiles

    layout, plan, origin = target.layout, target.plan, target.origin
    problem_keys = {problem.label: problem.key for problem in plan.problems}

    part = new_part_name("samples")
    folder = write_workspace(layout, part)
    files = PartFiles(folder, lambda _: None)
    source = source_key(origin, plan.target.run)
    groups: dict[str, list[Drawn]] = {}
    for sample, judged in drawn:
        groups.setdefault(sample.problem, []).append((sample, judged))
    try:
        for label, group in groups.items():
            block = _block(label, group)
            files.add(run_key(plan.target.run), problem_keys[label], [s.index for s, _ in group], block, source)
        files.finish()
        _write_tables(folder, part, plan, origin, connection)
        run = _run_of(plan, len(drawn), max(sample.index for sample, _ in drawn) + 1)
        publish(layout, folder, _manifest(target, part, run, len(drawn), provisional=True))
    except BaseException:
        # Closing fails too where the disk is full.
        with suppress(Exception):
            files.close()
        discard(folder)
        raise
    return part


def _block(label: str, group: list[Drawn]) -> Block:
    samples = [sample for sample, _ in group]
    return Block(
        facts=RunFacts(),
        problem=ProblemFacts(label, 0),
        verdicts=[judged.verdict for _, judged in group],
        rows=[0] * len(group),
        texts=[sample.text for sample in samples],
        answers=[judged.answer for _, judged in group],
        details=[judged.detail or None for _, judged in group],
        tokens=[sample.tokens for sample in samples],
        finish_reasons=[sample.finish_reason for sample in samples],
        seeds=[sample.seed for sample in samples],
        # A server that gives no log-probabilities leaves NaN.
        logprob_sums=[None if isnan(sample.logprob_sum) else sample.logprob_sum for sample in samples],
    )


def _write_tables(
    folder: Path, part: str, plan: SamplingPlan, origin: str, connection: duckdb.DuckDBPyConnection
) -> None:
    """Everything of a part beside its outcomes and texts, of which it takes the statistics."""
    from backend.store.part_tables import derive_statistics, write_rows

    target = plan.target
    model = target.model
    write_rows(folder, "models", [(model.name, model.role, model.from_model, model.step, model.algorithm, part)])
    run = (run_key(target.run), target.run, model.name, target.benchmark, as_json(target.parameters), part)
    write_rows(folder, "runs", [run])
    # Where an import names its file, a draw names engine, libraries and verifier with their versions.
    key = source_key(origin, target.run)
    write_rows(folder, "sources", [(key, origin, "", "sampled", run_key(target.run), part)])
    derive_statistics(folder, connection)


def _run_of(plan: SamplingPlan, samples: int, next_sample: int) -> PartRun:
    target = plan.target
    return PartRun(
        run=target.run,
        model=target.model.name,
        role=target.model.role,
        from_model=target.model.from_model,
        step=target.model.step,
        algorithm=target.model.algorithm,
        benchmark=target.benchmark,
        parameters=target.parameters,
        samples=samples,
        next_sample=next_sample,
    )


def _manifest(
    target: DrawTarget,
    part: str,
    run: PartRun,
    outcomes: int,
    *,
    provisional: bool,
    supersedes: tuple[str, ...] = (),
) -> Manifest:
    return Manifest(
        part=part,
        kind="samples",
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        runs=(run,),
        outcomes=outcomes,
        supersedes=supersedes,
        provisional=provisional,
        job=target.job,
    )


def _provisional_parts(target: DrawTarget) -> list[Manifest]:
    """The provisional parts of this job and run that count, also those of attempts that were killed."""
    layout, run = target.layout, target.plan.target.run
    manifests = [manifest for part in waiting_parts(layout) if (manifest := read_manifest(layout, part))]
    gone = {part for manifest in manifests for part in manifest.supersedes}
    return [
        manifest
        for manifest in manifests
        if manifest.provisional
        and manifest.job == target.job
        and manifest.part not in gone
        and [entry.run for entry in manifest.runs] == [run]
    ]


def gather(
    target: DrawTarget, parts: list[str] | None = None, connection: duckdb.DuckDBPyConnection | None = None
) -> None:
    """One sorted part of these provisional parts, which supersedes them; without `parts` of all, and final."""
    layout, plan, origin = target.layout, target.plan, target.origin
    ours = [m for m in _provisional_parts(target) if parts is None or m.part in parts]
    if not ours:
        return
    part = new_part_name("samples")
    folder = write_workspace(layout, part)
    database = connection or open_database()
    try:
        for table in ("outcomes", "texts"):
            files = [str(layout.parts / manifest.part / f"{table}.parquet") for manifest in ours]
            sql = queries.render(f"parts/gather_{table}", **{table: files})
            database.execute(sql, {"target": str(folder / f"{table}.parquet")})
        # The derived statistics need the outcomes; the sources of all attempts replace those of this one.
        _write_tables(folder, part, plan, origin, database)
        files = [str(layout.parts / manifest.part / "sources.parquet") for manifest in ours]
        sql = queries.render("parts/gather_sources", sources=files)
        database.execute(sql, {"target": str(folder / "sources.parquet")})
        outcomes = sum(manifest.outcomes for manifest in ours)
        next_sample = max(entry.next_sample for manifest in ours for entry in manifest.runs)
        # Those that an earlier gathering has superseded too: their folders may outlive the part that said so.
        supersedes = tuple(name for manifest in ours for name in (*manifest.supersedes, manifest.part))
        run = _run_of(plan, outcomes, next_sample)
        final = parts is None
        publish(layout, folder, _manifest(target, part, run, outcomes, provisional=not final, supersedes=supersedes))
    except BaseException:
        discard(folder)
        raise
    finally:
        if connection is None:
            database.close()
