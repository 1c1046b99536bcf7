"""What is said of reasoning is kept, settles by a stated rule, and counts in CoT-pass@k and solve sets."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from math import comb
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backend import (
    JudgementBook,
    NewJudgement,
    Reader,
    all_judgements,
    check_steps,
    cot_curves,
    curves,
    export,
    judgements_of,
    judging_queue,
    merge,
    open_store,
    selected_problems,
    settled_judgements,
    solve_sets,
    valid_sets,
)
from backend import judgements as book
from backend.errors import UsageError
from backend.records import Run
from backend.records.exports import ExportRequest
from backend.records.reading import JUDGEMENTS
from backend.store.layout import StoreLayout
from tests.explorer.driving import import_into
from tests.support import Passk, jsonl

N = 40
RIGHT = {"base": [1, 20, 0], "rl": [1, 40, 1]}
"""Right samples of every problem; the first ones are right."""


def rows(run: str) -> Iterator[dict[str, object]]:
    for problem, c in enumerate(RIGHT[run]):
        for sample in range(N):
            # Every third path adds wrongly.
            total = 4 if sample % 3 else 5
            yield {
                "problem_id": f"p{problem}",
                "question": f"Question {problem}",
                "completion": f"2 + 2 = {total}. Answer: {sample}",
                "is_correct": sample < c,
                "model": run,
                "role": run,
                "benchmark": "sums",
            }


@pytest.fixture
def store(tmp_path: Path) -> StoreLayout:
    layout = StoreLayout(tmp_path / "judged.passk")
    for run in RIGHT:
        import_into(layout, [jsonl(tmp_path / f"{run}.jsonl", list(rows(run)))])
    return layout


@pytest.fixture
def reader(store: StoreLayout) -> Iterator[Reader]:
    database = open_store(store)
    with Reader(database) as reader:
        yield reader
    database.close()


def pair(reader: Reader) -> tuple[Run, Run]:
    return reader.run("base@sums"), reader.run("rl@sums")


def key(reader: Reader, label: str) -> int:
    return reader.problem_key("sums", label)


def say(reader: Reader, author: str, run: Run, label: str, sample: int, judgement: str | None, **more: str) -> None:
    said = JudgementBook(reader.database.layout, author, more.get("version"))
    said.say([NewJudgement(run.key, key(reader, label), sample, judgement, more.get("note"))])
    reader.database.refresh()


def test_every_judgement_is_kept_and_the_last_of_an_author_counts(reader: Reader) -> None:
    base, _ = pair(reader)
    for judgement in ("valid", "invalid", "unsure"):
        say(reader, "ann", base, "p0", 0, judgement, note=f"said {judgement}")
    say(reader, "ann", base, "p0", 0, None, note="[/b] a note \x1b[31m alone")
    said = judgements_of(reader, base, key(reader, "p0"), 0)
    assert [entry.judgement for entry in said] == ["valid", "invalid", "unsure", None]
    assert [entry.note for entry in said][-1] == "[/b] a note \x1b[31m alone"
    assert settled_judgements(reader, base, key(reader, "p0")) == {0: "unsure"}
    assert [entry.judgement.judgement for entry in all_judgements(reader, [base])] == [
        "valid",
        "invalid",
        "unsure",
        None,
    ]


@pytest.mark.parametrize(
    ("said", "settled"),
    [
        ([("ann", None, "valid")], "valid"),
        ([("ann", None, "valid"), ("bob", None, "valid")], "valid"),
        ([("ann", None, "valid"), ("bob", None, "invalid")], "unsure"),
        ([("arithmetic", "1", "invalid")], "invalid"),
        ([("arithmetic", "1", "invalid"), ("ann", None, "valid")], "valid"),
        ([("ann", None, "valid"), ("arithmetic", "1", "invalid")], "valid"),
        ([("arithmetic", "1", "valid"), ("other", "1", "invalid")], "unsure"),
        ([("arithmetic", "1", "invalid"), ("arithmetic", "2", "valid")], "valid"),
        ([("ann", None, "unsure"), ("arithmetic", "1", "valid")], "unsure"),
    ],
)
def test_persons_go_before_checkers_and_who_disagrees_is_unsure(
    reader: Reader, said: list[tuple[str, str | None, str]], settled: str
) -> None:
    base, _ = pair(reader)
    for author, version, judgement in said:
        more = {} if version is None else {"version": version}
        say(reader, author, base, "p1", 3, judgement, **more)
    assert settled_judgements(reader, base, key(reader, "p1")) == {3: settled}


def test_a_sitting_is_one_part_and_survives_a_merge(store: StoreLayout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(book, "KEPT_FOR", 0.0)
    database = open_store(store)
    with Reader(database) as reader:
        base, _ = pair(reader)
        problem = key(reader, "p1")
    database.close()
    sitting = JudgementBook(store, "ann")
    for sample in range(5):
        sitting.say([NewJudgement(base.key, problem, sample, "valid")])
    assert len([path for path in store.parts.iterdir() if "judgements" in path.name]) == 1
    assert not merge(store).skipped
    # Another process has merged what was said; the sitting goes on.
    for sample in range(5, 8):
        sitting.say([NewJudgement(base.key, problem, sample, "invalid")])
    database = open_store(store)
    with Reader(database) as reader:
        settled = settled_judgements(reader, base, problem)
        assert settled == {sample: "valid" if sample < 5 else "invalid" for sample in range(8)}
        assert len(all_judgements(reader, [base])) == 8
    database.close()


@pytest.mark.parametrize(("judgement", "note"), [("right", None), (None, None), (None, "  "), ("valid", "x" * 10_001)])
def test_what_is_no_judgement_is_refused_and_nothing_is_written(
    store: StoreLayout, judgement: str | None, note: str | None
) -> None:
    before = sorted(store.parts.iterdir())
    with pytest.raises(UsageError):
        JudgementBook(store, "ann").say([NewJudgement(1, 2, 3, judgement, note)])
    assert sorted(store.parts.iterdir()) == before


def test_the_queue_holds_right_paths_of_the_hardest_solvable_problems(reader: Reader) -> None:
    runs = pair(reader)
    queue = judging_queue(reader, runs, "ann")
    # p0 is 1 of 40 in both runs, p2 in RL only; p1 is easy.
    assert sorted((path.label, path.run, path.sample, path.c, path.n) for path in queue) == [
        ("p0", "base@sums", 0, 1, N),
        ("p0", "rl@sums", 0, 1, N),
        ("p2", "rl@sums", 0, 1, N),
    ]
    assert {path.mine for path in queue} == {None}
    say(reader, "ann", runs[0], "p0", 0, "invalid")
    say(reader, "bob", runs[1], "p0", 0, "valid")
    said = {(path.run, path.label): (path.mine, path.settled) for path in judging_queue(reader, runs, "ann")}
    assert said == {
        ("base@sums", "p0"): ("invalid", "invalid"),
        ("rl@sums", "p0"): (None, "valid"),
        ("rl@sums", "p2"): (None, None),
    }
    assert {path.label for path in judging_queue(reader, runs, "ann", problems={key(reader, "p2")})} == {"p2"}


def exact(n: int, c: int, k: int) -> float:
    return 1 - comb(n - c, k) / comb(n, k)


def test_cot_pass_at_k_lies_between_open_as_invalid_and_open_as_valid(reader: Reader) -> None:
    base, _ = pair(reader)
    for sample in range(6):
        say(reader, "ann", base, "p1", sample, ("valid", "valid", "invalid")[sample % 3])
    # A judgement of a wrong answer counts nowhere.
    say(reader, "ann", base, "p1", 39, "valid")
    [curve] = cot_curves(reader, [base])
    assert (curve.judged.right, curve.judged.valid, curve.judged.invalid, curve.judged.open) == (21, 4, 2, 15)
    for point in curve.points:
        assert point.low == pytest.approx(exact(N, 4, point.k) / 3)
        assert point.high == pytest.approx((exact(N, 1, point.k) + exact(N, 18, point.k)) / 3)
    [plain] = curves(reader, [base])
    assert [point.k for point in plain.points] == [point.k for point in curve.points]


def test_solve_sets_by_valid_paths(reader: Reader) -> None:
    runs = pair(reader)
    plain = solve_sets(reader, runs)
    found = valid_sets(reader, runs)
    assert found.sets.counts[False, False] == 3
    assert found.counts_if_open_valid == plain.counts
    assert found.open_problems == {problem.key for problem in plain.problems if any(problem.solved)}
    say(reader, "ann", runs[0], "p0", 0, "valid")
    say(reader, "ann", runs[1], "p0", 0, "invalid")
    found = valid_sets(reader, runs)
    assert found.sets.counts[True, False] == 1
    assert key(reader, "p0") not in found.open_problems
    assert [tally.c for tally in found.sets.problems[0].tallies] == [1, 0]
    assert found.judged[1].invalid == 1


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(JUDGEMENTS), min_size=20, max_size=20))
def test_when_all_is_settled_both_bounds_are_pass_at_k_of_the_valid(reader: Reader, said: list[str]) -> None:
    base, _ = pair(reader)
    problem = key(reader, "p1")
    JudgementBook(reader.database.layout, "ann").say(
        [NewJudgement(base.key, problem, sample, judgement) for sample, judgement in enumerate(said)]
    )
    reader.database.refresh()
    [curve] = cot_curves(reader, [base], problems={problem})
    valid, unsure = said.count("valid"), said.count("unsure")
    for point in curve.points:
        assert point.low == pytest.approx(exact(N, valid, point.k))
        assert point.high == pytest.approx(exact(N, valid + unsure, point.k))


def test_a_step_checker_finds_right_answers_with_wrong_reasoning(reader: Reader) -> None:
    base, _ = pair(reader)
    found = check_steps(reader, base)
    # Samples 0, 3, 6 ... add wrongly; 1 and 20 are right.
    wrong = len(range(0, 1, 3)) + len(range(0, 20, 3))
    assert found == {"valid": 21 - wrong, "invalid": wrong}
    assert check_steps(reader, base) == {}, "what this version has judged is not judged again"
    everything = check_steps(reader, base, only_right=False)
    assert sum(everything.values()) == 3 * N - 21
    [said] = judgements_of(reader, base, key(reader, "p0"), 0)
    assert (said.author, said.version, said.judgement) == ("arithmetic", "1", "invalid")
    assert said.note == "Step 1: 2 + 2 = 5, but the left side is 4."


@pytest.mark.parametrize(
    ("selector", "meant"),
    [
        # Of base, p0 has a wrong path among its right ones, p1 both kinds, p2 no right one; rl has not been looked at.
        ("judged:invalid", {"p0", "p1"}),
        ("base.judged:valid", {"p1"}),
        ("judged:valid", {"p1", "p2"}),
        ("JUDGED:Unsure", {"p1"}),
        ("base.judged:none", {"p1"}),
        ("rl.judged:none,unsure", {"p0", "p1"}),
        ("judged:invalid rl.judged:none", {"p0", "p1"}),
        ("rl.judged:invalid", set()),
    ],
)
def test_right_answers_with_wrong_reasoning_can_be_filtered(reader: Reader, selector: str, meant: set[str]) -> None:
    base, rl = pair(reader)
    check_steps(reader, base, problems={key for key, label in reader.labels("sums").items() if label == "p0"})
    key = reader.problem_key("sums", "p1")
    said = [*(["valid", "invalid", "unsure"] * 6), "valid"]
    person = JudgementBook(reader.database.layout, "ann")
    person.say(NewJudgement(base.key, key, sample, judgement) for sample, judgement in enumerate(said))
    person.say([NewJudgement(rl.key, reader.problem_key("sums", "p2"), 0, "valid")])
    # A path that is not right counts for nothing, whatever is said of it.
    person.say([NewJudgement(rl.key, key, 39, "unsure"), NewJudgement(base.key, key, 30, "invalid")])
    reader.database.refresh()
    keys = selected_problems(reader, [base, rl], selector)
    assert keys is not None
    # In the RL run every path of p1 is right, so that the last one is too: unsure.
    assert {reader.labels("sums")[key] for key in keys} == meant


def test_a_judgement_that_does_not_exist(reader: Reader) -> None:
    with pytest.raises(UsageError, match="judged:sound: there is no such judgement"):
        selected_problems(reader, list(pair(reader)), "judged:sound")


def test_exports_count_what_is_judged(store: StoreLayout, reader: Reader, tmp_path: Path) -> None:
    base, rl = pair(reader)
    check_steps(reader, base)
    request = ExportRequest("sets", "jsonl", (base.name, rl.name))
    export(reader, request, tmp_path / "plain.jsonl")
    plain = [json.loads(line) for line in (tmp_path / "plain.jsonl").read_text().splitlines()]
    assert {row[f"{role}_{kind}"] for row in plain for role in ("base", "rl") for kind in JUDGEMENTS} == {None}
    export(reader, replace(request, judged=True), tmp_path / "sets.jsonl")
    rows = [json.loads(line) for line in (tmp_path / "sets.jsonl").read_text().splitlines()]
    # Of the first twenty paths, those whose number divides by three add wrongly: seven.
    assert [(row["base_valid"], row["base_invalid"], row["base_unsure"]) for row in rows] == [
        (0, 1, 0),
        (13, 7, 0),
        (0, 0, 0),
    ]
    assert {row[f"rl_{kind}"] for row in rows for kind in JUDGEMENTS} == {0}


def test_the_commands(store: StoreLayout, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    passk = Passk(tmp_path, tmp_path / "home", {"PASSK_AUTHOR": "ann"})
    one = ("--store", store.root, "--run", "base@sums")
    done = passk("judge", *one, "--problem", "p0", "--sample", 0, "--judgement", "valid", "--note", "sound")
    assert "ann: valid on sample 0 of problem p0" in done.stderr
    checked = passk("judge", "--store", store.root, "--run", "rl@sums", "--checker", "arithmetic")
    assert "42 correct paths judged by arithmetic: 26 valid, 16 invalid, 0 unsure" in checked.stderr
    listed = [json.loads(line) for line in passk("judgements", "list", *one).stdout.splitlines()]
    assert [(row["author"], row["judgement"], row["note"], row["verdict"]) for row in listed] == [
        ("ann", "valid", "sound", "correct")
    ]
    queue = passk("judgements", "queue", "--store", store.root)
    assert "3 correct paths of problems with 0 < c/n < 5 %: 3 judged, 1 by ann" in queue.stderr
    points = passk("judgements", "curves", "--store", store.root, "--run", "rl@sums", "--format", "json").json
    assert points[0]["points"][0]["cot_low"] == pytest.approx(26 / N / 3)
    sets = passk(
        "judgements", "sets", "--store", store.root, "--base", "base@sums", "--rl", "rl@sums", "--format", "json"
    ).json
    # Sample 0 adds wrongly, which settles p0 and p2 in RL.
    counts = {row["set"]: row["problems"] for row in sets["sets"]}
    assert counts == {"both": 0, "base_only": 1, "rl_only": 1, "neither": 1}
    assert sets["open_problems"] == ["p1"]
    assert (
        "no sample 99"
        in passk("judge", *one, "--problem", "p0", "--sample", 99, "--judgement", "valid", status=1).stderr
    )
    assert "What is to be judged?" in passk("judge", *one, status=1).stderr
    assert "no step checker" in passk("judge", *one, "--checker", "nobody", status=1).stderr
