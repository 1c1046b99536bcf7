"""Which problems are the same, and which runs. See `backend.store.identity`."""

from __future__ import annotations

from fractions import Fraction
from hashlib import blake2b
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from backend import Options, RunOptions, curves, default_pairs, import_files, pair_summaries, solve_sets
from backend.errors import UsageError
from backend.importers.session import REPEATED
from backend.records import Problem, SolveSets
from backend.store.identity import problem_key, run_key
from backend.store.layout import StoreLayout
from backend.store.part_writer import PartWriter
from backend.store.parts import PartRun
from explorer.render.curves import Bands, CurveSettings, known_values, what_is_shown
from tests.support import (
    SHARED_DATA,
    Passk,
    contents,
    csv_file,
    imported,
    jsonl,
    long_rows,
    paths_of,
    qwen_line,
    runs_of,
    totals,
    with_reader,
)


def pair(layout: StoreLayout, base: str, rl: str) -> SolveSets:
    return with_reader(  # type: ignore[no-any-return]
        layout, lambda reader: solve_sets(reader, [reader.run(base), reader.run(rl)])
    )


# Problems


def test_line_ends_trailing_blanks_and_index_make_no_other_problem(store: StoreLayout, tmp_path: Path) -> None:
    first = jsonl(tmp_path / "a.jsonl", [qwen_line("Find x\n  if 2x = 4, caf\u00e9.", [True], idx=7)])
    rows = [{"question": " Find x \r\n  if 2x = 4, cafe\u0301. \n", "completion": "x", "correct": False}]
    second = jsonl(tmp_path / "b.jsonl", rows)
    imported(store, first, model="a")
    imported(store, second, model="b")
    sets = pair(store, "a@b", "b@b")
    assert [problem.label for problem in sets.problems] == ["7"]
    assert sets.not_compared.total == 0


def problems_of(store: StoreLayout, benchmark: str = "b") -> list[tuple[str | None, str | None]]:
    """Statement and reference of every problem."""
    found = with_reader(store, lambda reader: reader.rows("imports/known_problems", benchmark=benchmark))
    return sorted((row[2], row[3]) for row in found)


def test_line_breaks_and_indentation_make_another_problem(store: StoreLayout, tmp_path: Path) -> None:
    questions = ["if x:\n    y = 1\nz = 2", "if x:\n    y = 1\n    z = 2", "if x: y = 1 z = 2", "if x:  y = 1 z = 2"]
    imported(store, jsonl(tmp_path / "a.jsonl", [qwen_line(text, [True], idx=i) for i, text in enumerate(questions)]))
    assert [statement for statement, _ in problems_of(store)] == sorted(questions)


def test_what_is_asked_beside_the_question_makes_another_problem(store: StoreLayout, tmp_path: Path) -> None:
    picture = {"bytes": b"\x89PNG 1", "path": "tmp/1.png"}
    asked: list[dict[str, object]] = [
        {"passage": "Red kicked 44."}, {"passage": "Blue kicked 51."}, {"choices": ["44", "51"]},
        {"choices": ["51", "44"]}, {"images": [picture]}, {"images": [{**picture, "bytes": b"\x89PNG 2"}]},
        {"images": [{**picture, "path": "other/1.png"}]}, {"tests": "assert f(1)"}, {"tests": "assert f(2)"},
    ]  # fmt: skip
    columns = {name: [row.get(name) for row in asked] for name in ("passage", "choices", "images", "tests")}
    size = len(asked)
    constant = {name: [value] * size for name, value in (("question", "How far?"), ("text", "x"), ("correct", True))}
    table = pa.table({**constant, **columns})
    for model in ("a", "b"):
        pq.write_table(table, tmp_path / f"{model}.parquet")
        report = imported(store, tmp_path / f"{model}.parquet", model=model)
        assert report.runs[0].problems == 8, "the picture at two paths is one"
    assert len(pair(store, "a@b", "b@b").problems) == 8
    statements = [statement for statement, _ in problems_of(store)]
    assert "Red kicked 44.\n\nHow far?" in statements
    assert "How far?\n\nA) 51\nB) 44" in statements


def test_rows_with_other_ids_and_references_are_never_one_problem(store: StoreLayout, tmp_path: Path) -> None:
    rows = [
        {"id": name, "question": "Find x.", "text": "t", "correct": name == "b", "gold": gold}
        for name, gold in (("a", "12"), ("b", "7"), ("c", "90"), ("d", "7"))
    ]
    report = imported(store, jsonl(tmp_path / "a.jsonl", rows), model="base")
    assert report.notes["statements that come with several reference answers, such as problem a: 12 and 7 and 90"] == 1
    assert report.runs[0].problems == 3, "d is b once more"
    # Another file has them in another order.
    imported(store, jsonl(tmp_path / "b.jsonl", [rows[2], rows[1], rows[0]]), model="rl")
    sets = pair(store, "base@b", "rl@b")
    assert {(problem.label.partition("#")[0], problem.tallies[0].n) for problem in sets.problems} == {
        ("a", 1), ("b", 2), ("c", 1),
    }  # fmt: skip
    assert problems_of(store) == [("Find x.", "12"), ("Find x.", "7"), ("Find x.", "90")]


def test_another_reference_in_another_file_is_said_with_both(store: StoreLayout, tmp_path: Path) -> None:
    for model, gold in (("base", "384"), ("rl", "385")):
        rows = [{"id": "q", "question": "Count.", "text": "t", "correct": True, "gold": gold}]
        report = imported(store, jsonl(tmp_path / f"{model}.jsonl", rows), model=model)
    said = "statements that come with several reference answers, such as problem q: 384 and 385"
    assert report.notes[said] == 1
    assert len(pair(store, "base@b", "rl@b").problems) == 1


def test_a_statement_that_an_older_store_holds_is_the_same_problem(store: StoreLayout, tmp_path: Path) -> None:
    """Versions up to schema 3 took all white space for one blank."""
    asked = {"lines": "Transpose:\n1 2\n3 4", "plain": "What is 1 + 1?", "blanks": "Add  1."}
    old = {
        name: int.from_bytes(
            blake2b("\x1f".join(("statement", "b", " ".join(text.split()))).encode(), digest_size=8).digest(), "big"
        )
        for name, text in asked.items()
    }
    with PartWriter(store, "import") as part:
        part.write("problems", [(old[name], "b", name, 0, text, "1", None, None) for name, text in asked.items()])
        part.write("counts", [(run_key("old@b"), key, "counts", 4, 1, 0, 0, 0, 0) for key in old.values()])
        part.publish(runs=[PartRun("old@b", "old", "base", None, None, None, "b", {}, 0, 0)])
    rows = [
        {"id": name, "question": text, "text": "t", "correct": True, "gold": "1"} for name, text in asked.items()
    ] + [{"id": "other", "question": "Transpose: 1 2 3 4", "text": "t", "correct": True, "gold": "1"}]
    imported(store, jsonl(tmp_path / "a.jsonl", rows), model="new")
    sets = pair(store, "old@b", "new@b")
    assert sorted(problem.label for problem in sets.problems) == ["blanks", "lines", "plain"]
    assert sets.not_compared.total == 1


def test_runs_without_a_common_problem_say_so_and_are_not_subtracted(
    store: StoreLayout, tmp_path: Path, run_passk: Passk
) -> None:
    reports = []
    for model, words in (("base", "Find"), ("rl", "Now, pupil, determine")):
        rows = [
            {"id": f"q{i}", "question": f"{words} {i}.", "text": "t", "correct": model == "rl", "gold": str(i)}
            for i in range(4)
        ]
        reports.append(imported(store, jsonl(tmp_path / f"{model}.jsonl", rows), model=model, role=model))
    (said,) = (note for note in reports[1].notes if "asks something else" in note)
    assert reports[1].notes[said] == 4 and said.endswith(f"passk match base@b rl@b --by id --store {store.root}")
    runs = runs_of(store)
    (summary,) = with_reader(store, lambda reader: pair_summaries(reader, [(runs["base@b"], runs["rl@b"])]))
    assert (summary.common_n, summary.rl_pass_at_1, summary.leads) == (None, None, ())
    found = with_reader(store, lambda reader: curves(reader, list(runs.values())))
    assert [set(curve.apart) for curve in found] == [{"rl@b"}, {"base@b"}]
    settings = CurveSettings("b", ("base@b", "rl@b"), "pass@k", None, 1, Fraction(1, 2))
    bands = Bands("pass@k")
    words_shown = "\n".join(what_is_shown(found, settings, known_values(found, settings, bands) or {}, bands))
    assert "have no problem in common" in words_shown and "points" not in words_shown
    printed = run_passk("sets", "--base", "base", "--rl", "rl", "--store", store.root)
    assert "Nothing is compared: base@b (4 problems) and rl@b (4) have no problem in common" in printed.stderr


CASES = SHARED_DATA / "cases"


@pytest.mark.skipif(not CASES.is_dir(), reason=f"{CASES} is not there")
@pytest.mark.parametrize(
    ("case", "problems", "correct"),
    [
        ("problems-that-differ-in-their-image/1.jsonl", 3, 3),
        ("white-space-matters/ws.jsonl", 4, 2),
        ("lm-eval-passage-and-question", 3, 2),
    ],
)
def test_cases_of_identity(store: StoreLayout, case: str, problems: int, correct: int) -> None:
    report = imported(store, CASES / "identity" / case)
    assert [(run.problems, run.correct) for run in report.runs] == [(problems, correct)]


def test_the_same_index_makes_no_same_problem(store: StoreLayout, tmp_path: Path) -> None:
    imported(
        store, jsonl(tmp_path / "a.jsonl", [qwen_line("One?", [True]), qwen_line("Two?", [True], idx=1)]), model="a"
    )
    imported(
        store, jsonl(tmp_path / "b.jsonl", [qwen_line("Two?", [True]), qwen_line("New?", [True], idx=1)]), model="b"
    )
    sets = pair(store, "a@b", "b@b")
    assert [problem.excerpt for problem in sets.problems] == ["Two?"]
    labels = [
        *(problem.label for problem in sets.problems),
        *sets.not_compared.missing[0],
        *sets.not_compared.missing[1],
    ]
    assert len(set(labels)) == 3, "three problems, three labels"

    def by_label(label: str) -> Problem:
        return with_reader(store, lambda reader: reader.problem(reader.problem_key("b", label)))  # type: ignore[no-any-return]

    assert {by_label(label).statement for label in labels} == {"One?", "Two?", "New?"}
    with pytest.raises(UsageError, match="problems of b have the id 1"):
        by_label("1")


def test_labels_stay_distinct_when_many_problems_share_an_id(store: StoreLayout, tmp_path: Path) -> None:
    """400 problems called 0: the beginnings of some keys are the same."""
    questions = [f"Question number {i}?" for i in range(400)]
    beginnings = [f"{problem_key('b', question, '0'):016x}"[:4] for question in questions]
    assert len(set(beginnings)) < 400, "or this test tests nothing"
    imported(store, jsonl(tmp_path / "a.jsonl", [qwen_line(question, [True]) for question in questions]))
    labels = with_reader(store, lambda reader: [row[0] for row in reader.rows("reads/known_labels", benchmark="b")])
    assert len(set(labels)) == 400
    assert all(label.startswith("0#") for label in labels)


def test_a_repeated_question_is_one_problem_with_more_samples(store: StoreLayout, tmp_path: Path) -> None:
    lines = [
        qwen_line("A?", [True, False], idx=0),
        qwen_line("B?", [True, False], idx=1),
        qwen_line("A? ", [False, False], idx=2),
    ]
    report = imported(store, jsonl(tmp_path / "a.jsonl", lines))
    assert report.notes == {REPEATED: 1}
    run = runs_of(store)["m@b"]
    assert (totals(run), run.n_min, run.n_max) == ((2, 6, 2), 2, 4)
    assert [(path.sample.index, path.sample.source_row) for path in paths_of(store, "0")] == [
        (0, 1),
        (1, 1),
        (2, 3),
        (3, 3),
    ]


def test_a_repeated_question_whose_samples_are_numbered(store: StoreLayout, tmp_path: Path) -> None:
    rows = [
        {"id": problem, "question": "A?", "text": f"{problem}.{index}", "correct": True, "index": index}
        for index in range(3)
        for problem in ("x", "y")
    ]
    report = imported(store, jsonl(tmp_path / "a.jsonl", rows))
    assert report.notes[REPEATED] == 1
    found = paths_of(store, "x")
    assert sorted(path.text or "" for path in found) == ["x.0", "x.1", "x.2", "y.0", "y.1", "y.2"]
    assert len({path.sample.index for path in found}) == 6


def test_benchmarks_do_not_share_problems(store: StoreLayout, tmp_path: Path) -> None:
    path = jsonl(tmp_path / "a.jsonl", [qwen_line("A?", [True])])
    imported(store, path, benchmark="X")
    imported(store, path, benchmark="Y")
    assert [run.problems for run in runs_of(store).values()] == [1, 1]
    assert problem_key("X", "A?", "0") != problem_key("Y", "A?", "0")


def test_counts_are_never_paired_with_statements_by_id(store: StoreLayout, tmp_path: Path) -> None:
    imported(store, jsonl(tmp_path / "a.jsonl", [qwen_line("A?", [True], idx=0)]), model="texts")
    imported(store, csv_file(tmp_path / "a.csv", ("problem", "n", "c"), [(0, 4, 1)]), model="counts")
    sets = pair(store, "texts@b", "counts@b")
    assert sets.problems == ()
    assert [len(labels) for labels in sets.not_compared.missing] == [1, 1]
    assert len(set(sum(sets.not_compared.missing, ()))) == 2


def test_counts_are_paired_with_counts_by_id(store: StoreLayout, tmp_path: Path) -> None:
    imported(store, csv_file(tmp_path / "a.csv", ("problem", "n", "c"), [("x", 4, 1), ("y", 4, 0)]), model="a")
    imported(store, csv_file(tmp_path / "b.csv", ("problem", "n", "c"), [("y", 9, 1), ("x", 9, 0)]), model="b")
    assert [problem.label for problem in pair(store, "a@b", "b@b").problems] == ["x", "y"]


def test_unverified_samples_count_into_neither_n_nor_c(store: StoreLayout, tmp_path: Path) -> None:
    lines = [
        qwen_line("A?", [True, None, False, None], idx=0),
        qwen_line("B?", [None, None], idx=1),
        qwen_line("C?", [False, False], idx=2),
    ]
    report = imported(store, jsonl(tmp_path / "a.jsonl", lines))
    assert report.runs[0].unverified == 4
    imported(store, jsonl(tmp_path / "b.jsonl", [qwen_line(q, [True] * 2) for q in ("A?", "B?", "C?")]), model="other")
    run = runs_of(store)["m@b"]
    assert (run.samples, run.unverified, run.correct, run.n_min, run.n_max) == (8, 4, 1, 2, 2)
    assert run.without_verdict == 1
    sets = pair(store, "m@b", "other@b")
    assert [problem.label for problem in sets.problems] == ["0", "2"]
    assert sets.not_compared.without_verdict == ("1",)


# Runs


def seeds(tmp_path: Path, numbered: bool) -> list[Path]:
    files = []
    for seed in (1, 2, 3):
        rows = [
            {"id": "p", "text": f"{seed}.{i}", "correct": i == seed, "seed": seed, **({"index": i} if numbered else {})}
            for i in range(4)
        ]
        files.append(jsonl(tmp_path / f"seed{seed}.jsonl", rows))
    return files


@pytest.mark.parametrize("numbered", [True, False])
@pytest.mark.parametrize("together", [True, False])
def test_seeds_pool_into_one_run(store: StoreLayout, tmp_path: Path, numbered: bool, together: bool) -> None:
    files = seeds(tmp_path, numbered)
    if together:
        imported(store, *files)
    else:
        reports = [imported(store, file) for file in files]
        assert [report.runs[0].added_to_existing for report in reports] == [False, True, True]
    assert totals(runs_of(store)["m@b"]) == (1, 12, 3)
    found = paths_of(store, "p")
    assert [path.sample.index for path in found] == list(range(12)), "indices go on"
    assert [path.text for path in found] == [f"{seed}.{i}" for seed in (1, 2, 3) for i in range(4)]


def test_numbered_and_unnumbered_files_of_one_run(store: StoreLayout, tmp_path: Path) -> None:
    numbered, plain = seeds(tmp_path, True)[0], jsonl(tmp_path / "b.jsonl", long_rows(1, 3, problem_id="p"))
    other = jsonl(tmp_path / "c.jsonl", [{"id": "p", "text": "last", "correct": True, "index": 1}])
    imported(store, plain, numbered, other, plain.with_name("seed2.jsonl"))
    found = with_reader(store, lambda reader: reader.rows("reads/problem_labels", benchmark="b", name="p"))
    assert len(found) == 2, "one of them has a statement"
    for _, label in found:
        indices = [path.sample.index for path in paths_of(store, label)]
        assert len(set(indices)) == len(indices), "no index twice"
    assert runs_of(store)["m@b"].samples == 3 + 4 + 1 + 4


def test_an_index_twice_in_one_file_is_refused(store: StoreLayout, tmp_path: Path) -> None:
    rows = [{"id": "p", "text": text, "correct": True, "index": i} for i, text in ((0, "x"), (1, "y"), (0, "z"))]
    said = r"a\.jsonl, line 3: sample 0 of problem p exists already, and differs, in line 1"
    with pytest.raises(Exception, match=said):
        imported(store, jsonl(tmp_path / "a.jsonl", rows))


def test_a_run_is_one_sampling_configuration(store: StoreLayout, tmp_path: Path) -> None:
    hot, cold = (jsonl(tmp_path / f"{t}.jsonl", long_rows(temperature=t)) for t in (1.0, 0.6))
    unknown = jsonl(tmp_path / "a.jsonl", long_rows(1, 1))
    silent = jsonl(tmp_path / "b.jsonl", long_rows(1, 2, top_p=0.9))
    with pytest.raises(UsageError, match="does not belong to the run m@b") as caught:
        imported(store, unknown, cold, silent, hot)
    assert "temperature 0.6 and 1.0" in str(caught.value)
    assert "--run" in str(caught.value)
    assert runs_of(store) == {}

    imported(store, unknown)
    imported(store, cold)
    imported(store, silent)
    expected = {"temperature": 0.6, "top_p": 0.9}
    assert runs_of(store)["m@b"].parameters == expected, "known as soon as one file says it"
    before = contents(store)
    with pytest.raises(UsageError, match="temperature"):
        imported(store, hot)
    assert contents(store) == before
    imported(store, hot, run="hot")
    assert runs_of(store)["hot"].parameters == {"temperature": 1.0}


def test_a_run_is_one_model_and_one_benchmark(store: StoreLayout, tmp_path: Path) -> None:
    imported(store, jsonl(tmp_path / "a.jsonl", long_rows()), run="mine")
    other = jsonl(tmp_path / "b.jsonl", long_rows(4))
    with pytest.raises(UsageError, match="does not belong to the run mine"):
        imported(store, other, run="mine", model="x")
    with pytest.raises(UsageError, match="benchmark b and x"):
        imported(store, other, run="mine", benchmark="x")


def test_a_known_run_needs_no_model_or_benchmark(store: StoreLayout, tmp_path: Path) -> None:
    imported(store, jsonl(tmp_path / "a.jsonl", long_rows()), run="mine")
    new = [row | {"completion": f"Once more: {row['completion']}"} for row in long_rows(4)]
    import_files(store, [jsonl(tmp_path / "b.jsonl", new)], run_options=RunOptions(run="mine"))
    assert runs_of(store)["mine"].samples == 12 + 16


@pytest.mark.parametrize(
    ("first", "then", "words"),
    [
        ({"role": "base"}, {"role": "rl"}, "has the role base, not rl"),
        ({"step": 100}, {"step": 200}, "has the step 100, not 200"),
        ({"from_model": "a"}, {"from_model": "b"}, "has the from-model a, not b"),
    ],
)
def test_a_model_is_one_thing(
    store: StoreLayout, tmp_path: Path, first: dict[str, object], then: dict[str, object], words: str
) -> None:
    imported(store, jsonl(tmp_path / "a.jsonl", long_rows()), **first)
    before = contents(store)
    with pytest.raises(UsageError, match=words):
        imported(store, jsonl(tmp_path / "b.jsonl", long_rows(4)), benchmark="other", **then)
    assert contents(store) == before


def test_what_one_file_leaves_open_another_says(store: StoreLayout, tmp_path: Path) -> None:
    silent, speaking = (
        jsonl(tmp_path / "a.jsonl", long_rows(2)),
        jsonl(tmp_path / "b.jsonl", long_rows(3, role="rl", step=100)),
    )
    report = imported(store, silent, speaking)
    assert report.runs[0].role == "rl"
    model = runs_of(store)["m@b"].model
    assert (model.role, model.step) == ("rl", 100)
    imported(store, jsonl(tmp_path / "c.jsonl", long_rows(1)), from_model="Base", benchmark="other")
    assert {run.model.from_model for run in runs_of(store).values()} == {"Base"}


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"model": None}, "does not say which model it is of\nSay so with --model NAME."),
        ({"benchmark": None}, "does not say which benchmark it is of\nSay so with --benchmark NAME."),
        ({"model": None, "benchmark": None}, "Say so with --model NAME and --benchmark NAME."),
    ],
)
def test_what_is_missing_names_its_option(
    store: StoreLayout, tmp_path: Path, said: dict[str, None], words: str
) -> None:
    with pytest.raises(UsageError) as caught:
        imported(store, jsonl(tmp_path / "a.jsonl", long_rows()), **said)
    assert words in str(caught.value)


def test_pairs_that_a_person_would_compare(store: StoreLayout, tmp_path: Path) -> None:
    path = csv_file(tmp_path / "a.csv", ("problem", "Base_correct", "rl_correct", "Other_base_correct"), [(1, 1, 2, 3)])
    import_files(
        store, [path], run_options=RunOptions(benchmark="b"), options=Options(n=4, columns={"Base": "Base_correct"})
    )
    path = csv_file(tmp_path / "b.csv", ("problem", "n", "c"), [(1, 4, 2)])
    imported(store, path, model="RL", role="rl", from_model="Base")
    imported(store, path, model="Base2", role="base")
    pairs = default_pairs(list(runs_of(store).values()))
    assert [(base.name, rl.name) for base, rl in pairs] == [("Base@b", "RL@b")]
