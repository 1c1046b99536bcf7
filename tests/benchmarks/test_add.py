"""Adding a benchmark: real files through the real package datasets, into real stores."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

# Read by datasets when it is imported: no test waits for a network.
os.environ["HF_HUB_OFFLINE"] = "1"
pytest.importorskip("datasets", reason="datasets is not installed: pip install 'passk-explorer[datasets]'")

from backend import BenchmarkColumns, add_benchmark, import_files, known_benchmarks, plan_run, verifier_for
from backend.benchmarks import BenchmarkReport
from backend.errors import InputError, PasskError, UsageError
from backend.importers.run_spec import RunOptions
from backend.records import Benchmark
from backend.store.layout import StoreLayout
from backend.store.merge import merge
from tests.support import Passk, contents, everything_in, jsonl, qwen_line, with_reader

ROWS = [{"problem": f"What is {n} + {n}?", "answer": 2 * n, "level": n, "source": "here"} for n in range(5)]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return jsonl(tmp_path / "sums.jsonl", ROWS)


def listed(store: StoreLayout) -> dict[str, Benchmark]:
    return with_reader(store, lambda reader: {entry.benchmark: entry for entry in known_benchmarks(reader)})


def problems(store: StoreLayout, benchmark: str = "sums") -> list[tuple[Any, ...]]:
    """Label, statement, reference and metadata of what can be asked."""
    rows = with_reader(store, lambda reader: reader.rows("reads/problems_to_sample", benchmark=benchmark))
    return [(*row[1:4], json.loads(row[4]) if row[4] else {}) for row in rows]


def add(store: StoreLayout, source: Path | str, name: str = "sums", **options: Any) -> BenchmarkReport:
    return add_benchmark(store, name, str(source), **options)


def test_a_benchmark_keeps_statement_answer_level_verifier_and_the_rest(store: StoreLayout, file: Path) -> None:
    report = add(store, file)
    assert (report.problems, report.added, report.changed, report.verifier) == (5, 5, True, "math")
    assert report.columns == BenchmarkColumns("problem", "answer", "level", None)
    assert not report.notes
    assert problems(store)[2] == ("2", "What is 2 + 2?", "4", {"source": "here"})
    entry = listed(store)["sums"]
    assert (entry.verifier, entry.source, entry.problems, entry.statements, entry.answers, entry.runs) == (
        "math", str(file), 5, 5, 5, 0,
    )  # fmt: skip
    levels = [row[6] for row in everything_in(store)["problems"]]
    assert sorted(levels) == ["0", "1", "2", "3", "4"]
    assert not merge(store).skipped
    assert listed(store)["sums"] == entry, "merged it is the same"


def test_adding_again_changes_nothing(store: StoreLayout, file: Path) -> None:
    add(store, file, limit=2)
    more = add(store, file)
    assert (more.problems, more.added, more.changed) == (5, 3, True)
    before = contents(store)
    again = add(store, file)
    assert (again.added, again.changed, again.verifier) == (0, False, "math")
    assert contents(store) == before


def test_a_benchmark_without_runs_breaks_nothing(store: StoreLayout, file: Path) -> None:
    add(store, file)

    def look(reader: Any) -> None:
        assert reader.runs() == ()
        assert reader.benchmark("sums") == reader.benchmark("sum") == reader.benchmark(None) == "sums"
        plan = plan_run(reader, benchmark="sums", n=2, run_options=RunOptions(model="m"), parameters={})
        assert plan.samples == 10
        assert plan.verifier == "math"
        verifier = verifier_for(plan)
        assert verifier is not None
        assert verifier.name == "math"
        assert plan.target.parameters["template_hash"]

    with_reader(store, look)


FORMS: dict[str, Callable[[Path], Path]] = {}


def form(write: Callable[[Path], Path]) -> Callable[[Path], Path]:
    FORMS[write.__name__] = write
    return write


@form
def json_array(folder: Path) -> Path:
    (folder / "t.json").write_text(json.dumps(ROWS), encoding="utf-8")
    return folder / "t.json"


@form
def parquet(folder: Path) -> Path:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.Table.from_pylist(ROWS), folder / "t.parquet")
    return folder / "t.parquet"


@form
def csv(folder: Path) -> Path:
    lines = [",".join(ROWS[0]), *(",".join(map(str, row.values())) for row in ROWS)]
    (folder / "t.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder / "t.csv"


@form
def folder_of_files(folder: Path) -> Path:
    (folder / "data").mkdir()
    jsonl(folder / "data" / "train.jsonl", ROWS[:1])
    jsonl(folder / "data" / "test.jsonl", ROWS)
    return folder / "data"


@form
def saved(folder: Path) -> Path:
    import datasets

    datasets.Dataset.from_list(ROWS).save_to_disk(str(folder / "saved"))
    return folder / "saved"


@form
def saved_with_splits(folder: Path) -> Path:
    import datasets

    splits = {"train": datasets.Dataset.from_list(ROWS[:1]), "test": datasets.Dataset.from_list(ROWS)}
    datasets.DatasetDict(splits).save_to_disk(str(folder / "splits"))
    return folder / "splits"


@pytest.mark.parametrize("name", FORMS)
def test_every_form_gives_the_same_problems(name: str, store: StoreLayout, tmp_path: Path) -> None:
    source = FORMS[name](tmp_path)
    report = add(store, source)
    assert report.split == ("test" if name in ("folder_of_files", "saved_with_splits") else None)
    assert [row[:3] for row in problems(store)] == [
        (str(n), f"What is {n} + {n}?", str(2 * n)) for n in range(5)
    ]  # fmt: skip
    with pytest.raises(UsageError, match="split"):
        add(store, source, split="validation")


def test_a_csv_file_holds_text(store: StoreLayout, tmp_path: Path) -> None:
    file = tmp_path / "t.csv"
    file.write_text("question,answer\na,007\nb,None\nc,1e5\nd,\n", encoding="utf-8")
    report = add(store, file, verifier="exact")
    assert [row[2] for row in problems(store)] == ["007", "None", "1e5", None]
    assert report.notes == {"problems without a reference answer: their samples will be unverified": 1}


def test_whole_solutions_give_their_answers(store: StoreLayout, tmp_path: Path) -> None:
    rows = [
        {"question": "a", "answer": "Long thoughts.\n#### 1,072"},
        {"question": "b", "answer": r"Thus \boxed{\frac{1}{2}}."},
        {"question": "c", "answer": "7"},
    ]
    report = add(store, jsonl(tmp_path / "t.jsonl", rows))
    assert [row[2] for row in problems(store)] == ["1,072", r"\frac{1}{2}", "7"]
    assert problems(store)[0][3] == {"answer": "Long thoughts.\n#### 1,072"}
    assert list(report.notes.values()) == [2]


def test_lists_of_answers_and_labels(store: StoreLayout, tmp_path: Path) -> None:
    import datasets

    table = datasets.Dataset.from_list(
        [{"Question": "a", "final_answer": ["2"], "kind": 1}, {"Question": "b", "final_answer": ["1", "3"], "kind": 0}]
    ).cast_column("kind", datasets.ClassLabel(names=["algebra", "geometry"]))
    table.save_to_disk(str(tmp_path / "saved"))
    add(store, tmp_path / "saved", columns=BenchmarkColumns(level="kind"))
    assert [row[2] for row in problems(store)] == ["2", "1, 3"]
    assert {row[6] for row in everything_in(store)["problems"]} == {"algebra", "geometry"}


def test_countdown_needs_no_answers(store: StoreLayout, tmp_path: Path) -> None:
    rows = [{"question": f"Numbers: {n} 2. Target: {n + 2}.", "numbers": [n, 2], "target": n + 2} for n in range(3)]
    report = add(store, jsonl(tmp_path / "t.jsonl", rows))
    assert report.verifier == "expression"
    assert not report.notes
    assert problems(store)[0][3] == {"numbers": [0, 2], "target": 2}


def test_without_answers_it_is_said_and_unverified(store: StoreLayout, tmp_path: Path) -> None:
    report = add(store, jsonl(tmp_path / "t.jsonl", [{"question": "a"}, {"question": "b"}]))
    assert report.verifier is None
    assert list(report.notes) == ["problems without a reference answer: their samples will be unverified"]
    assert listed(store)["sums"].verifier is None
    later = add(store, jsonl(tmp_path / "u.jsonl", [{"question": "a", "answer": "1"}]))
    assert (later.added, later.verifier) == (1, "math"), "answers may come later"
    assert [row[2] for row in problems(store)] == ["1", None]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"columns": BenchmarkColumns(question="nope")}, "problem, answer, level, source"),
        ({"columns": BenchmarkColumns(answer="nope")}, "problem, answer, level, source"),
        ({"columns": BenchmarkColumns(level="nope")}, "--level"),
        ({"columns": BenchmarkColumns(id="nope")}, "--id"),
        ({"columns": BenchmarkColumns(question="level")}, "int, not text"),
        ({"verifier": "maths"}, "math"),
        ({"split": "test"}, "train"),
    ],
)
def test_what_is_missing_is_named(store: StoreLayout, file: Path, options: dict[str, Any], said: str) -> None:
    before = contents(store)
    with pytest.raises(PasskError) as error:
        add(store, file, **options)
    assert said in str(error.value)
    assert contents(store) == before


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("t.jsonl", '{"question": "a"}\n{"question": ', "cannot be read"),
        ("t.jsonl", '{"question": "a", "answer": "1"}\n{"question": " a", "answer": "2"}\n', "two answers"),
        ("t.jsonl", '{"question": "a"}\n{"question": ""}\n', "row 1: the column question holds nothing"),
        ("t.jsonl", '{"text": "a"}\n', "Which column"),
        ("t.parquet", "no parquet", "cannot be read"),
        ("t.xyz", "a", "cannot be read"),
    ],
)
def test_a_bad_file_adds_nothing(store: StoreLayout, tmp_path: Path, name: str, text: str, said: str) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    before = contents(store)
    with pytest.raises(PasskError, match=said):
        add(store, tmp_path / name)
    assert contents(store) == before


def test_no_such_file_and_no_such_name(store: StoreLayout, tmp_path: Path) -> None:
    for missing in (tmp_path / "no.jsonl", "no/such.csv", "./nowhere"):
        with pytest.raises(UsageError, match="no such file or folder"):
            add(store, missing)
    with pytest.raises(InputError, match="cannot be had from the Hugging Face hub") as error:
        add(store, "nobody/nothing-at-all")
    assert "HF_HUB_OFFLINE is set" in error.value.detail


def test_contradictions_are_refused(store: StoreLayout, file: Path, tmp_path: Path) -> None:
    add(store, file)
    before = contents(store)
    other = jsonl(tmp_path / "other.jsonl", [{**ROWS[3], "answer": "7"}])
    with pytest.raises(UsageError, match="another answer to the problem 3") as error:
        add(store, other)
    assert "It is 6 there, and 7 in" in error.value.detail
    with pytest.raises(UsageError, match="verified by math, not by exact"):
        add(store, file, verifier="exact")
    assert contents(store) == before
    assert add(store, other, name="others").added == 1


def test_it_joins_the_problems_of_imported_results(store: StoreLayout, tmp_path: Path) -> None:
    lines = [qwen_line("What is a?", [True, False], idx=0), qwen_line("What is b?", [True, True], idx=1)]
    import_files(store, [jsonl(tmp_path / "run.jsonl", lines)], run_options=RunOptions(model="m", benchmark="sums"))
    assert listed(store)["sums"].source is None
    rows = [{"question": f"What is {name}? ", "answer": "42"} for name in "abc"]
    report = add(store, jsonl(tmp_path / "t.jsonl", rows))
    assert (report.added, report.verifier) == (1, "math")
    entry = listed(store)["sums"]
    assert (entry.problems, entry.runs, entry.verifier) == (3, 1, "math")


def test_repeated_questions_count_once(store: StoreLayout, tmp_path: Path) -> None:
    rows = [{"question": "a", "answer": "1"}, {"question": " a ", "answer": "1"}, {"question": "b", "answer": "2"}]
    report = add(store, jsonl(tmp_path / "t.jsonl", rows))
    assert (report.problems, dict(report.notes)) == (2, {"repeated questions, each kept once": 1})


def test_the_command(run_passk: Passk, file: Path) -> None:
    added = run_passk("benchmark", "add", "sums", file, "--store", "s.passk", "--id", "level", HF_HUB_OFFLINE="1")
    assert added.stdout == ""
    assert "5 problems added; question from problem, answer from answer; verified by math" in added.stderr
    again = run_passk("benchmark", "add", "sums", file, "--store", "s.passk", "--id", "level", HF_HUB_OFFLINE="1")
    assert "has all 5 problems already; nothing was changed" in again.stderr
    [entry] = run_passk("benchmark", "list", "--store", "s.passk", "--format", "json").json
    assert (entry["benchmark"], entry["problems"], entry["verifier"], entry["runs"]) == ("sums", 5, "math", 0)
    assert run_passk("runs", "--store", "s.passk", "--format", "json").json == []
    run_passk("curves", "--benchmark", "sums", "--store", "s.passk", status=None)
