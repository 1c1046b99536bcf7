"""Problems of two runs made one by a decision: every number is that of a store in which they had one key all along."""

from __future__ import annotations

import json
import shutil
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backend import (
    JudgementBook,
    NewJudgement,
    Reader,
    RunOptions,
    curves,
    difference,
    match,
    matching_of,
    merge,
    open_store,
    override,
    pair_summaries,
    plan_match,
    plan_run,
    rebuild_tallies,
    redo,
    search,
    set_evidence,
    solve_sets,
    undo,
    verify,
)
from backend import pattern as text_pattern
from backend.errors import UsageError
from backend.store.layout import StoreLayout
from tests.support import SHARED_DATA, Passk, csv_file, imported, jsonl

QUESTIONS = (
    "How many crates hold 180 bottles, twelve to a crate?",
    "Compute seventeen times twenty-three.",
    "Find the remainder of two to the tenth, modulo seven.",
    "How many primes lie below twenty?",
    "What is the sum of the first ten odd numbers?",
    "How many diagonals has a regular octagon?",
)
OPENINGS = ("Attend.", "Dear pupil!", "Now then:", "Listen well;", "Quickly,", "Once more:")


def disguised(question: str, place: int) -> str:
    """In a template that differs from row to row: nobody can take it off."""
    return f"{OPENINGS[place % len(OPENINGS)]} {question} ({place * 7919 % 101} points; note {place * 31 % 17})"


def rows(words: Callable[[str, int], str], samples: int = 4, first: int = 0, **fields: Any) -> list[dict[str, Any]]:
    """Sample i of problem p is correct when (i + p + first) % 3 == 0."""
    return [
        {
            "problem_id": f"q{place}",
            "statement": words(question, place),
            "response": f"Sample {first + sample} of {fields.get('model', 'm')}: it is {place * place}.",
            "reference": str(place * place + 40),
            "correct": (sample + place + first) % 3 == 0,
            "tokens": 10 + sample + place,
            **fields,
        }
        for place, question in enumerate(QUESTIONS)
        for sample in range(samples)
    ]


def plain(question: str, _: int) -> str:
    return question


@contextmanager
def reading(layout: StoreLayout, *, merging: bool = True) -> Iterator[Reader]:
    with closing(open_store(layout, merging=merging)) as database, Reader(database) as reader:
        yield reader


def two(layout: StoreLayout, folder: Path, words: Callable[[str, int], str] = disguised) -> None:
    """A base run asked plainly, an RL run asked in `words`."""
    folder.mkdir(exist_ok=True)
    imported(layout, jsonl(folder / "base.jsonl", rows(plain)), model="base", role="base")
    imported(layout, jsonl(folder / "rl.jsonl", rows(words, samples=6, first=1)), model="rl", role="rl")


def numbers(reader: Reader, names: Sequence[str] = ("base@b", "rl@b")) -> dict[str, Any]:
    """Everything that screens and commands make of some runs."""
    runs = [reader.run(name) for name in names]
    base, rl = runs[:2]
    sets = solve_sets(reader, runs)
    found: dict[str, Any] = {
        "sets": (sets.problems, sets.counts, sets.not_compared, sets.expected_at_common_n),
        "curves": [(curve.points, curve.problems) for curve in curves(reader, runs)],
        "difference": (difference(reader, base, rl).points, difference(reader, base, rl).problems),
        "evidence": set_evidence(reader, solve_sets(reader, [base, rl])),
        "home": [(pair.counts, pair.leads, pair.common_n) for pair in pair_summaries(reader, [(base, rl)])],
        "labels": reader.labels("b"),
    }
    for run in runs:
        found[run.name] = {
            "totals": (run.problems, run.samples, run.correct, run.unverified, run.n_min, run.n_max, run.texts),
            "tallies": sorted(reader.rows("reads/tallies", run_keys=[run.key])),
            "hits": sum(len(hits.hits) for hits in search(reader, [run], text_pattern("it is"))),
            "samples": [
                (key, sample.index, sample.verdict, path.text)
                for key in sorted(reader.labels("b"))
                for path in reader.paths(run, key)
                for sample in [path.sample]
            ],
        }
    for key in reader.labels("b"):
        problem = reader.problem(key, [run.key for run in runs])
        found[f"problem {key}"] = (
            problem.reference,
            problem.answers,
            [(t.run.name, t.n, t.c) for t in problem.tallies],
        )
    return found


def run_pair(reader: Reader) -> tuple[Any, Any]:
    return reader.run("base@b"), reader.run("rl@b")


@pytest.fixture
def apart(store: StoreLayout, tmp_path: Path) -> StoreLayout:
    two(store, tmp_path / "files")
    return store


@pytest.mark.parametrize("by", ["id", "reference", "pattern", "list"])
@pytest.mark.parametrize("merged", [True, False])
def test_a_matched_store_is_one_whose_problems_had_one_key(
    apart: StoreLayout, make_store: Callable[[str], StoreLayout], tmp_path: Path, by: str, merged: bool
) -> None:
    if by == "list":
        named = [(f"q{i}", f"q{i}") for i in range(len(QUESTIONS))]
        by = str(csv_file(tmp_path / "pairs.csv", ["base", "rl"], named))
    elif by == "pattern":
        by = "((?:How|Compute|Find|What) [^?.]*)[?.]"
    together = make_store("together")
    two(together, tmp_path / "together", plain)
    with reading(together) as reader:
        wanted = numbers(reader)
    with reading(apart, merging=merged) as reader:
        before = numbers(reader)
        assert before["sets"][0] == () and before != wanted
        done = match(reader, *run_pair(reader), by)
        assert numbers(reader) == wanted
        found = matching_of(reader, *run_pair(reader))
        assert sum(found.matched.values()) == len(QUESTIONS) and not found.only_first and not found.only_second
        assert {row.decision for row in found.rows} == {done.id}
    with reading(apart) as reader:
        assert numbers(reader) == wanted, "merged, and opened anew"
        undo(reader, done.id)
        assert numbers(reader) == before
        back = redo(reader, done.id)
        assert numbers(reader) == wanted
        undo(reader, back.id)
        assert numbers(reader) == before
        redo(reader, done.id)
    merge(apart)
    rebuild_tallies(apart)
    with reading(apart) as reader:
        assert numbers(reader) == wanted


def test_what_comes_later_is_the_matched_problem_too(
    apart: StoreLayout, make_store: Callable[[str], StoreLayout], tmp_path: Path
) -> None:
    with reading(apart) as reader:
        done = match(reader, *run_pair(reader), "id")
    together = make_store("together")
    two(together, tmp_path / "together", plain)

    def more(layout: StoreLayout, folder: Path, words: Callable[[str, int], str]) -> None:
        later = jsonl(folder / "later.jsonl", rows(words, samples=2, first=40))
        assert not [note for note in imported(layout, later, model="rl", role="rl").notes if "passk match" in note]
        step = jsonl(folder / "step.jsonl", rows(words, samples=3, first=60))
        imported(layout, step, model="rl2", role="rl", step=9)
        # Another model whose prompts are the base run's, and rl asked plainly: other keys in the same run.
        imported(layout, jsonl(folder / "plain.jsonl", rows(plain, samples=2, first=80)), model="rl", role="rl")

    more(apart, tmp_path / "files", disguised)
    more(together, tmp_path / "together", plain)
    names = ("base@b", "rl@b", "rl2@b")
    with reading(together) as reader:
        wanted = numbers(reader, names)
    with reading(apart) as reader:
        assert numbers(reader, names) == wanted
        assert [t.n for p in solve_sets(reader, run_pair(reader)).problems for t in p.tallies] == [4, 10] * 6
    again = imported(apart, tmp_path / "files" / "rl.jsonl", model="rl", role="rl")
    assert again.part is None, "the same file changes nothing, matched or not"
    with reading(apart) as reader:
        undo(reader, done.id)
        run = reader.run("rl@b")
        # Now rl was asked each question in two ways: two problems, each with its own samples.
        assert sorted(n for _, _, n, _ in reader.rows("reads/tallies", run_keys=[run.key])) == [2] * 6 + [8] * 6
        assert run.samples == 60
        with pytest.raises(UsageError, match="Nothing more of"):
            match(reader, *run_pair(reader), "id")
        kept = plan_match(reader, *run_pair(reader), "id")
        assert not kept.pairs
        redo(reader, done.id)
        assert numbers(reader, names) == wanted


def test_what_is_said_of_a_matched_problem_stays_with_its_sample(apart: StoreLayout) -> None:
    """Overrides, judgements and verdicts are of the run's own problem when the match is taken back."""
    with reading(apart) as reader:
        base, rl = run_pair(reader)
        done = match(reader, base, rl, "id")
        key = reader.problem_key("b", "q3")
        path = reader.path(rl, key, 1)
        override(reader, path, "correct" if path.sample.verdict != "correct" else "wrong", "I looked")
        JudgementBook(reader.database.layout, "ann", own_key=reader.database.own_key).say(
            [NewJudgement(rl.key, key, 2, "invalid", "no reason")]
        )
        verify(reader, rl, problems=[key], again=True, verifier="exact")
        reader.database.refresh()
        matched = numbers(reader)
        verdicts = [sample.verdict for sample in reader.samples(rl.key, key).items]
        undo(reader, done.id)
        (own,) = (row for row, label in reader.labels("b").items() if label.startswith("q3") and row != key)
        assert [sample.verdict for sample in reader.samples(rl.key, own).items] == verdicts
        judged = reader.rows("judgements/of_sample", run_key=rl.key, problem_key=own, sample=2)
        assert [row[3] if len(row) > 3 else row for row in judged]
        for run in (base, rl):
            for problem, n, c in [row[1:] for row in reader.rows("reads/tallies", run_keys=[run.key])]:
                seen = [sample.verdict for sample in reader.samples(run.key, problem).items]
                assert (n, c) == (sum(v != "unverified" for v in seen), seen.count("correct"))
        redo(reader, done.id)
        assert numbers(reader) == matched
    rebuild_tallies(apart)
    with reading(apart) as reader:
        assert numbers(reader) == matched


def test_a_resampled_problem_is_asked_in_the_words_of_its_run(apart: StoreLayout) -> None:
    with reading(apart) as reader:
        base, rl = run_pair(reader)
        own = {key for _, key, _, _ in reader.rows("reads/tallies", run_keys=[rl.key])}
        match(reader, base, rl, "id")
        plan = plan_run(reader, benchmark="b", add=2, run_options=RunOptions(run="rl@b"), parameters={}, like="rl@b")
        assert {problem.key for problem in plan.problems} == own, "its own keys: they stay when the match is taken back"
        for place, problem in enumerate(sorted(plan.problems, key=lambda problem: problem.label)):
            assert disguised(QUESTIONS[place], place) in problem.prompt
            assert problem.reference == str(place * place + 40)
            assert min(problem.indices) == 6
        of_base = plan_run(reader, benchmark="b", add=1, run_options=RunOptions(run="base@b"), parameters={})
        assert {question for question in QUESTIONS} == {problem.statement for problem in of_base.problems}


def test_several_that_fit_are_never_guessed(store: StoreLayout, tmp_path: Path) -> None:
    base = [{**row, "reference": "7" if row["problem_id"] in ("q0", "q1") else row["reference"]} for row in rows(plain)]
    rl = [{**row, "reference": "7" if row["problem_id"] == "q0" else row["reference"]} for row in rows(disguised)]
    imported(store, jsonl(tmp_path / "base.jsonl", base), model="base", role="base")
    imported(store, jsonl(tmp_path / "rl.jsonl", rl), model="rl", role="rl")
    with reading(store) as reader:
        plan = plan_match(reader, *run_pair(reader), "reference")
        (why,) = {row.why for row in plan.rows if row.why}
        assert why.startswith("2 of base@b (q0#") and "1 of rl@b (q0#" in why and why.endswith("have the reference 7")
        assert len(plan.pairs) == 4
        done = match(reader, *run_pair(reader), "reference")
        assert done.notes == (f"left: {why}",)
        left = [row for row in matching_of(reader, *run_pair(reader)).rows if row.by is None]
        assert len(left) == 4 - 1 + 0 or len(left) == 4


def test_two_problems_of_one_run_are_never_made_one(apart: StoreLayout, tmp_path: Path) -> None:
    both = [row for words in (plain, disguised) for row in rows(words, samples=1)]
    both = [{**row, "problem_id": f"{row['problem_id']}-{i % 2}", "reference": str(i)} for i, row in enumerate(both)]
    imported(apart, jsonl(tmp_path / "both.jsonl", both), model="both", role="sft")
    with reading(apart) as reader:
        plan = plan_match(reader, *run_pair(reader), "id")
        assert not plan.pairs and {row.why for row in plan.rows} == {"both@b has both"}
        with pytest.raises(UsageError, match="Nothing more of base@b and rl@b is matched by id") as refused:
            match(reader, *run_pair(reader), "id")
        assert "both@b has both" in refused.value.detail
        with pytest.raises(UsageError, match="is one run"):
            match(reader, reader.run("base@b"), reader.run("base@b"), "id")


def test_a_match_is_not_brought_back_over_a_later_one_that_contradicts_it(apart: StoreLayout, tmp_path: Path) -> None:
    with reading(apart) as reader:
        first = match(reader, *run_pair(reader), str(csv_file(tmp_path / "a.csv", ["base", "rl"], [("q0", "q0")])))
        undo(reader, first.id)
        second = match(reader, *run_pair(reader), str(csv_file(tmp_path / "b.csv", ["base", "rl"], [("q1", "q0")])))
        with pytest.raises(UsageError, match="cannot be brought back now"):
            redo(reader, first.id)
        undo(reader, second.id)
        redo(reader, first.id)
        (row,) = (row for row in matching_of(reader, *run_pair(reader)).rows if row.by is not None)
        assert (row.first, row.second, row.by) == ("q0", "q0", "file")


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("", 1, "heading of two columns"),
        ("base\nq0\n", 1, "heading of two columns"),
        ("base,rl\nq0,q0\nq1\n", 3, "expected two problems, found 1 column"),
        ("base,rl\nq0,q0\n\nq1,q9\n", 4, "rl@b has no problem q9"),
        ("base,rl\nq0,q0\nq0,q1\n", 3, "problem q0 of base@b is on line 2 already"),
        ("base,rl\nq0,q0\nq1,q0\n", 3, "problem q0 of rl@b is on line 2 already"),
        ('base,rl\nq0,"q0\n', 2, "not csv"),
    ],
)
def test_a_bad_line_of_a_list_is_refused_by_file_and_line(
    apart: StoreLayout, tmp_path: Path, text: str, line: int, words: str
) -> None:
    path = tmp_path / "pairs.csv"
    path.write_text(text)
    with reading(apart) as reader:
        with pytest.raises(UsageError) as refused:
            match(reader, *run_pair(reader), str(path))
        assert str(refused.value).startswith(f"{path}, line {line}: ") and words in str(refused.value)
        assert "Nothing was changed" in str(refused.value)
        assert not reader.database.decided.every


def test_a_list_headed_by_the_runs_may_have_them_either_way(apart: StoreLayout, tmp_path: Path) -> None:
    path = csv_file(tmp_path / "pairs.csv", ["rl@b", "base@b"], [("q1", "q0")])
    with reading(apart) as reader:
        match(reader, *run_pair(reader), str(path))
        (row,) = (row for row in matching_of(reader, *run_pair(reader)).rows if row.by is not None)
        assert (row.first or "").startswith("q0") and row.second == "q1"


@pytest.mark.parametrize("by", ["(", "no group", ""])
def test_what_is_no_way_to_match_is_refused(apart: StoreLayout, by: str) -> None:
    with reading(apart) as reader, pytest.raises(UsageError) as refused:
        plan_match(reader, *run_pair(reader), by)
    assert "--by statement, id, reference" in str(refused.value)


# The four cases of runs that were asked through templates, made worse: each row has a template of its own


def _verl(path: Path) -> None:
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    places = {text: place for place, text in enumerate(dict.fromkeys(line["input"] for line in lines))}
    # In another order: ids that count the rows say nothing then.
    jsonl(path, [{**line, "input": disguised(line["gts"], places[line["input"]])} for line in reversed(lines)])


def _long_form(path: Path) -> None:
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    jsonl(path, [{**line, "prompt": disguised(str(i * 37), i)} for i, line in enumerate(lines)])


def _lm_eval(path: Path) -> None:
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    for place, line in enumerate(lines):
        line["doc"]["instruction"] = disguised(line["doc"]["instruction"], place)
        line["arguments"]["gen_args_0"]["arg_0"] = line["doc"]["instruction"]
    jsonl(path, lines)


def _trl(path: Path) -> None:
    rows = pq.read_table(path).to_pylist()
    places = {json.dumps(row["prompt"]): None for row in rows}
    order = {text: place for place, text in enumerate(places)}
    for row in rows:
        row["prompt"] = [
            {"role": "user", "content": disguised(row["prompt"][-1]["content"], order[json.dumps(row["prompt"])])}
        ]
    pq.write_table(pa.Table.from_pylist(rows), path)


CASES = {
    "verl-chat-template": ("rl.jsonl", _verl, "reference"),
    "long-form-prompt-with-id": ("rl.jsonl", _long_form, "id"),
    "lm-eval-unusual-field": ("org__Rl", _lm_eval, "id"),
    "trl-text-and-messages": ("rl.parquet", _trl, r"(A crate|Compute|Find|How many primes)"),
}


@pytest.mark.skipif(not SHARED_DATA.is_dir(), reason="other people's files are not there")
@pytest.mark.parametrize("case", CASES)
def test_the_pairing_cases_with_templates_that_nobody_can_take_off(case: str, tmp_path: Path, run_passk: Passk) -> None:
    name, disguise, by = CASES[case]
    folder = tmp_path / case
    shutil.copytree(SHARED_DATA / "cases" / "pairing" / case, folder)
    rl = folder / name
    for path in rl.glob("*.jsonl") if rl.is_dir() else [rl]:
        disguise(path)
    (base,) = (path for path in folder.iterdir() if "base" in path.name.lower())
    store = ("--store", tmp_path / "s.passk")
    for path, model in ((base, "base"), (rl, "rl")):
        report = run_passk("import", path, "--model", model, "--role", model, "--benchmark", "b", *store)
    names = [run["run"] for run in run_passk("runs", *store, "--format", "json").json]
    assert len(names) == 2
    listed = run_passk("match", *names, *store, "--format", "json")
    assert not any(row["matched"] for row in listed.json)
    total = len(listed.json) // 2
    if by in ("id", "reference"):
        command = f"passk match {names[0]} {names[1]} --by {by}"
        assert command in report.stderr and command in listed.stderr, report.stderr
        assert command in run_passk("sets", "--base", names[0], "--rl", names[1], *store).stderr
        assert command in run_passk("difference", "--base", names[0], "--rl", names[1], *store).stderr
    tried = run_passk("match", *names, "--by", by, "--dry-run", *store, "--format", "csv")
    assert len(tried.csv) == total and "nothing was written" in tried.stderr
    said = run_passk("match", *names, "--by", by, *store)
    sets = run_passk("sets", "--base", names[0], "--rl", names[1], *store, "--format", "json").json
    assert len(sets["problems"]) == total
    (decision,) = run_passk("imports", "--decisions", *store, "--format", "json").json
    assert f"passk undo {decision['decision']}" in said.stderr and decision["kind"] == "match"
    run_passk("undo", decision["decision"], "--yes", *store)
    assert not any(row["matched"] for row in run_passk("match", *names, *store, "--format", "json").json)
    run_passk("redo", decision["decision"], "--yes", *store)
    rows = run_passk("match", *names, *store, "--format", "json").json
    assert len(rows) == total and {row["decision"] for row in rows} == {decision["decision"]}


# Killed in the middle


def test_killed_while_a_match_is_written_it_is_there_whole_or_not_at_all(run_passk: Passk) -> None:
    size = 2_000
    for model, words in (("base", "Find {}."), ("rl", "{} it is, pupil; say {}")):
        lines = [
            {"id": f"q{i}", "statement": words.format(i, i * 7), "response": "x", "correct": i % 2 == 0}
            for i in range(size)
        ]
        path = jsonl(run_passk.folder / f"{model}.jsonl", lines)
        run_passk("import", path, "--model", model, "--role", model, "--benchmark", "b", "--store", "s.passk")
    layout = StoreLayout(run_passk.folder / "s.passk")
    rng = Random(5)
    whole = killed = 0
    for _ in range(12):
        process = run_passk.start("match", "base@b", "rl@b", "--by", "id", "--store", "s.passk", "--format", "csv")
        try:
            process.communicate(timeout=rng.uniform(0.3, 1.2))
        except Exception:
            process.send_signal(signal.SIGKILL)
            process.communicate()
            killed += 1
        with reading(layout) as reader:
            shared = len(solve_sets(reader, run_pair(reader)).problems)
            assert shared in (0, size)
            if shared:
                whole += 1
                undo(reader, reader.database.decided.counting[-1].part)
    assert killed
    run_passk("match", "base@b", "rl@b", "--by", "id", "--store", "s.passk")
    with reading(layout) as reader:
        assert len(solve_sets(reader, run_pair(reader)).problems) == size


# Against an independent join

cells = st.lists(st.booleans(), min_size=1, max_size=4)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    base=st.dictionaries(st.integers(0, 7), cells, min_size=1),
    rl=st.dictionaries(st.integers(0, 7), cells, min_size=1),
    seed=st.integers(0, 2**16),
)
def test_any_match_gives_what_an_independent_join_gives(
    base: dict[int, list[bool]], rl: dict[int, list[bool]], seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("join")
    layout = StoreLayout(folder / "s.passk")
    order = Random(seed)
    for model, outcomes in (("base", base), ("rl", rl)):
        lines = [
            {
                "id": f"{model}-{problem}",
                "statement": f"{model} {problem * 97 % 89} asks of {problem}",
                "response": f"{model} {problem} {i}",
                "correct": correct,
            }
            for problem, verdicts in outcomes.items()
            for i, correct in enumerate(verdicts)
        ]
        order.shuffle(lines)
        imported(layout, jsonl(folder / f"{model}.jsonl", lines), model=model, role=model)
    shared = sorted(base.keys() & rl.keys())
    pairs = csv_file(folder / "p.csv", ["base", "rl"], [(f"base-{p}", f"rl-{p}") for p in shared])
    with reading(layout) as reader:
        before = numbers_of_counts(reader)
        if not shared:
            with pytest.raises(UsageError, match="Nothing more"):
                match(reader, *run_pair(reader), str(pairs))
            return
        match(reader, *run_pair(reader), str(pairs))
        found = solve_sets(reader, run_pair(reader))
        wanted = sorted(
            ((len(base[p]), sum(base[p])), (len(rl[p]), sum(rl[p])), (any(base[p]), any(rl[p]))) for p in shared
        )
        assert sorted((*((t.n, t.c) for t in p.tallies), p.solved) for p in found.problems) == wanted
        assert found.not_compared.total == len(base) + len(rl) - 2 * len(shared)
        assert numbers_of_counts(reader) == before, "each run's own curve is what it was"


def numbers_of_counts(reader: Reader) -> list[Any]:
    return [(curve.run.name, curve.points, curve.problems) for curve in curves(reader, run_pair(reader))]
