"""Verdicts for samples that are stored already: by the benchmark's verifier, beside what they came with."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from backend.errors import UsageError, suggestion
from backend.records import Run
from backend.records.samples import GivenVerdict, Verification
from backend.store.identity import without_surrogates
from backend.store.layout import StoreLayout, publishing
from backend.store.parts import SCHEMAS, Manifest, PartRun, discard, new_part_name, publish, write_rows, write_workspace
from backend.store.reads import Reader
from backend.verifiers.pool import VerdictStream, open_verifiers
from backend.verifiers.protocol import Task, Verdict, Verifier
from backend.verifiers.registry import fitting_verifier, load_verifier

if TYPE_CHECKING:
    import pyarrow.parquet as pq


# A part of verdicts on samples that are stored already, with what they change in the statistics.

ROWS = 50_000
"""Rows that are kept in memory before they are written."""


def tally_change(verdict: str) -> tuple[int, int, int]:
    """What one sample of this verdict adds to n, c and unverified."""
    return int(verdict != "unverified"), int(verdict == "correct"), int(verdict == "unverified")


class VerdictPart:
    """Verdicts on samples of one run, streamed to disk; visible once published."""

    def __init__(self, layout: StoreLayout, run: Run) -> None:
        """Raises StoreError when the store cannot be written."""
        self._layout = layout
        self._run = run
        self._name = new_part_name("verdicts")
        self._folder = write_workspace(layout, self._name)
        self._created = datetime.now(UTC).replace(tzinfo=None)
        self._rows: list[tuple[Any, ...]] = []
        self._changes: dict[int, list[int]] = {}
        self._writer: pq.ParquetWriter | None = None

    def add(self, problem: int, sample: int, before: str, given: tuple[Any, ...], *, used: bool) -> None:
        """One verdict.

        Args:
            before: the verdict that counts so far.
            given: verifier, version, verdict, detail, answer.
            used: whether it counts from now on.
        """
        self._rows.append((self._run.key, problem, sample, *given, used, self._created))
        if used:
            change = self._changes.setdefault(problem, [0, 0, 0])
            for place, (old, new) in enumerate(zip(tally_change(before), tally_change(given[2]), strict=True)):
                change[place] += new - old
        if len(self._rows) >= ROWS:
            self._write()

    def _write(self) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        schema = SCHEMAS["verdicts"]
        self._rows.sort(key=lambda row: row[:3])
        columns = [
            [without_surrogates(value) if isinstance(value, str) else value for value in column]
            for column in zip(*self._rows, strict=True)
        ]
        arrays = [pa.array(column, entry.type) for column, entry in zip(columns, schema, strict=True)]
        if self._writer is None:
            self._writer = pq.ParquetWriter(self._folder / "verdicts.parquet", schema, compression="zstd")
        self._writer.write_table(pa.Table.from_arrays(arrays, schema=schema))
        self._rows = []

    def publish(self) -> str:
        """Make it visible; its name."""
        if self._rows:
            self._write()
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        changed = [
            (self._run.key, problem, "samples", *change, 0, 0, 0)
            for problem, change in sorted(self._changes.items())
            if any(change)
        ]
        if changed:
            write_rows(self._folder, "statistics", changed)
        run, model = self._run, self._run.model
        publish(
            self._layout,
            self._folder,
            Manifest(
                part=self._name,
                kind="verdicts",
                created=datetime.now(UTC).isoformat(timespec="seconds"),
                runs=(
                    PartRun(
                        run=run.name,
                        model=model.name,
                        role=model.role,
                        from_model=model.from_model,
                        step=model.step,
                        algorithm=model.algorithm,
                        benchmark=run.benchmark,
                        parameters=run.parameters,
                        samples=0,
                        next_sample=0,
                    ),
                ),
            ),
        )
        return self._name

    def discard(self) -> None:
        """Drop it."""
        if self._writer is not None:
            with suppress(Exception):  # what is thrown away need not be whole
                self._writer.close()
        discard(self._folder)


# Verdicts for samples that are stored already: by the benchmark's verifier, beside what the samples came with. A part
# of kind `verdicts` brings rows of `verdicts` and what they change in `statistics`, so that statistics still add up;
# the view `outcomes` shows the last verdict that is used. Nothing that was imported is overwritten. Samples without a
# verdict get theirs part by part: killed, what has been judged stays and the next call goes on. With `again` all of
# them appear at once or not at all, for otherwise two verifiers' verdicts would mix in one n.

BATCH = 2_000
"""Samples whose texts are read at a time, of whole problems."""
FLUSH_SECONDS = 60.0
"""Without `again`, judgements become visible at the latest after this."""

IMPORTED = "imported"
"""Who gave the verdicts that samples came with."""

Progress = Callable[[int, int], None]
"""Told how many samples are judged, and of how many."""
Key = tuple[int, int, str]
"""Problem key, sample index and the verdict that counts so far."""


def verify(
    reader: Reader,
    run: Run,
    *,
    verifier: str | None = None,
    problems: Collection[int] | None = None,
    again: bool = False,
    processes: int | None = None,
    progress: Progress = lambda done, total: None,
) -> Verification:
    """Judge the samples of a run that have no verdict, and let the judgements count.

    Args:
        reader: of the run's store; it sees the new verdicts afterwards.
        run: whose samples.
        verifier: name of a verifier; that of the benchmark, or the one that fits its reference answers, when omitted.
        problems: only samples of these problem keys; None for all.
        again: judge every sample, also those that have a verdict.
        processes: at most so many judging processes.
        progress: told now and then.

    Raises:
        UsageError: no verifier fits or the one named does not exist, or somebody else verifies this run.
        StoreError: the store cannot be written.
    """
    database = reader.database
    database.refresh()
    seen = set(database.manifests)
    waiting = [
        row
        for row in reader.rows("verification/waiting", run_key=run.key, again=again)
        if problems is None or row[0] in problems
    ]
    if not waiting:
        return Verification(run.name, None, None, wanted=0, without_text=0, judged=0, changes={}, unused=0)
    judge = load_verifier(verifier or _usual(reader, run, waiting))
    work = _Work(reader, run, (judge.name, judge.version), again, seen)
    total = sum(row[5] for row in waiting)
    with _only_one(reader, run), _judges(judge, processes) as judges:
        try:
            for key, task in _tasks(reader, run, waiting, again):
                judges.submit(key, task)
                for done in judges.ready():
                    work.take(*done)
                    progress(work.judged, total)
            for done in judges.finish():
                work.take(*done)
                progress(work.judged, total)
            work.publish()
        except BaseException:
            work.discard()
            raise
    return Verification(
        run=run.name,
        verifier=judge.name,
        version=judge.version,
        wanted=sum(row[4] for row in waiting),
        without_text=sum(row[4] - row[5] for row in waiting),
        judged=work.judged,
        changes=work.changes,
        unused=work.unused,
    )


def use_verdicts(reader: Reader, run: Run, name: str, *, problems: Collection[int] | None = None) -> Verification:
    """Let verdicts count that stand beside: those of another filter of an evaluation, or of an earlier verifier.

    Args:
        reader: of the run's store; it sees the change afterwards.
        run: whose samples.
        name: of the filter, scorer or verifier, or `imported` for the verdicts that the samples came with.
        problems: only samples of these problem keys; None for all.

    Raises:
        UsageError: nobody of that name gave verdicts to this run, or somebody else verifies it.
        StoreError: the store cannot be written.
    """
    database = reader.database
    database.refresh()
    seen = set(database.manifests)
    known = [row[0] for row in reader.rows("verification/names", run_key=run.key)]
    if name not in (*known, IMPORTED):
        raise UsageError(
            f"{run.name} has no verdicts of {name} beside", next_step=suggestion(name, [*known, IMPORTED], "name")
        )
    with _only_one(reader, run):
        found = [
            row
            for row in reader.rows("verification/beside", run_key=run.key, verifier=name)
            if problems is None or row[0] in problems
        ]
        version = found[-1][3] if found else None
        work = _Work(reader, run, (name, version), True, seen)
        try:
            for problem, sample, before, _, verdict, answer, detail in found:
                work.take((problem, sample, before), Verdict(verdict, answer, detail=detail or ""))
            work.publish()
        except BaseException:
            work.discard()
            raise
    total = len(found)
    return Verification(run.name, name, version, total, 0, work.judged, work.changes, work.unused)


def verdicts_of(reader: Reader, run: Run, problem_key: int, sample: int) -> tuple[GivenVerdict, ...]:
    """Every verdict on one sample, the one that it came with first."""
    rows = reader.rows("verification/verdicts_of_sample", run_key=run.key, problem_key=problem_key, sample=sample)
    return tuple(GivenVerdict(*row) for row in rows)


def _judges(verifier: Verifier, processes: int | None) -> VerdictStream[Key]:
    return open_verifiers(verifier, processes=processes)


def _usual(reader: Reader, run: Run, waiting: list[tuple[Any, ...]]) -> str:
    """The benchmark's verifier, else the one that fits the reference answers."""
    chosen = reader.rows("reads/benchmark", benchmark=run.benchmark)
    name = chosen[0][0] if chosen else None
    name = name or fitting_verifier((row[2], json.loads(row[3]) if row[3] else {}) for row in waiting)
    if name is None:
        raise UsageError(
            f"Nothing tells how to verify samples of {run.benchmark}",
            "Its problems have no reference answers.",
            "Name a verifier with --verifier, or bring references: passk benchmark add.",
        )
    return str(name)


def _tasks(reader: Reader, run: Run, waiting: list[tuple[Any, ...]], again: bool) -> Iterator[tuple[Key, Task]]:
    """The texts with what is known of their problems, some thousand at a time."""
    batch: list[tuple[Any, ...]] = []
    for row in waiting:
        batch.append(row)
        if sum(entry[5] for entry in batch) >= BATCH:
            yield from _read(reader, run, batch, again)
            batch = []
    if batch:
        yield from _read(reader, run, batch, again)


def _read(reader: Reader, run: Run, batch: list[tuple[Any, ...]], again: bool) -> Iterator[tuple[Key, Task]]:
    known: dict[int, tuple[str, str | None, Mapping[str, Any]]] = {}
    for key, statement, reference, metadata, _, _ in batch:
        facts = json.loads(metadata) if metadata else {}
        known[key] = statement or "", reference, facts if isinstance(facts, dict) else {}
    found = reader.rows(
        "verification/texts",
        run_key=run.key,
        first=batch[0][0],
        last=batch[-1][0],
        problems=list(known),
        again=again,
    )
    for key, sample, verdict, reason, text in found:
        yield (key, sample, verdict), Task(text, reason, *known[key])


class _Work:
    """Takes judgements in and publishes them."""

    def __init__(self, reader: Reader, run: Run, by: tuple[str, str | None], again: bool, seen: set[str]) -> None:
        """`by` is who judges, with the version; `seen` are the parts that were there before."""
        self._reader = reader
        self._layout = reader.database.layout
        self._run = run
        self._by = by
        self._again = again
        self._seen = seen
        self._part: VerdictPart | None = None
        self._since = time.monotonic()
        self.judged = 0
        self.changes: Counter[tuple[str, str]] = Counter()
        self.unused = 0

    def take(self, key: Key, judged: Verdict) -> None:
        """Note one judgement."""
        problem, sample, before = key
        self.judged += 1
        # What cannot be judged keeps its verdict; so does what the verifier failed on, if it has one.
        used = judged.verdict != "unverified" and (judged.verdict != "error" or before == "unverified")
        self.changes[before, judged.verdict if used else before] += 1
        self.unused += not used
        if judged.verdict == "unverified":
            return
        if self._part is None:
            self._part = VerdictPart(self._layout, self._run)
        given = (*self._by, judged.verdict, judged.detail or None, judged.answer)
        self._part.add(problem, sample, before, given, used=used)
        if not self._again and time.monotonic() - self._since > FLUSH_SECONDS:
            self.publish()

    def publish(self) -> None:
        """Make visible what has been judged since the last time.

        Raises:
            UsageError: somebody else gave verdicts to this run meanwhile; what statistics need to add up is lost.
        """
        self._since = time.monotonic()
        if self._part is None:
            return
        with publishing(self._layout):
            self._reader.database.refresh()
            for part, manifest in self._reader.database.manifests.items():
                others = manifest.kind == "verdicts" and part not in self._seen
                if others and any(run.run == self._run.name for run in manifest.runs):
                    raise UsageError(
                        f"Somebody else gave verdicts to {self._run.name} meanwhile",
                        next_step="Nothing of this was kept. Call it again; it takes theirs into account.",
                    )
            self._seen.add(self._part.publish())
        self._part = None
        self._reader.database.refresh()

    def discard(self) -> None:
        """Drop what is not published."""
        if self._part is not None:
            self._part.discard()


@contextmanager
def _only_one(reader: Reader, run: Run) -> Iterator[None]:
    """Hold the lock on verifying this run; the kernel frees it when we die."""
    import fcntl

    layout = reader.database.layout
    layout.create()
    with open(layout.jobs / f"{run.key:016x}.verify.lock", "a+b") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise UsageError(
                f"Somebody is verifying the samples of {run.name} already", next_step="Wait for them."
            ) from error
        except OSError:
            pass  # a file system without locks: `publish` looks whether somebody else was there
        yield
