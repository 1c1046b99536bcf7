"""Reference answers as versions: one that came with a file, or that a person set; the first counts until one is chosen.

Where another comes to count, the samples of its problem are verified anew, by their problem's verifier; what counted
before stays beside, and counts again when the decision is taken back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

from backend.deciding import id_of, write_decisions
from backend.errors import PasskError, UsageError
from backend.records.decisions import DecisionMade, ReferenceVersion
from backend.store.decisions import Decision
from backend.store.reads import Reader
from backend.verification import restore_verdicts, verify
from backend.wording import with_noun

Progress = Callable[[int, int], None]
"""Told how many samples of a run are verified anew, and of how many."""


def reference_versions(reader: Reader, benchmark: str) -> tuple[ReferenceVersion, ...]:
    """Every reference of every problem of a benchmark, the oldest first."""
    reader.database.refresh()
    manifests = reader.database.manifests
    found = []
    for key, label, reference, part, author, created, counts in reader.rows(
        "reads/reference_versions", benchmark=benchmark
    ):
        manifest = manifests.get(part)
        when = f"{created:%Y-%m-%dT%H:%M:%S}+00:00" if created else (manifest.created if manifest else None)
        who = author or (manifest.author or None if manifest else None)
        found.append(ReferenceVersion(key, label, benchmark, reference, id_of(part), who, when, counts))
    return tuple(found)


def set_references(
    reader: Reader,
    benchmark: str,
    references: Mapping[str, str],
    *,
    reason: str | None = None,
    verifying: bool = True,
    progress: Progress = lambda done, total: None,
) -> DecisionMade:
    """Let other references count, by label or id of their problems, and verify the samples of these problems anew.

    Raises:
        UsageError: a problem is unknown, or nothing would change.
        StoreError: the store cannot be written.
    """
    keys = {reader.problem_key(benchmark, name): (name, text.strip()) for name, text in references.items()}
    return _let_count(reader, benchmark, keys, reason, verifying, progress)


def choose_reference(
    reader: Reader,
    benchmark: str,
    problem: str | None,
    reference: str | None,
    *,
    reason: str | None = None,
    verifying: bool = True,
    progress: Progress = lambda done, total: None,
) -> DecisionMade:
    """Let one of the references count that a problem has already; without one, the newest of each problem.

    Args:
        problem: label or id; None for every problem that has several references.

    Raises:
        UsageError: the problem has no such reference, or nothing would change.
        StoreError: the store cannot be written.
    """
    only = None if problem is None else reader.problem_key(benchmark, problem)
    versions: dict[int, list[ReferenceVersion]] = {}
    for version in reference_versions(reader, benchmark):
        if only in (None, version.problem_key):
            versions.setdefault(version.problem_key, []).append(version)
    if reference is not None:
        known = [version.reference for found in versions.values() for version in found]
        if reference not in known:
            raise UsageError(
                f"Problem {problem} never had the reference {reference}",
                f"It has {', '.join(known) or 'none'}.",
                f"To give it a new one: passk reference set {benchmark} {problem} {reference}",
            )
    # An import's references are as old as its part, a decision's as the decision; parts sort by time.
    newest = {key: max(found, key=lambda version: version.created or "") for key, found in versions.items()}
    keys = {key: (last.problem, reference if reference is not None else last.reference) for key, last in newest.items()}
    return _let_count(reader, benchmark, keys, reason, verifying, progress)


def _let_count(
    reader: Reader,
    benchmark: str,
    wanted: Mapping[int, tuple[str, str]],
    reason: str | None,
    verifying: bool,
    progress: Progress,
) -> DecisionMade:
    if any(not text for _, text in wanted.values()):
        raise UsageError("A reference without a character", next_step="Say what the right answer is.")
    counting = {
        version.problem_key: version.reference for version in reference_versions(reader, benchmark) if version.counts
    }
    changed = {key: said for key, said in wanted.items() if counting.get(key) != said[1]}
    if not changed:
        raise UsageError("These references count already", next_step=f"passk reference list --benchmark {benchmark}")
    made = [Decision("reference", target=label, problem_key=key, value=text) for key, (label, text) in changed.items()]
    written = write_decisions(reader.database, lambda _: made, reason)
    label, text = next(iter(changed.values()))
    words = (
        f"problem {label} of {benchmark}: {text} counts"
        if len(changed) == 1
        else (f"{with_noun(len(changed), 'reference')} of {benchmark} changed")
    )
    notes = verify_anew(reader, list(changed), progress) if verifying else ()
    return DecisionMade(id_of(written.part), words, notes)


def verify_anew(
    reader: Reader, problems: Sequence[int], progress: Progress = lambda done, total: None
) -> tuple[str, ...]:
    """Verify the stored samples of some problems again, in every run; what came of it, a line a run."""
    lines = []
    for run in reader.runs():
        mine = [row[0] for row in reader.rows("verification/problems_of_run", run_key=run.key, problem_keys=problems)]
        if not mine:
            continue
        try:
            done = verify(reader, run, problems=mine, again=True, progress=progress)
        except PasskError as error:
            # The reference counts all the same; what cannot be judged keeps its verdict.
            lines.append(f"{run.name}: not verified anew: {error.title}")
            continue
        changed = sum(times for (before, now), times in done.changes.items() if before != now)
        lines.append(
            f"{run.name}: {with_noun(done.judged, 'sample')} verified anew by {done.verifier}, "
            f"{with_noun(changed, 'verdict')} changed"
        )
    return tuple(lines)


def settle_verdicts(reader: Reader, decided: Sequence[Decision], *, again: bool) -> tuple[str, ...]:
    """After references were taken back, the verdicts of before count; after they were brought back, new ones."""
    matches = reader.database.matches()
    problems = sorted({matches.get(key, key) for row in decided if (key := row.problem_key) is not None})
    if again:
        return verify_anew(reader, problems)
    since = min((row.created for row in decided if row.created is not None), default=datetime.now(UTC))
    lines = []
    for run in reader.runs():
        restored = restore_verdicts(reader, run, problems, since)
        if restored:
            lines.append(f"{run.name}: {with_noun(restored, 'verdict')} of before count{'s' * (restored == 1)} again")
    return tuple(lines)
