"""Each format: recognised by its content, read as it is."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import backend.importers
from backend import Options, RunOptions, import_files
from backend.errors import InputError, UsageError
from backend.importers.discovery import importer_for, importers
from backend.importers.source import SourceFile
from backend.store.layout import StoreLayout
from tests.support import (
    Passk,
    apart_from_copies,
    csv_file,
    gym_result,
    imported,
    jsonl,
    long_rows,
    paths_of,
    qwen_line,
    reasoning_gym,
    runs_of,
    totals,
    verdicts,
    with_reader,
)

# Recognition


def write_each(folder: Path) -> dict[str, Path]:
    """A file of each format, under a name that says something else."""
    rows = long_rows()
    parquet = folder / "weights.bin"
    pq.write_table(pa.Table.from_pylist(rows), parquet)
    return {
        "qwen-math": jsonl(folder / "humaneval_results.jsonl", [qwen_line("How many?", [True, False])]),
        "human-eval": jsonl(
            folder / "math_seed0.csv", [{"task_id": "T/0", "completion": "x", "result": "passed", "passed": True}]
        ),
        "reasoning-gym": reasoning_gym(folder / "samples.jsonl", [gym_result("How many r's?", [1.0])]),
        "counts": csv_file(folder / "eval.json", ("problem", "n", "c"), [(1, 4, 2)]),
        "long-form": jsonl(folder / "counts.csv", rows),
        "long-form csv": csv_file(folder / "a.parquet", list(rows[0]), [row.values() for row in rows]),
        "long-form parquet": parquet,
    }


def test_content_tells_the_format_whatever_the_name(tmp_path: Path) -> None:
    for name, path in write_each(tmp_path).items():
        importer = importer_for(SourceFile(path), Options())
        assert importer is not None, name
        assert importer.name == name.split()[0]


def test_every_importer_is_listed_and_has_a_title() -> None:
    folder = Path(backend.importers.__path__[0])
    modules = [import_module(f"backend.importers.{path.stem}") for path in folder.glob("[a-z]*.py")]
    made = {id(value) for module in modules for value in vars(module).values() if hasattr(value, "recognise")
            and not isinstance(value, type)}  # fmt: skip
    assert {id(importer) for importer in importers().values()} == made
    assert all(importer.title for importer in importers().values())


def test_a_folder_of_mixed_files(store: StoreLayout, tmp_path: Path) -> None:
    folder = tmp_path / "results"
    (folder / "deep" / "deeper").mkdir(parents=True)
    (folder / ".hidden").mkdir()
    inside = StoreLayout(folder / "old.passk")
    inside.create()
    jsonl(folder / "deep" / "deeper" / "a.jsonl", [qwen_line("A?", [True])])
    jsonl(folder / "b.jsonl", long_rows())
    jsonl(folder / ".hidden" / "c.jsonl", long_rows())
    jsonl(inside.root / "d.jsonl", long_rows())
    left = {
        "README.md": "# Results, by me\nproblem, text, verdict\n",
        "metrics.json": json.dumps({"acc": 1.0}, indent=2),
        "log.txt": "started, running\nstopped\n",
        "empty.jsonl": "",
        "list.json": "[1, 2, 3]",
        "other.jsonl": '{"loss": 1.5}\n',
    }
    for name, text in left.items():
        (folder / name).write_text(text)
    (folder / "picture.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4)
    report = imported(store, folder, run="m@b")
    found = {Path(file.path).name: (file.status, file.format) for file in report.files}
    assert found.pop("a.jsonl") == ("imported", "qwen-math")
    assert found.pop("b.jsonl") == ("imported", "long-form")
    assert found == {name: ("left", None) for name in [*left, "picture.png"]}
    assert totals(runs_of(store)["m@b"]) == (4, 13, 4)


def test_a_named_file_that_nobody_reads_is_an_error(store: StoreLayout, tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("hello\n")
    with pytest.raises(InputError, match=r"notes\.txt: not recognised") as caught:
        imported(store, path)
    assert "human-eval" in str(caught.value), "it says what can be read"


@pytest.mark.parametrize("names", [(), ("notes.txt", "config.yaml")])
def test_a_folder_without_results_is_an_error(store: StoreLayout, tmp_path: Path, names: tuple[str, ...]) -> None:
    folder = tmp_path / "results"
    folder.mkdir()
    for name in names:
        (folder / name).write_text("hello\n")
    with pytest.raises(InputError, match="No result file to import"):
        imported(store, folder)


def test_a_dry_run_names_every_file_of_which_something_is_not_said(run_passk: Passk) -> None:
    folder = run_passk.folder / "results"
    folder.mkdir()
    jsonl(folder / "a.jsonl", [qwen_line("1?", [True])])
    jsonl(folder / "b.jsonl", [{"problem": "1", "text": "x", "correct": True, "model": "n"}])
    jsonl(folder / "c.jsonl", [{"problem": "1", "text": "x", "correct": True, "model": "n", "benchmark": "b"}])
    csv_file(folder / "d.csv", ("problem", "base_correct", "rl_correct"), [(1, 4, 7)])
    (folder / "results.json").write_text('{"results": {"gsm8k": {"acc": 0.5}}, "configs": {}}')
    said = run_passk("import", "results", "--dry-run", status=1).stderr
    assert "a.jsonl: qwen-math, not to be imported like this. Say so with --model NAME and --benchmark NAME." in said
    assert "b.jsonl: long-form, not to be imported like this. Say so with --benchmark NAME." in said
    assert "c.jsonl: long-form, 1 samples" in said
    assert "d.csv: counts, not to be imported like this. Say how many samples c counts of: --n N" in said
    assert "results.json: left, it holds scores of whole benchmarks (gsm8k), no samples" in said
    said = run_passk("import", "results", status=1).stderr
    assert "a.jsonl does not say which model and benchmark it is of" in said


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_marks_between_the_columns_of_a_table(store: StoreLayout, tmp_path: Path, mark: str) -> None:
    (tmp_path / "a.csv").write_text(f"problem{mark}text{mark}correct\n1{mark}x{mark}1\n1{mark}y{mark}0\n")
    imported(store, tmp_path / "a.csv")
    assert verdicts(store, "1") == ["correct", "wrong"]


def test_a_chosen_column_does_not_keep_other_files_of_a_folder_out(store: StoreLayout, tmp_path: Path) -> None:
    folder = tmp_path / "results"
    folder.mkdir()
    rows = [{"problem_id": "1", "completion": "x", "won": True}]
    jsonl(folder / "a.jsonl", rows)
    csv_file(folder / "legend.csv", ("id", "meaning"), [(1, "one")])
    report = imported(store, folder, options={"verdict": "won"})
    assert [file.status for file in report.files] == ["imported", "left"]


# Qwen2.5-Math


def test_qwen_math(store: StoreLayout, tmp_path: Path) -> None:
    line = qwen_line("What is 6 x 7?", [True, False, False, False], pred=["42", "41", "", None], type="Algebra")
    line["finish_reason"] = ["stop", "stop", "stop", "length"]
    report = imported(store, jsonl(tmp_path / "a.jsonl", [line]))
    assert verdicts(store, "0") == ["correct", "wrong", "no_answer", "truncated"]
    problem = with_reader(store, lambda reader: reader.problem(reader.problem_key("b", "0")))
    assert (problem.statement, problem.reference, problem.level) == ("What is 6 x 7?", "42", "3")
    assert problem.metadata == {"type": "Algebra"}
    assert [path.text for path in paths_of(store, "0")] == line["code"]
    assert [path.sample.answer for path in paths_of(store, "0")] == ["42", "41", None, None]
    assert apart_from_copies(report.notes) == {}


def test_qwen_math_file_names_hold_seed_and_temperature(store: StoreLayout, tmp_path: Path) -> None:
    files = [
        jsonl(tmp_path / f"test_qwen25-math-cot_-1_seed{seed}_t0.6_s0_e-1.jsonl", [qwen_line("A?", [seed == 1, False])])
        for seed in (0, 1)
    ]
    imported(store, *files)
    assert [(path.sample.index, path.sample.seed) for path in paths_of(store, "0")] == [(0, 0), (1, 0), (2, 1), (3, 1)]
    assert runs_of(store)["m@b"].parameters == {"temperature": 0.6, "template": "qwen25-math-cot"}


def test_qwen_math_without_scores_or_finish_reasons(store: StoreLayout, tmp_path: Path) -> None:
    line = qwen_line("A?", [True, True])
    del line["score"], line["finish_reason"], line["idx"]
    report = imported(store, jsonl(tmp_path / "a.jsonl", [line]))
    assert verdicts(store, "0") == ["unverified", "unverified"]
    assert apart_from_copies(report.notes) == {"problems without finish reasons": 1}
    assert report.runs[0].unverified == 2


def test_qwen_math_with_unequal_numbers_of_samples(store: StoreLayout, tmp_path: Path) -> None:
    """The evaluation pads short rows with the last score; here they stay short."""
    lines = [qwen_line("A?", [True] * 8, idx=0), qwen_line("B?", [False, True], idx=1), qwen_line("C?", [], idx=2)]
    report = imported(store, jsonl(tmp_path / "a.jsonl", lines))
    (run,) = report.runs
    assert (run.problems, run.samples, run.n_min, run.n_max) == (2, 10, 2, 8)
    assert apart_from_copies(report.notes) == {"problems without a sample, left out": 1}


# Reasoning Gym


def test_reasoning_gym(store: StoreLayout, tmp_path: Path) -> None:
    results = [gym_result("Q1", [1.0, 0.0, 0.01]), gym_result("Q2", [0.0])]
    results[1]["completions"][0]["model_answer"] = None
    report = import_files(store, [reasoning_gym(tmp_path / "a.json", results, model="../models/ckpt-400")])
    assert report.notes["samples with a score between 0 and 1, which is not correct"] == 1
    assert report.notes["samples without finish reasons"] == 4
    run = runs_of(store)["ckpt-400@letter_counting"]
    assert run.parameters == {"temperature": 0.6, "top_p": 0.9}
    assert (totals(run), run.n_min, run.n_max) == ((2, 4, 1), 1, 3)
    assert verdicts(store, "0", run.name) == ["correct", "wrong", "wrong"]
    assert verdicts(store, "1", run.name) == ["no_answer"]


def test_reasoning_gym_keeps_the_name_of_a_model_on_the_hub(store: StoreLayout, tmp_path: Path) -> None:
    import_files(store, [reasoning_gym(tmp_path / "a.json", [gym_result("Q", [1.0])])])
    assert list(runs_of(store)) == ["org/model-1@letter_counting"]


# human-eval


def test_human_eval(store: StoreLayout, tmp_path: Path) -> None:
    lines = [
        {"task_id": "HumanEval/0", "completion": "return 1", "result": "passed", "passed": True},
        {"task_id": "HumanEval/1", "completion": "return 2", "result": "failed: AssertionError", "passed": False},
        {"task_id": "HumanEval/0", "completion": "while 1: pass", "result": "timed out", "passed": False},
        {"task_id": "HumanEval/1", "completion": "", "result": None, "passed": None, "style": 1},
    ]
    report = imported(store, jsonl(tmp_path / "a.jsonl", lines))
    assert verdicts(store, "HumanEval/0") == ["correct", "timeout"]
    assert verdicts(store, "HumanEval/1") == ["wrong", "unverified"]
    second = paths_of(store, "HumanEval/1")
    assert second[0].sample.detail == "failed: AssertionError"
    assert [path.sample.source_row for path in second] == [2, 4]
    assert second[1].text == ""
    assert apart_from_copies(report.notes) == {"lines with field style, which is not kept": 1}
    assert report.runs[0].unverified == 1


# Long form

COLUMNS = {
    "problem_id": "p",
    "question": "How?",
    "completion": "So.",
    "is_correct": True,
    "extracted_answer": "42",
    "ground_truth": "42",
    "num_tokens": 17,
    "finish_reason": "stop",
    "seed": 5,
    "cumulative_logprob": -1.5,
    "difficulty": "hard",
    "model_name": "Qwen",
    "role": "rl",
    "base_model": "Base",
    "step": 100,
    "algorithm": "GRPO",
    "dataset": "MATH",
    "temperature": 0.6,
    "top_p": 0.95,
}


@pytest.mark.parametrize("form", ["jsonl", "csv", "parquet"])
def test_long_form_with_usual_names(store: StoreLayout, tmp_path: Path, form: str) -> None:
    rows = [COLUMNS, COLUMNS | {"is_correct": False, "finish_reason": "length", "num_tokens": 20, "seed": 6}]
    path = tmp_path / "a"
    if form == "jsonl":
        jsonl(path, rows)
    elif form == "csv":
        csv_file(path, list(COLUMNS), [row.values() for row in rows])
    else:
        pq.write_table(pa.Table.from_pylist(rows), path)
    report = import_files(store, [path])
    assert apart_from_copies(report.notes) == {}
    (run,) = runs_of(store).values()
    assert run.name == "Qwen@MATH"
    model = run.model
    assert (model.name, model.role, model.from_model, model.step) == ("Qwen", "rl", "Base", 100)
    assert model.algorithm == "GRPO"
    assert run.parameters == {"temperature": 0.6, "top_p": 0.95}
    assert run.mean_tokens == 18.5
    first, second = paths_of(store, "p", run.name)
    assert (first.sample.verdict, second.sample.verdict) == ("correct", "truncated")
    assert (first.text, first.sample.answer, first.sample.tokens) == ("So.", "42", 17)
    assert (first.sample.seed, first.sample.logprob_sum, first.sample.finish_reason) == (5, -1.5, "stop")
    assert first.sample.source_row == (1 if form != "csv" else 2)
    problem = with_reader(store, lambda reader: reader.problem(reader.problem_key("MATH", "p")))
    assert (problem.statement, problem.reference, problem.level) == ("How?", "42", "hard")


def test_long_form_with_chosen_columns(store: StoreLayout, tmp_path: Path) -> None:
    rows = [
        {"key": "a", "said": "one", "won": 1, "text": "not this"},
        {"key": "a", "said": "two", "won": 0, "text": ""},
    ]
    imported(store, jsonl(tmp_path / "a.jsonl", rows), options={"problem": "key", "text": "said", "verdict": "won"})
    assert verdicts(store, "a") == ["correct", "wrong"]
    assert [path.text for path in paths_of(store, "a")] == ["one", "two"]


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"verdict": "is_corect"}, "--column verdict=is_corect: no such column\nKnown columns: is_correct"),
        ({"verdit": "is_correct"}, "--column verdit=is_correct: unknown field\nKnown fields: verdict"),
    ],
)
def test_a_mistyped_column_is_refused(store: StoreLayout, tmp_path: Path, columns: dict[str, str], words: str) -> None:
    with pytest.raises(UsageError) as caught:
        imported(store, jsonl(tmp_path / "a.jsonl", long_rows()), options=columns)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("value", "verdict"),
    [
        (True, "correct"), (False, "wrong"), (1, "correct"), (0, "wrong"), (1.0, "correct"), (0.5, "wrong"),
        ("passed", "correct"), ("False", "wrong"), ("truncated", "truncated"), ("timeout", "timeout"),
        ("error", "error"), ("no_answer", "no_answer"), ("unverified", "unverified"), (None, "unverified"),
        ("", "unverified"), (-1, "wrong"),
    ],
)  # fmt: skip
def test_what_a_file_may_say_of_a_sample(store: StoreLayout, tmp_path: Path, value: object, verdict: str) -> None:
    imported(store, jsonl(tmp_path / "a.jsonl", [{"id": 1, "text": "x", "verdict": value}]))
    assert verdicts(store, "1") == [verdict]


def test_samples_of_a_problem_need_not_follow_each_other(store: StoreLayout, tmp_path: Path) -> None:
    rows = [{"id": f"p{i % 7}", "text": f"{i}", "verdict": i % 3 == 0} for i in range(10_000)]
    imported(store, jsonl(tmp_path / "a.jsonl", rows))
    run = runs_of(store)["m@b"]
    assert (totals(run), run.n_min, run.n_max) == ((7, 10_000, 3_334), 1_428, 1_429)
    texts = [path.text for path in paths_of(store, "p3")]
    assert texts == [str(i) for i in range(10_000) if i % 7 == 3], "in the order of the file"


def test_several_models_and_benchmarks_in_one_table(store: StoreLayout, tmp_path: Path) -> None:
    rows = [
        {"id": 1, "text": "x", "correct": True, "model": model, "benchmark": benchmark}
        for model in ("a", "b")
        for benchmark in ("X", "Y")
    ]
    import_files(store, [jsonl(tmp_path / "a.jsonl", rows)])
    assert sorted(runs_of(store)) == ["a@X", "a@Y", "b@X", "b@Y"]


def test_csv_with_line_breaks_quotes_and_tabs(store: StoreLayout, tmp_path: Path) -> None:
    texts = ['say "x",\nthen\r\nstop', "tab\there", " space ", "ends with newline\n"]
    csv_file(tmp_path / "a.csv", ("id", "text", "correct"), [("p", text, 1) for text in texts])
    (tmp_path / "b.tsv").write_text("id\ttext\tcorrect\nq\tA, B\tfalse\n")
    imported(store, tmp_path / "a.csv", tmp_path / "b.tsv")
    assert [path.text for path in paths_of(store, "p")] == texts
    assert [path.text for path in paths_of(store, "q")] == ["A, B"]


def test_a_byte_order_mark_is_no_part_of_the_first_name(store: StoreLayout, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"\xef\xbb\xbfid,text,correct\n1,x,1\n")
    (tmp_path / "b.jsonl").write_bytes(b'\xef\xbb\xbf{"id": 2, "text": "x", "correct": true}\n')
    imported(store, tmp_path / "a.csv", tmp_path / "b.jsonl")
    assert totals(runs_of(store)["m@b"]) == (2, 2, 2)


@pytest.mark.parametrize("values", [("0", "1"), ("True", "False")])
def test_a_csv_of_verdicts_is_no_csv_of_counts(store: StoreLayout, tmp_path: Path, values: tuple[str, str]) -> None:
    csv_file(tmp_path / "a.csv", ("problem", "correct"), [("p", value) for value in values])
    imported(store, tmp_path / "a.csv")
    assert verdicts(store, "p").count("correct") == 1
    csv_file(tmp_path / "b.csv", ("problem", "response", "correct"), [("q", "text", value) for value in values])
    imported(store, tmp_path / "b.csv")
    assert [path.text for path in paths_of(store, "q")] == ["text", "text"]


# Counts


def test_counts_of_one_model(store: StoreLayout, tmp_path: Path) -> None:
    path = csv_file(tmp_path / "a.csv", ("problem", "level", "n", "c"), [("x", 1, 4, 2), ("y", 5, 8, 0)])
    report = imported(store, path)
    run = runs_of(store)["m@b"]
    assert (totals(run), run.n_min, run.n_max, run.texts) == ((2, 12, 2), 4, 8, 0)
    assert report.runs[0].counts_only
    assert paths_of(store, "x") == [], "no paths are stored"


def test_counts_of_several_models_in_columns(store: StoreLayout, tmp_path: Path) -> None:
    path = csv_file(tmp_path / "a.csv", ("id", "base_correct", "c_rl"), [("x", 2, 0), ("y", 4, 1)])
    import_files(store, [path], run_options=RunOptions(benchmark="b"), options=Options(n=4))
    runs = runs_of(store)
    assert {name: (run.model.role, run.correct) for name, run in runs.items()} == {
        "base@b": ("base", 6),
        "rl@b": ("rl", 1),
    }


def test_counts_with_chosen_names_of_models(store: StoreLayout, tmp_path: Path) -> None:
    path = csv_file(tmp_path / "a.csv", ("id", "u", "v", "w"), [("x", 2, 0, 9)])
    options = Options(n=4, columns={"Qwen": "u", "Zoo": "v"})
    import_files(store, [path], run_options=RunOptions(benchmark="b"), options=options)
    assert {name: run.correct for name, run in runs_of(store).items()} == {"Qwen@b": 2, "Zoo@b": 0}
    with pytest.raises(UsageError, match="--column Qwen=nope: no such column"):
        import_files(store, [path], options=Options(n=4, columns={"Qwen": "nope"}))


def test_counts_need_n(store: StoreLayout, tmp_path: Path) -> None:
    for header in (("id", "base", "rl"), ("id", "c", "level"), ("id", "correct", "level")):
        with pytest.raises(UsageError) as caught:
            imported(store, csv_file(tmp_path / "a.csv", header, [("x", 2, 0)]))
        assert "--n N" in str(caught.value)


def test_two_columns_never_add_up_in_one_run(store: StoreLayout, tmp_path: Path) -> None:
    path = csv_file(tmp_path / "a.csv", ("id", "u", "v"), [("x", 2, 0)])
    with pytest.raises(UsageError, match="more than one model goes to the run m@b: u and v"):
        imported(store, path, n=4)


def test_the_same_problem_twice_in_counts_is_reported(store: StoreLayout, tmp_path: Path) -> None:
    report = imported(store, csv_file(tmp_path / "a.csv", ("id", "n", "c"), [("x", 4, 2), ("y", 4, 1), ("x", 4, 1)]))
    assert sum(times for note, times in report.notes.items() if "repeated" in note) == 1
    assert totals(runs_of(store)["m@b"]) == (2, 12, 4)
