"""Verdicts for samples that are stored already: by the benchmark's verifier, beside what they came with."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self

from backend.errors import UsageError, suggestion
from backend.records import NOT_JUDGED, Model, Run
from backend.records.samples import GivenVerdict, Verification
from backend.store.locks import exclusive_lock
from backend.store.parts import PartRun
from backend.store.reads import Reader
from backend.verifiers.pool import VerdictStream, open_verifiers
from backend.verifiers.protocol import Task, Verdict, Verifier
from backend.verifiers.registry import Fitting, fitting_verifier, load_verifier

if TYPE_CHECKING:
    from backend.store.part_writer import PartWriter

# Verdicts for samples that are stored already: by the benchmark's verifier, beside what the samples came with. A part
# of kind `verdicts` brings rows of `verdicts` and what they change in the tallies, so that these still add up;
# the view `outcomes` shows the last verdict that is used. Nothing that was imported is overwritten. Samples without a
# verdict get theirs part by part: killed, what has been judged stays and the next call goes on. With `again` all of
# them appear at once or not at all, for otherwise two verifiers' verdicts would mix in one n.

ROWS = 50_000
"""Verdicts that are kept in memory before they are written."""
BATCH = 2_000
"""Samples whose texts are read at a time, of whole problems."""
FLUSH_SECONDS = 60.0
"""Without `again`, judgements become visible at the latest after this."""
BESIDE_SECONDS = 5.0
"""Those that stand beside and count nothing, after this: little is lost where the work is cancelled."""

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
        verifier: name of a verifier; that of the benchmark, or the one that fits its reference answers, when omitted.
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
    fitting = None if verifier else default_verifier(reader, run)
    judge = load_verifier(verifier or (fitting.name if fitting else ""))
    total = sum(row[5] for row in waiting)
    writer = _VerdictWriter(reader, run, (judge.name, judge.version), again, seen)
    with _verifying_alone(reader, run), writer, _open_verifiers(judge, processes) as verdicts:
        for key, task in _tasks(reader, run, waiting, "verification/texts", again=again):
            verdicts.submit(key, task)
            for done in verdicts.ready():
                writer.take(*done)
                progress(writer.judged, total)
        for done in verdicts.finish():
            writer.take(*done)
            progress(writer.judged, total)
        writer.publish()
    return Verification(
        run=run.name,
        verifier=judge.name,
        version=judge.version,
        wanted=sum(row[4] for row in waiting),
        without_text=sum(row[4] - row[5] for row in waiting),
        judged=writer.judged,
        changes=writer.changes,
        unused=writer.unused,
        because=fitting.because if fitting else "",
    )


def verify_beside(
    reader: Reader,
    run: Run,
    verifier: str,
    *,
    problems: Collection[int] | None = None,
    processes: int | None = None,
) -> Iterator[tuple[int, int]]:
    """Let a verifier judge the stored texts of a run, so that its verdicts stand beside and change no count.

    What this version of it has judged already is left out: cancelled or killed, the next call goes on from what was
    there `BESIDE_SECONDS` before.

    Args:
        reader: of the run's store; it sees the new verdicts afterwards.

    Yields:
        How many samples are judged, and of how many; the last time when all of them can be seen.

    Raises:
        UsageError: there is no such verifier, or somebody else verifies this run.
        StoreError: the store cannot be written.
    """
    reader.database.refresh()
    judge = load_verifier(verifier)
    by = {"verifier": judge.name, "version": judge.version}
    waiting = [
        row
        for row in reader.rows("verification/to_judge_beside", run_key=run.key, **by)
        if problems is None or row[0] in problems
    ]
    total = sum(row[5] for row in waiting)
    if not total:
        yield 0, 0
        return
    writer = _VerdictWriter(reader, run, (judge.name, judge.version), False, set(), beside=True)
    with _verifying_alone(reader, run), writer, _open_verifiers(judge, processes) as verdicts:
        for key, task in _tasks(reader, run, waiting, "verification/texts_beside", **by):
            verdicts.submit(key, task)
            for done in verdicts.ready():
                writer.take(*done)
                yield writer.judged, total
        for done in verdicts.finish():
            writer.take(*done)
            yield writer.judged, total
        writer.publish()
    yield writer.judged, total


def verdict_names(reader: Reader, run: Run) -> list[str]:
    """Who gave verdicts beside those that the samples of a run came with."""
    return [row[0] for row in reader.rows("verification/names", run_key=run.key)]


def use_verdicts(reader: Reader, run: Run, name: str, *, problems: Collection[int] | None = None) -> Verification:
    """Let verdicts count that stand beside: those of another filter of an evaluation, or of an earlier verifier.

    Args:
        reader: of the run's store; it sees the change afterwards.
        name: of the filter, scorer or verifier, or `imported` for the verdicts that the samples came with.

    Raises:
        UsageError: nobody of that name gave verdicts to this run, or somebody else verifies it.
        StoreError: the store cannot be written.
    """
    database = reader.database
    database.refresh()
    seen = set(database.manifests)
    known = verdict_names(reader, run)
    if name not in (*known, IMPORTED):
        raise UsageError(
            f"{run.name} has no verdicts of {name} beside", next_step=suggestion(name, [*known, IMPORTED], "name")
        )
    with _verifying_alone(reader, run):
        found = [
            row
            for row in reader.rows("verification/beside", run_key=run.key, verifier=name)
            if problems is None or row[0] in problems
        ]
        version = found[-1][3] if found else None
        with _VerdictWriter(reader, run, (name, version), True, seen) as writer:
            for problem, sample, before, _, verdict, answer, detail in found:
                writer.take((problem, sample, before), Verdict(verdict, answer, detail=detail or ""))
            writer.publish()
    return Verification(run.name, name, version, len(found), 0, writer.judged, writer.changes, writer.unused)


def restore_verdicts(reader: Reader, run: Run, problems: Collection[int], since: datetime) -> int:
    """Let the verdicts count again that counted before a moment, for some problems; those given since stay beside.

    Returns:
        How many samples have another verdict again.

    Raises:
        UsageError: somebody else verifies this run.
        StoreError: the store cannot be written.
    """
    database = reader.database
    database.refresh()
    seen = set(database.manifests)
    found: dict[tuple[str, str | None], list[tuple[Any, ...]]] = {}
    restored = 0
    for row in reader.rows("verification/before", run_key=run.key, problem_keys=list(problems), since=since):
        found.setdefault((row[3], row[4]), []).append(row)
    if not found:
        return 0
    with _verifying_alone(reader, run):
        for by, rows in found.items():
            with _VerdictWriter(reader, run, by, True, seen) as writer:
                for problem, sample, before, _, _, verdict, answer, detail in rows:
                    writer.take((problem, sample, before), Verdict(verdict, answer, detail=detail or ""), keep=True)
                    restored += verdict != before
                writer.publish()
    return restored


def verdicts_of(reader: Reader, run: Run, problem_key: int, sample: int) -> tuple[GivenVerdict, ...]:
    """Every verdict on one sample, the one that it came with first."""
    rows = reader.rows("verification/verdicts_of_sample", run_key=run.key, problem_key=problem_key, sample=sample)
    return tuple(GivenVerdict(*row) for row in rows)


def _open_verifiers(verifier: Verifier, processes: int | None) -> VerdictStream[Key]:
    return open_verifiers(verifier, processes=processes)


def default_verifier(reader: Reader, run: Run) -> Fitting:
    """The benchmark's verifier, else the one that fits its reference answers.

    Raises:
        UsageError: it has none, and no references.
    """
    chosen = reader.rows("reads/benchmark", benchmark=run.benchmark)
    if chosen and chosen[0][0]:
        return Fitting(str(chosen[0][0]), f"{run.benchmark} is verified by it")
    waiting = reader.rows("verification/waiting", run_key=run.key, again=True)
    fitting = fitting_verifier((row[2], json.loads(row[3]) if row[3] else {}) for row in waiting)
    if fitting is None:
        raise UsageError(
            f"Nothing tells how to verify samples of {run.benchmark}",
            "Its problems have no reference answers.",
            "Name a verifier with --verifier, or bring references: passk benchmark add.",
        )
    return fitting


def _tasks(
    reader: Reader, run: Run, waiting: list[tuple[Any, ...]], query: str, **wanted: Any
) -> Iterator[tuple[Key, Task]]:
    """The texts with what is known of their problems, some thousand at a time."""
    batch: list[tuple[Any, ...]] = []
    for row in waiting:
        batch.append(row)
        if sum(entry[5] for entry in batch) >= BATCH:
            yield from _read_tasks(reader, run, batch, query, **wanted)
            batch = []
    if batch:
        yield from _read_tasks(reader, run, batch, query, **wanted)


def _read_tasks(
    reader: Reader, run: Run, batch: list[tuple[Any, ...]], query: str, **wanted: Any
) -> Iterator[tuple[Key, Task]]:
    known: dict[int, tuple[str, str | None, Mapping[str, Any]]] = {}
    for key, statement, reference, metadata, _, _ in batch:
        facts = json.loads(metadata) if metadata else {}
        known[key] = statement or "", reference, facts if isinstance(facts, dict) else {}
    found = reader.rows(query, run_key=run.key, first=batch[0][0], last=batch[-1][0], problems=list(known), **wanted)
    for key, sample, verdict, reason, text in found:
        yield (key, sample, verdict), Task(text, reason, *known[key])


def tally_change(verdict: str) -> tuple[int, int, int]:
    """What one sample of this verdict adds to n, c and unverified; as `queries/parts/derive_tallies.sql` counts."""
    unknown = verdict in NOT_JUDGED
    return int(not unknown), int(verdict == "correct"), int(unknown)


class _VerdictWriter:
    """Takes verdicts and publishes them; leaving its `with` block drops what is not published."""

    def __init__(
        self,
        reader: Reader,
        run: Run,
        by: tuple[str, str | None],
        again: bool,
        seen: set[str],
        *,
        beside: bool = False,
    ) -> None:
        """`by` is who gives them, with the version; `seen` are the parts that were there before.

        With `beside` none of them counts.
        """
        self._database = reader.database
        self._run = run
        self._by = by
        self._again = again
        self._beside = beside
        self._seen = seen
        self.judged = 0
        self.changes: Counter[tuple[str, str]] = Counter()
        self.unused = 0
        self._own_keys = self._database.own_keys(run.key)
        self._begin()

    def _begin(self) -> None:
        """A new part, which is opened when there is something to write."""
        self._part: PartWriter | None = None
        self._since = time.monotonic()
        self._created = datetime.now(UTC).replace(tzinfo=None)
        self._rows: list[tuple[Any, ...]] = []
        self._tallies: dict[int, list[int]] = {}

    def _own(self, problem: int, sample: int) -> int:
        """The key under which the sample is written; only of matched problems it is another."""
        own = self._own_keys.get(problem, (problem,))
        return own[0] if len(own) == 1 else self._database.own_key(self._run.key, problem, sample)

    def take(self, key: Key, found: Verdict, *, keep: bool = False) -> None:
        """Note one verdict; with `keep` whatever it is, since it counted before."""
        problem, sample, before = key
        self.judged += 1
        if self._beside:
            self._note(key, found, used=False)
            return
        # What cannot be judged keeps its verdict; so does what the verifier failed on, if it has one.
        used = keep or (found.verdict != "unverified" and (found.verdict != "error" or before in NOT_JUDGED))
        self.changes[before, found.verdict if used else before] += 1
        self.unused += not used
        if not used and found.verdict == "unverified":
            return
        if used:
            change = self._tallies.setdefault(self._own(problem, sample), [0, 0, 0])
            for place, (old, new) in enumerate(zip(tally_change(before), tally_change(found.verdict), strict=True)):
                change[place] += new - old
        self._note(key, found, used=used)

    def _note(self, key: Key, found: Verdict, *, used: bool) -> None:
        given = (*self._by, found.verdict, found.detail or None, found.answer)
        self._rows.append((self._run.key, self._own(*key[:2]), key[1], *given, used, self._created))
        if len(self._rows) >= ROWS:
            self._write()
        patience = BESIDE_SECONDS if self._beside else FLUSH_SECONDS
        if not self._again and time.monotonic() - self._since > patience:
            self.publish()

    def _write(self) -> PartWriter:
        from backend.store.part_writer import PartWriter

        if self._part is None:
            self._part = PartWriter(self._database.layout, "verdicts")
        self._rows.sort(key=lambda row: row[:3])
        self._part.write("verdicts", self._rows)
        self._rows = []
        return self._part

    def publish(self) -> None:
        """Make visible what has been judged since the last time.

        Raises:
            UsageError: somebody else gave verdicts to this run meanwhile; what tallies need to add up is lost.
        """
        if self._part is not None or self._rows:
            part, run = self._write(), self._run
            changes = [(problem, change) for problem, change in sorted(self._tallies.items()) if any(change)]
            if changes:
                rows = [(run.key, problem, "samples", *change, 0, 0, 0) for problem, change in changes]
                part.write("statistics", rows)
            with exclusive_lock(self._database.layout.publish_lock):
                if not self._beside:
                    self._refuse_others()
                part.publish(runs=[PartRun.of(run.stored_name, Model(run.model.name), run.benchmark, run.parameters)])
            self._seen.add(part.part)
            self._database.refresh()
        self._begin()

    def _refuse_others(self) -> None:
        self._database.refresh()
        for part, manifest in self._database.manifests.items():
            others = manifest.kind == "verdicts" and part not in self._seen
            if others and any(run.run == self._run.stored_name for run in manifest.runs):
                raise UsageError(
                    f"Somebody else gave verdicts to {self._run.name} meanwhile",
                    next_step="Nothing of this was kept. Call it again; it takes theirs into account.",
                )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._part is not None:
            self._part.discard()


def _verifying_alone(reader: Reader, run: Run) -> AbstractContextManager[None]:
    """Hold the lock on verifying this run; without locks `publish` sees that somebody else was there."""
    layout = reader.database.layout
    layout.create()
    busy = UsageError(f"Somebody is verifying the samples of {run.name} already", next_step="Wait for them.")
    return exclusive_lock(layout.jobs / f"{run.key:016x}.verify.lock", busy, root=layout.root)
