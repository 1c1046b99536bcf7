"""Taking back: imports and decisions are listed, taken back and brought back by a decision that lies over them.

Nothing is rewritten and nothing is lost.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from backend.deciding import id_of, write_decisions
from backend.errors import UsageError
from backend.matching import refuse_two_of_a_run
from backend.records.decisions import DecisionEntry, Forgettable, ImportEntry, TakenBack
from backend.references import settle_verdicts
from backend.store.database import NAMES_ITS_COUNTS, Database
from backend.store.decisions import KIND, Decided, Decision
from backend.store.forget import FORGOTTEN
from backend.store.parts import Manifest
from backend.store.reads import Reader
from backend.wording import with_noun

# What there is


def imports(reader: Reader) -> tuple[ImportEntry, ...]:
    """Every import, the oldest first, those taken back among them."""
    database = reader.database
    database.refresh()
    manifests = sorted(database.manifests.items())
    return tuple(_import(database, manifest) for _, manifest in manifests if manifest.kind == "import")


def _import(database: Database, manifest: Manifest) -> ImportEntry:
    decided = database.decided
    undone = next((row for row in reversed(decided.every) if row.kind == "undo" and row.target == manifest.part), None)
    gone = manifest.part in decided.taken_back
    return ImportEntry(
        id=id_of(manifest.part),
        part=manifest.part,
        created=manifest.created,
        author=manifest.author or None,
        files=tuple(source.path for source in manifest.sources),
        runs=tuple(decided.name_of(run.run) for run in manifest.runs),
        problems_of=tuple(dict.fromkeys(run.benchmark for run in manifest.runs)),
        samples=sum(run.samples for run in manifest.runs),
        counts_only=bool(manifest.runs)
        and not manifest.verdicts_given
        and not any(run.samples for run in manifest.runs),
        verdicts=bool(manifest.verdicts_given),
        taken_back=gone,
        taken_back_by=undone.author if gone and undone is not None else None,
        taken_back_at=_time(undone.created) if gone and undone is not None else None,
    )


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else f"{moment.isoformat(timespec='seconds')}+00:00"


def decisions(reader: Reader) -> tuple[DecisionEntry, ...]:
    """Everything that was decided, the oldest first, what was taken back among it."""
    database = reader.database
    database.refresh()
    decided = database.decided
    by_part: dict[str, list[Decision]] = {}
    for row in decided.every:
        by_part.setdefault(row.part, []).append(row)
    return tuple(
        DecisionEntry(
            id=id_of(part),
            part=part,
            kind=_kind(rows[0]),
            created=_time(rows[0].created) or "",
            author=rows[0].author or None,
            words=_words(database, rows),
            reason=rows[0].reason,
            taken_back=part in decided.taken_back,
        )
        for part, rows in by_part.items()
    )


def _kind(row: Decision) -> str:
    if row.kind == "undo":
        return row.value or row.kind
    if row.kind in ("run", "model"):
        return "rename" if row.field == "name" else "set"
    return row.kind


def _words(database: Database, rows: Sequence[Decision]) -> str:
    """What was decided, in a line."""
    first = rows[0]
    more = f" and {len(rows) - 1:,} more" if len(rows) > 1 else ""
    match _kind(first):
        case "undo" | "redo":
            manifest = database.manifests.get(first.target or "")
            what = "what was forgotten since" if manifest is None else change_in_words(database, manifest)
            return f"{'took back' if first.value == 'undo' else 'brought back'}: {what}"
        case "rename":
            return f"run {first.target} is called {first.value}"
        case "set":
            said = ", ".join(f"{(row.field or '').replace('_', ' ')} {row.value}" for row in rows)
            return f"{first.target}: {said}"
        case "remove":
            return f"run {first.target} removed"
        case "reference":
            return f"problem {first.target}: reference {first.value}{more}"
        case "match":
            return f"{with_noun(int(first.value or 0), 'problem')} of {first.target} matched by {first.field}"
        case _:
            value = "override withdrawn" if first.value is None else f"overridden to {first.value}"
            return f"{first.target}, sample {first.sample}: {value}{more}"


def change_in_words(database: Database, manifest: Manifest) -> str:
    """An import or a decision in a line, for the question whether it is meant."""
    if manifest.kind == KIND:
        rows = [row for row in database.decided.every if row.part == manifest.part]
        return _words(database, rows)
    entry = _import(database, manifest)
    what = brought_in_words(entry)
    files = entry.files[0] if len(entry.files) == 1 else f"{len(entry.files)} files"
    return (
        f"import {entry.id} of {entry.created[:16].replace('T', ' ')} by {entry.author or 'unknown'}: "
        f"{what} of {', '.join(entry.runs)} from {files}"
    )


def brought_in_words(entry: ImportEntry) -> str:
    """What an import brought: samples, verdicts for samples that were there, published counts."""
    if entry.counts_only:
        return "published counts"
    verdicts = "verdicts for samples that were there"
    if not entry.samples and entry.verdicts:
        return verdicts
    return with_noun(entry.samples, "sample") + (f" and {verdicts}" if entry.verdicts else "")


def find_change(reader: Reader, name: str) -> Manifest:
    """The import or decision of that id, or whose id or part begins so.

    Raises:
        UsageError: none, or several.
    """
    reader.database.refresh()
    known = {
        part: manifest for part, manifest in reader.database.manifests.items() if manifest.kind in ("import", KIND)
    }
    _refuse_forgotten(reader.database, name)
    exact = [part for part in known if name in (part, id_of(part))]
    found = exact or [part for part in known if name and (id_of(part).startswith(name) or part.startswith(name))]
    if len(found) == 1:
        return known[found[0]]
    listing = "passk imports lists imports, passk imports --decisions what was decided since."
    if found:
        raise UsageError(f"{len(found)} imports and decisions begin with {name}", next_step=listing)
    raise UsageError(f"There is no import and no decision {name}", next_step=listing)


def _refuse_forgotten(database: Database, name: str) -> None:
    for part, manifest in database.manifests.items():
        if manifest.kind == FORGOTTEN and name in (part, id_of(part)):
            raise UsageError(
                f"{name} cannot be brought back: {manifest.notes[0]}",
                "It was dropped from the store by passk compact --forget.",
                "Import its files again, or decide it again.",
            )


def forgettable(reader: Reader) -> Forgettable:
    """What `forget` drops from the store: all that was taken back, removed or replaced."""
    database = reader.database
    database.refresh()
    decided = database.decided
    samples, texts, judgements = reader.rows("forget/lost")[0]
    manifests = database.manifests
    gone = [manifests[part] for part in sorted(decided.taken_back) if part in manifests]
    removals = {row.part for row in decided.removed.values()}
    counting: dict[tuple[object, ...], Decision] = {}
    replaced = 0
    for row in decided.counting:
        if row.kind not in ("run", "model", "reference", "override"):
            continue
        key = (
            row.kind,
            row.target if row.kind == "model" else None,
            row.run_key,
            row.problem_key,
            row.sample,
            row.field,
        )
        replaced += key in counting
        counting[key] = row
    withdrawn = sum(row.kind == "override" and row.value is None for row in counting.values())
    return Forgettable(
        imports=tuple(change_in_words(database, manifest) for manifest in gone if manifest.kind == "import"),
        decisions=tuple(change_in_words(database, manifest) for manifest in gone if manifest.kind == KIND),
        runs=tuple(f"run {row.target}" for row in decided.counting if row.kind == "remove" and row.part in removals),
        samples=samples,
        texts=texts,
        replaced=replaced + withdrawn,
        judgements=judgements,
    )


# Taking back, and bringing back


def undo(reader: Reader, name: str, reason: str | None = None) -> TakenBack:
    """Take back an import, or a decision: what it changed is as it was before.

    Raises:
        UsageError: no such thing, or it is taken back already.
        StoreError: the store cannot be written.
    """
    return _say(reader, find_change(reader, name), "undo", reason)


def redo(reader: Reader, name: str, reason: str | None = None) -> TakenBack:
    """Bring back what was taken back.

    Raises:
        UsageError: no such thing, it was not taken back, or its files were imported again since.
        StoreError: the store cannot be written.
    """
    return _say(reader, find_change(reader, name), "redo", reason)


OPPOSITE = {"undo": "redo", "redo": "undo"}


def _say(reader: Reader, manifest: Manifest, value: str, reason: str | None) -> TakenBack:
    database = reader.database
    of_undo = [row for row in database.decided.every if row.part == manifest.part and row.kind == "undo"]
    if of_undo:
        # Of an undo not itself is taken back, but what it was about is brought back.
        target = database.manifests.get(of_undo[0].target or "")
        if target is None:
            raise UsageError("What this took back has been forgotten since", next_step="It is gone for good.")
        wanted = of_undo[0].value or ""
        return _say(reader, target, OPPOSITE[wanted] if value == "undo" else wanted, reason)
    words = change_in_words(database, manifest)

    def rows(decided: Decided) -> list[Decision]:
        _check(database, decided, manifest, value)
        if value == "redo":
            refuse_two_of_a_run(reader, manifest.part)
        return [Decision("undo", target=manifest.part, value=value)]

    of_references = [row for row in database.decided.every if row.part == manifest.part and row.kind == "reference"]
    written = write_decisions(database, rows, reason)
    notes: tuple[str, ...] = ()
    if of_references:
        notes = settle_verdicts(reader, of_references, again=value == "redo")
    return TakenBack(id_of(written.part), words, value == "redo", notes)


def _check(database: Database, decided: Decided, manifest: Manifest, value: str) -> None:
    gone = manifest.part in decided.taken_back
    name = id_of(manifest.part)
    if value == "undo":
        if gone:
            raise UsageError(f"{name} is taken back already", next_step=f"To bring it back: passk redo {name}")
        _refuse_old_counts(database, manifest)
        return
    if not gone:
        raise UsageError(f"{name} was not taken back", next_step=f"To take it back: passk undo {name}")
    again = imported_again(database, manifest)
    if again is not None:
        raise UsageError(
            f"The files of {name} have been imported again since, as {id_of(again)}",
            "Both would count the same samples.",
            f"Take that one back first: passk undo {id_of(again)}",
        )


def imported_again(database: Database, manifest: Manifest) -> str | None:
    """The part that brings a file of this import into the same run again, and counts."""
    mine = {(source.digest.partition("-")[0], run) for source in manifest.sources for run in source.runs}
    for part, other in database.counted_manifests.items():
        if part != manifest.part and any(
            (source.digest.partition("-")[0], run) in mine for source in other.sources for run in source.runs
        ):
            return part
    return None


def _refuse_old_counts(database: Database, manifest: Manifest) -> None:
    """Counts of older parts do not say with which import they came: they are told apart only by their run."""
    if manifest.kind != "import" or manifest.schema >= NAMES_ITS_COUNTS:
        return
    mine = {run.run for run in manifest.runs if not run.samples}
    for part, other in database.counted_manifests.items():
        shared = mine.intersection(run.run for run in other.runs if not run.samples)
        if other.kind == "import" and part != manifest.part and other.schema < NAMES_ITS_COUNTS and shared:
            raise UsageError(
                f"{id_of(manifest.part)} cannot be taken back by itself",
                f"Its published counts of {min(shared)} cannot be told from those of {id_of(part)}: "
                "both were imported before passk kept that.",
                f"Remove the run and import what is right: passk run remove {min(shared)}",
            )
