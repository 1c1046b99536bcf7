"""Which files there are, which importer reads each of them, and what can be said of a file that nobody reads."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

from backend.errors import InputError, PasskError, UsageError, suggestion
from backend.importers.mapping import EXAMPLE, holds_lists, shortened_type
from backend.importers.protocol import Importer, Options, reason_of, unexpected
from backend.importers.source import HEAD, SourceFile
from backend.importers.tables import column_names, first_values
from backend.plug_ins import PlugIns

# The importers that are installed, and which of them reads a file.

IMPORTERS: PlugIns[Importer] = PlugIns(
    "passk.importers",
    "importer",
    {
        "qwen-math": "backend.importers.qwen_math:importer",
        "reasoning-gym": "backend.importers.reasoning_gym:importer",
        "human-eval": "backend.importers.human_eval:importer",
        "lm-eval": "backend.importers.lm_eval:importer",
        "lighteval": "backend.importers.lighteval:importer",
        "inspect": "backend.importers.inspect_log:importer",
        "evalplus": "backend.importers.evalplus:importer",
        "live-code-bench": "backend.importers.live_code_bench:importer",
        "bigcode": "backend.importers.bigcode:importer",
        "verl": "backend.importers.verl:importer",
        "trl": "backend.importers.trl:importer",
        "verifiers": "backend.importers.verifiers_results:importer",
        "verifiers-traces": "backend.importers.verifiers_traces:importer",
        "tinker": "backend.importers.tinker:importer",
        "grade-school-math": "backend.importers.grade_school:importer",
        "nemo-skills": "backend.importers.evaluation_rows:nemo_skills",
        "evalscope": "backend.importers.evaluation_rows:evalscope",
        "every-eval-ever": "backend.importers.evaluation_rows:every_eval_ever",
        "openai-batch": "backend.importers.evaluation_rows:openai_batch",
        "opencompass": "backend.importers.documents:opencompass",
        "simple-evals": "backend.importers.documents:simple_evals",
        "nemo-gym": "backend.importers.training_rollouts:nemo_gym",
        "skyrl": "backend.importers.training_rollouts:skyrl",
        "rllm": "backend.importers.training_rollouts:rllm",
        "outcomes": "backend.importers.documents:outcomes",
        "passk-counts": "backend.importers.passk_counts:importer",
        "counts": "backend.importers.counts:importer",
        "wide-form": "backend.importers.wide_form:wide_form",
        "long-form": "backend.importers.long_form:importer",
    },
)
LAST = ("counts", "wide-form", "long-form")
"""Asked when no other recognises the file, in this order: other formats are special cases of a table."""


@cache
def importers() -> dict[str, Importer]:
    """Every importer by name; those of other packages among them, as far as they can be loaded."""
    found = IMPORTERS.every()
    return dict(sorted(found.items(), key=lambda item: LAST.index(item[0]) if item[0] in LAST else -1))


def importer_for(source: SourceFile, options: Options, wanted: str | None = None) -> Importer | None:
    """The importer that reads this file; None when none recognises it.

    Args:
        wanted: the format the user named; it is taken at its word.

    Raises:
        UsageError: no such format.
    """
    known = importers()
    if source.selected is not None:
        return _importer_of_selected(source, options)
    if wanted is not None:
        if wanted not in known:
            raise UsageError(f"--format {wanted}: unknown format", next_step=suggestion(wanted, list(known), "format"))
        return known[wanted]
    found = importers_claiming(source, options)
    if len(found) > 1:
        raise UsageError(
            f"{source.path} is taken for {' and for '.join(importer.name for importer in found)}",
            next_step="Say which it is with --format, and tell whoever maintains these importers.",
        )
    return found[0] if found else None


def _importer_of_selected(source: SourceFile, options: Options) -> Importer:
    """The table that a statement's rows are: samples, or counts.

    Raises:
        UsageError: they are neither.
    """
    selected, select = source.selected, source.select
    assert selected is not None and select is not None
    tables = [importers()[name] for name in LAST]
    if found := next((table for table in tables if _claims(table, source, options)), None):
        return found
    lists = [name for name, kind in selected.columns.items() if holds_lists(kind)]
    if lists:
        raise UsageError(
            f"{source.path}: {select.name}: the column {lists[0]} holds lists or objects",
            f"Its type is {shortened_type(selected.columns[lists[0]])}.",
            f"An entry a row: unnest({lists[0]}) AS {lists[0]}. A field of an object: {lists[0]}.NAME AS {lists[0]}.",
        )
    empty = not first_values(source, list(selected.columns))
    raise UsageError(
        f"{source.path}: {select.name} makes no samples",
        f"Its columns: {_named(selected.columns) or 'none'}." + (" It has no row." if empty else ""),
        "Name a column problem or statement, and another text or verdict: unnest(responses) AS text. For counts: "
        "problem, n and c.",
    )


def importers_claiming(source: SourceFile, options: Options) -> list[Importer]:
    """The importers that recognise a file: one, or none, unless a plug-in takes what is another's.

    Tables are asked for only when nobody else recognises it, and the first of them alone is named.
    """
    known = importers()
    found = [importer for name, importer in known.items() if name not in LAST and _claims(importer, source, options)]
    if found:
        return found
    tables = (known[name] for name in LAST if name in known)
    return [importer for importer in tables if _claims(importer, source, options)][:1]


def _claims(importer: Importer, source: SourceFile, options: Options) -> bool:
    try:
        return importer.recognise(source, options)
    except PasskError:
        raise
    except Exception as error:
        raise unexpected(source, importer.name, error) from error


# Files of one folder that hold the same samples twice: before and after an evaluation, raw and sanitised.

PAIRS = (
    (".raw.jsonl", (".jsonl",)),
    (".jsonl", (".jsonl_results.jsonl", ".eval_results.json", "_eval_results.json", "_results.jsonl")),
    (".json", ("_eval_all.json",)),
)
"""Ending of the file that says less, and the endings of those that say more: evalplus, human-eval, LiveCodeBench."""
PACKED = ("", ".gz", ".zst")


def fuller_file(path: Path, recognised: Iterable[Path]) -> Path | None:
    """The file among these that holds the samples of this one with more known about them; None when none does."""
    others = set(recognised)
    name = path.name
    for packed in PACKED[1:]:
        name = name.removesuffix(packed)
    for ending, better in PAIRS:
        if not name.endswith(ending):
            continue
        stem = name.removesuffix(ending)
        for candidate in (stem + more + packed for more in better for packed in PACKED):
            found = path.with_name(candidate)
            if found != path and found in others:
                return found
    return None


# What is wrong with a file that nobody reads, and what its owner can do: as far as it can be seen.

COLUMNS = (
    "Columns of single values can be named: --column problem=COL (or statement=COL) with --column text=COL or "
    "--column verdict=COL; for counts --column c=COL and --n N."
)
FORMATS = "If you know what it is, say so with --format NAME."
MOST_NAMED = 12
"""Columns that are named."""


def not_recognised(source: SourceFile) -> InputError:
    """The error for a file that nobody reads."""
    found, next_step = _diagnosis(source)
    known = f"Known formats: {', '.join(importers())}."
    steps = "\n".join(step for step in (next_step, ways_out(source)) if step)
    return InputError(f"{source.path}: not recognised as a result file", f"{found} {known}".strip(), steps)


def ways_out(source: SourceFile) -> str:
    """What always works: a line of the long form, and a statement that makes such lines of this file."""
    from backend.importers.suggestion import suggest_mapping

    ways = f"It can always be read as lines of the long form, a sample a line: {EXAMPLE}"
    mapping = suggest_mapping(source, [importers()[name] for name in LAST])
    if mapping is None:
        return ways
    how = "Or by a statement. Save this as mapping.sql, look it through, and: passk import FILE --select mapping.sql"
    return f"{ways}\n{how}\n{mapping}"


def why_skipped(source: SourceFile) -> str:
    """Why a file of a folder is none to import, where it is of a kind that could be missed; else empty."""
    if source.head.startswith(b"PK\x03\x04") or (not source.head.strip() and source.path.suffix in RESULTS):
        return _lower(_diagnosis(source)[0])
    document = _document(source) if source.first_document.startswith(b"{") else None
    scores = _of_scores(document) if document is not None else None
    return _lower(scores[0]) if scores else ""


RESULTS = (".jsonl", ".json", ".csv", ".parquet", ".eval", ".gz", ".zst")
"""How the names of result files end, mostly: an empty one is missed."""


def _lower(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:].rstrip(".")


def nothing_to_import(looked_at: Sequence[Recognised]) -> InputError:
    """The error for folders in which no file is a result file."""
    found = f"None of the {len(looked_at):,} files there is of a known format." if looked_at else "There are no files."
    why = next((f" {entry.path.name}: {entry.reason}." for entry in looked_at if entry.reason), "")
    return InputError("No result file to import", found + why, "To hear what is wrong with a file, name it.")


def _diagnosis(source: SourceFile) -> tuple[str, str]:
    head = source.head
    if not head.strip():
        return (f"It is empty, or damaged as {source.compression}." if source.compression else "It is empty."), (
            "Was the run that writes it finished?"
        )
    if head.startswith(b"PK\x03\x04"):
        return (
            "It is a zip archive, damaged or without the header or journal of an Inspect log.",
            "Unpack it and import what it holds.",
        )
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "It is UTF-16 or UTF-32; convert it to UTF-8.", "For example: iconv -f UTF-16 -t UTF-8 FILE > NEW."
    if source.is_parquet:
        return _of_columns(source)
    if b"\0" in head:
        return "It is not text.", FORMATS
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < len(head) - 4 or len(head) < HEAD:
            line = head.count(b"\n", 0, error.start) + 1
            return (
                f"It is not UTF-8: line {line}, byte {error.start}.",
                "Convert it, for example: iconv -f LATIN1 -t UTF-8 FILE > NEW.",
            )
    document = _document(source)
    if document is not None and (scores := _of_scores(document)):
        return scores
    if source.first_document.startswith(b"{") and source.first_object is None and document is None:
        return (
            "Its first line is not a JSON object of its own: cut off, or nested too deeply?",
            "A file of JSON lines has one whole object a line.",
        )
    if document is not None and source.first_object is None:
        return f"It is one JSON object with the fields {_named(document)}.", FORMATS
    return _of_columns(source)


def _of_columns(source: SourceFile) -> tuple[str, str]:
    try:
        columns = column_names(source)
        values = first_values(source, columns) if columns else ()
    except PasskError as error:
        return error.title, "Was it copied whole?"
    if not columns:
        return "", FORMATS
    if not values:
        return f"Its columns: {_named(columns)}. It has no row.", "Was the run that writes it finished?"
    kinds: dict[type, str] = {list: "lists", dict: "objects"}
    nested = {name: kinds[type(value)] for name, value in zip(columns, values, strict=True) if type(value) in kinds}
    said = "".join(f" {name} holds {kind}." for name, kind in islice(nested.items(), MOST_NAMED))
    plain = len(nested) < len(columns) - 1
    return f"Its columns: {_named(columns)}.{said}", COLUMNS if plain else ""


def _named(names: Iterable[str]) -> str:
    names = list(names)
    return ", ".join(names[:MOST_NAMED]) + (f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else "")


def _document(source: SourceFile) -> dict[str, Any] | None:
    """The file as one JSON object, where it is one and small enough to be looked at."""
    import orjson

    if len(source.head) >= HEAD:
        return None
    try:
        value = orjson.loads(source.first_document)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _of_scores(document: dict[str, Any]) -> tuple[str, str] | None:
    """Files that hold what a whole benchmark scored; where the samples are."""
    results = document.get("results")
    if isinstance(results, dict) and {"configs", "config_general", "n-shot", "versions"} & document.keys():
        return (
            f"It holds scores of whole benchmarks ({_named(map(str, results))}), no samples.",
            "Import the samples: lm-evaluation-harness writes samples_*.jsonl with --log_samples, "
            "lighteval details_*.parquet with --save-details.",
        )
    if {"num_samples", "num_scores"} <= document.keys() or {"avg_reward", "env_id"} <= document.keys():
        return "It holds scores of a whole benchmark, no samples.", "Import the jsonl file beside it."
    return None


# Which files there are, which importer reads each of them, and which of them are left.


@dataclass(frozen=True, slots=True)
class Recognised:
    """A file, and what becomes of it."""

    path: Path
    importer: Importer | None
    """None: nobody reads it, and it is left."""
    training_steps: frozenset[int] = frozenset()
    """Of a training dump, the steps whose samples it holds."""
    reason: str = ""
    """Why it is left, where that can be said."""


def recognise_all(files: Sequence[tuple[Path, bool]], options: Options, wanted: str | None) -> list[Recognised]:
    """What becomes of every file.

    Args:
        files: paths, and whether the user named each (and not only its folder).
        wanted: the format that the user named for all of them.

    Raises:
        PasskError: a file that the user named is not recognised, or none of a folder is.
    """
    found = [_recognise(path, named, options, wanted) for path, named in files]
    known = [entry.path for entry in found if entry.importer is not None]
    if not known:
        raise nothing_to_import(found)
    result = []
    for entry in found:
        better = fuller_file(entry.path, known) if entry.importer is not None else None
        if better is not None:
            entry = replace(entry, reason=f"its samples are in {better.name}, with more known about them")
        result.append(entry)
    return result


def _recognise(path: Path, named: bool, options: Options, wanted: str | None) -> Recognised:
    # Made anew when the file is read: the beginnings of thousands of files need not stay in memory.
    source = SourceFile(path, select=options.select, bad_rows={} if options.skip_bad_rows else None)
    try:
        if not path.exists():
            raise InputError(f"{path}: a link that leads to no file")
        if not os.access(path, os.R_OK):
            raise InputError(f"{path}: no right to read it", next_step="Nothing was imported.")
        importer = importer_for(source, options, wanted)
    except InputError as error:
        if named:
            raise
        return Recognised(path, None, reason=reason_of(path, error))
    except UsageError as error:
        # A column that the user named and that this file lacks, or a statement that does not fit it.
        if named or wanted is not None:
            raise
        if options.select is not None:
            return Recognised(path, None, reason=reason_of(path, error))
        importer = None
    if importer is None:
        if named:
            raise not_recognised(source)
        return Recognised(path, None, reason=why_skipped(source))
    steps = getattr(importer, "training_steps", None)
    try:
        return Recognised(path, importer, frozenset(steps(source)) if steps is not None else frozenset())
    except InputError as error:
        if named:
            raise
        return Recognised(path, None, reason=reason_of(path, error))


def find_files(paths: Sequence[Path]) -> list[tuple[Path, bool]]:
    """Every file to look at, and whether the user named it (and not only its folder).

    Raises:
        InputError: a path does not exist.
    """
    found: list[tuple[Path, bool]] = []
    for path in paths:
        if path.is_dir():
            inside = [
                entry
                for entry in sorted(path.rglob("*"))
                if (entry.is_file() or (entry.is_symlink() and not entry.exists()))
                and not any(map(is_passed_over, entry.relative_to(path).parts))
            ]
            found.extend((entry, False) for entry in inside)
        elif path.is_file():
            found.append((path, True))
        elif path.exists():
            raise InputError(
                f"{path} is a pipe or a device, and results are read from files",
                "A file is read several times: to recognise it, and to name what is wrong by its line.",
                "Write it to a file first. Files that gzip or zstd compressed are read as they are.",
            )
        else:
            raise InputError(f"{path}: no such file or folder", next_step="Nothing was imported.")
    return found


def is_passed_over(name: str) -> bool:
    """Whether a file or folder inside a named folder is not looked at: hidden, or a store."""
    return name.startswith(".") or name.endswith(".passk")
