"""Benchmarks to sample from: a table of problems read through the package datasets becomes one part of a store."""

from __future__ import annotations

import csv
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from math import isfinite
from pathlib import Path
from typing import Any

import duckdb

from backend.answers import unwrap_reference
from backend.errors import InputError, StoreError, UsageError, suggestion
from backend.importers.known_problems import KnownProblems, stored_problems
from backend.importers.protocol import Notes, ProblemFacts
from backend.importers.session import problem_row
from backend.importers.values import as_text
from backend.records import Benchmark
from backend.store.database import open_store
from backend.store.identity import problem_key, without_surrogates
from backend.store.layout import StoreLayout
from backend.store.locks import exclusive_lock
from backend.store.merge import merge
from backend.store.parts import as_json, read_manifests, waiting_parts
from backend.store.reads import Reader
from backend.verifiers.registry import VERIFIERS, fitting_verifier

# Reads a table of problems through the package datasets: a hub name, or a local folder or file.

FILES = {".json": "json", ".jsonl": "json", ".csv": "csv", ".tsv": "csv", ".parquet": "parquet", ".arrow": "arrow"}
"""Ending of a file -> datasets' name of the format."""


@dataclass(frozen=True, slots=True)
class ProblemTable:
    data: Any
    """A datasets.Dataset."""
    columns: tuple[str, ...]
    """Those that can be read as text."""
    left_out: tuple[str, ...]
    """Images, sounds and the like."""
    split: str | None
    """The split that was read; None where the source has no choice."""

    def rows(self, limit: int | None = None) -> Iterator[dict[str, Any]]:
        """The rows in their order, labels as their names."""
        data = self.data.select_columns(list(self.columns))
        labels = {name: kind for name, kind in data.features.items() if hasattr(kind, "int2str")}
        for number, row in enumerate(data):
            if number == limit:
                return
            yield {
                name: labels[name].int2str(value) if name in labels and value is not None else value
                for name, value in row.items()
            }


@contextmanager
def open_source(source: str, *, split: str | None = None, config: str | None = None) -> Iterator[ProblemTable]:
    """Open what the user named.

    Args:
        split: which split; needed where there are several and none is called test.
        config: which configuration of a dataset on the hub.

    Raises:
        UsageError: datasets is not installed, or no such file, split or configuration.
        InputError: it cannot be read.
    """
    datasets = _datasets()
    path = Path(source).expanduser()
    with tempfile.TemporaryDirectory(prefix="passk-") as cache:
        try:
            found = _load(datasets, path, source, config, cache)
        except (UsageError, KeyboardInterrupt):
            raise
        except Exception as error:
            raise _unreadable(source, path, error) from error
        data, name = _chosen(found, source, split)
        readable = [column for column, kind in data.features.items() if _is_text(datasets, kind)]
        others = [column for column in data.column_names if column not in readable]
        yield ProblemTable(data, tuple(readable), tuple(others), name)


def _datasets() -> Any:
    try:
        import datasets
    except ImportError as error:
        raise UsageError(
            "Adding a benchmark needs the package datasets: pip install 'passk-explorer[datasets]'"
        ) from error
    datasets.disable_progress_bars()
    datasets.logging.set_verbosity_error()
    return datasets


def _load(datasets: Any, path: Path, source: str, config: str | None, cache: str) -> Any:
    """A Dataset or a DatasetDict. What is local is unpacked into a folder that goes away, not into the user's cache."""
    if path.is_dir():
        if (path / "dataset_info.json").is_file() or (path / "dataset_dict.json").is_file():
            return datasets.load_from_disk(str(path))
        return datasets.load_dataset(str(path), config, cache_dir=cache)
    known = FILES.get(path.suffix.lower())
    if path.is_file():
        if known is None:
            raise UsageError(
                f"{source}: files that end in {path.suffix or 'nothing'} cannot be read",
                next_step=f"Endings: {', '.join(FILES)}.",
            )
        options = _csv_options(datasets, path) if known == "csv" else {}
        return datasets.load_dataset(known, data_files=str(path), cache_dir=cache, **options)
    if known is not None or source.startswith(("/", ".", "~")) or source.count("/") > 1:
        raise UsageError(f"{source}: no such file or folder")
    return datasets.load_dataset(source, config)


def _csv_options(datasets: Any, path: Path) -> dict[str, Any]:
    """A csv file holds text: 007, None and 1e5 are answers, not numbers and gaps."""
    separator = "\t" if path.suffix.lower() == ".tsv" else ","
    with open(path, encoding="utf-8-sig", newline="") as file:
        header = next(csv.reader(file, delimiter=separator), [])
    features = datasets.Features({name: datasets.Value("string") for name in header})
    return {"sep": separator, "features": features, "keep_default_na": False, "na_values": [""]}


def _unreadable(source: str, path: Path, error: Exception) -> InputError:
    cause: BaseException = error
    while cause.__cause__ is not None:
        cause = cause.__cause__
    said = " ".join(f"{type(cause).__name__}: {cause}".split())
    if path.exists():
        return InputError(f"{source} cannot be read", said[:500], "Nothing was added.")
    offline = os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "ON", "YES", "TRUE")
    return InputError(
        f"{source} is no file or folder here, and cannot be had from the Hugging Face hub",
        ("HF_HUB_OFFLINE is set, and it is not in the cache. " if offline else "") + said[:500],
        "Check the name (and --config), or name a local file or folder, which needs no network.",
    )


def _chosen(found: Any, source: str, split: str | None) -> tuple[Any, str | None]:
    """The split to read, and its name."""
    if not isinstance(found, Mapping):
        if split is not None:
            raise UsageError(f"{source} has no splits", next_step="Leave out --split.")
        return found, None
    names = sorted(map(str, found))
    if split is not None and split not in names:
        raise UsageError(f"{source} has no split {split}", next_step=suggestion(split, names, "split"))
    name = split or (names[0] if len(names) == 1 else "test" if "test" in names else None)
    if name is None:
        raise UsageError(f"Which split of {source}?", next_step=f"Name one with --split: {', '.join(names)}")
    return found[name], None if len(names) == 1 and split is None else name


def _is_text(datasets: Any, kind: Any) -> bool:
    """Whether a column holds nothing but text, numbers and lists of them."""
    if isinstance(kind, Mapping):
        return all(_is_text(datasets, inner) for inner in kind.values())
    if isinstance(kind, list):
        return all(_is_text(datasets, inner) for inner in kind)
    if isinstance(kind, datasets.Value):
        return "binary" not in kind.dtype
    inner = getattr(kind, "feature", None)
    return isinstance(kind, datasets.ClassLabel) or (inner is not None and _is_text(datasets, inner))


# Turns the rows of a table into problems: which column is what, and what a cell says.

QUESTIONS = ("question", "problem", "statement", "prompt", "input", "query")
ANSWERS = (
    "answer", "final_answer", "expected_answer", "reference_answer", "reference", "ground_truth", "solution",
)  # fmt: skip
LEVELS = ("level", "difficulty")
"""Columns that are taken for what they are called when the user names none; the first that is there, in any case."""


@dataclass(frozen=True, slots=True)
class BenchmarkColumns:
    """Which column of a table holds what."""

    question: str | None = None
    answer: str | None = None
    level: str | None = None
    id: str | None = None


@dataclass(slots=True)
class Problems:
    columns: BenchmarkColumns
    by_key: dict[int, ProblemFacts] = field(default_factory=dict)
    notes: Notes = field(default_factory=Notes)


def read_problems(
    table: ProblemTable, benchmark: str, source: str, said: BenchmarkColumns, limit: int | None = None
) -> Problems:
    """The problems of a table, in its order; rows count from 0, as the paper's indices do.

    Raises:
        UsageError: a column is missing; names those that are there.
        InputError: a row without a question, or two answers to one question.
    """
    columns = _resolved(table.columns, source, said)
    problems = Problems(columns)
    if table.left_out:
        problems.notes.add(f"columns that hold no text, left out: {', '.join(table.left_out)}")
    for number, row in enumerate(table.rows(limit)):
        facts = _problem(row, number, columns, source, problems.notes)
        key = problem_key(benchmark, facts.statement, facts.id)
        first = problems.by_key.setdefault(key, facts)
        if first is facts:
            continue
        if first.reference != facts.reference:
            raise InputError(
                f"{source}, rows {first.position} and {number}: the same question with two answers",
                f"{first.reference} and {facts.reference}.",
                "Nothing was added.",
            )
        problems.notes.add("repeated questions, each kept once")
    if not problems.by_key:
        raise InputError(f"{source} holds no rows", next_step="Nothing was added.")
    return problems


def _resolved(there: Sequence[str], source: str, said: BenchmarkColumns) -> BenchmarkColumns:
    names = ", ".join(there) or "none that holds text"
    for option, column in (
        ("question", said.question), ("answer", said.answer), ("level", said.level), ("id", said.id),
    ):  # fmt: skip
        if column is not None and column not in there:
            raise UsageError(f"{source} has no column {column}", next_step=f"Columns for --{option}: {names}.")
    question = said.question or _usual(there, QUESTIONS)
    if question is None:
        raise UsageError(f"Which column of {source} is the question?", next_step=f"--question COL; columns: {names}.")
    rest = [column for column in there if column != question]
    return BenchmarkColumns(question, said.answer or _usual(rest, ANSWERS), said.level or _usual(rest, LEVELS), said.id)


def _usual(there: Sequence[str], wanted: Sequence[str]) -> str | None:
    by_name = {column.lower().replace(" ", "_"): column for column in there}
    return next((by_name[name] for name in wanted if name in by_name), None)


def _problem(row: Mapping[str, Any], number: int, columns: BenchmarkColumns, source: str, notes: Notes) -> ProblemFacts:
    assert columns.question is not None
    statement = row[columns.question]
    if not isinstance(statement, str) or not statement.strip():
        found = "nothing" if statement is None or statement == "" else f"{type(statement).__name__}, not text"
        raise InputError(
            f"{source}, row {number}: the column {columns.question} holds {found}",
            next_step="Name the column of the question with --question. Nothing was added.",
        )
    answer = None if columns.answer is None else _answer(row[columns.answer])
    reference = _reference(answer)
    if answer is not None and reference != answer:
        notes.add(f"answers taken out of {columns.answer}: the last box, or what follows ####")
    metadata = {
        column: _storable(value)
        for column, value in row.items()
        if value is not None
        and column not in (columns.question, columns.level)
        and (column != columns.answer or reference != answer)
    }
    label = str(number) if columns.id is None else as_text(row[columns.id])
    if not label:
        raise InputError(
            f"{source}, row {number}: the column {columns.id} holds nothing", next_step="Nothing was added."
        )
    level = None if columns.level is None else as_text(row[columns.level])
    return ProblemFacts(label, number, statement, reference, level, metadata)


def _answer(value: Any) -> str | None:
    """A cell as a reference answer: a list of one is that one, a longer list its elements with commas."""
    if isinstance(value, list):
        said = [text for entry in value if (text := as_text(entry))]
        value = ", ".join(said)
    text = as_text(value)
    return text if text and text.strip() else None


def _reference(answer: str | None) -> str | None:
    """The answer itself where a cell holds a whole solution: MATH's `solution`, GSM8K's `answer`."""
    if answer is None or not ("\\boxed{" in answer or "####" in answer):
        return answer
    return unwrap_reference(answer) or answer


def _storable(value: Any) -> Any:
    """A value that JSON can hold."""
    if isinstance(value, float) and not isfinite(value):
        return None
    if isinstance(value, Mapping):
        return {str(key): _storable(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_storable(inner) for inner in value]
    return value


# `passk benchmark add`: a table of problems becomes one part of a store, which appears whole or not at all.


@dataclass(frozen=True, slots=True)
class BenchmarkReport:
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
        VERIFIERS.require(verifier)
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
    stored = KnownProblems(stored_problems(layout))
    problems = replace(problems, by_key={stored.key(name, facts, {}): facts for facts in problems.by_key.values()})
    there = known.problems or {}
    _refuse_contradictions(name, source, problems, known, wanted)
    verifier = known.verifier or wanted
    if verifier is None and (fitting := fitting_verifier((p.reference, p.metadata) for p in problems.by_key.values())):
        verifier = fitting.name
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
    database = open_store(layout, matching=False)
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
    from backend.store.part_writer import PartWriter

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
    with PartWriter(layout, "benchmark") as part:
        part.write("benchmarks", [(report.benchmark, report.verifier, place, metadata)])
        rows = [
            problem_row(key, report.benchmark, facts, as_json(facts.metadata) if facts.metadata else None)
            for key, facts in new.items()
        ]
        part.write("problems", rows)
        with exclusive_lock(layout.publish_lock):
            news = [name for name in waiting_parts(layout) if name not in seen]
            if any(found.kind != "samples" for found in read_manifests(layout, news)[0]):
                return False
            part.publish(notes=[f"{times} {note}" for note, times in report.notes.items()])
    return True
