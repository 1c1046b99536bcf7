"""`passk verify`: verdicts for stored samples, beside what they came with; tallies always add up."""

from __future__ import annotations

import signal
import time
from collections.abc import Collection
from importlib.util import find_spec
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backend import Reader, merge, open_store, rebuild_tallies, use_verdicts, verdicts_of, verify
from backend.errors import UsageError
from backend.records.samples import GivenVerdict, Verification
from backend.store.layout import StoreLayout
from backend.verification import _verifying_alone
from tests.support import Attempt, Passk, imported, jsonl, runs_of, verdicts, with_reader, write_part


def rows(problems: int = 3, samples: int = 4, **fields: object) -> list[dict[str, object]]:
    """Sample i of problem p is right when i < p; nobody has said so yet."""
    return [
        {
            "task_id": f"p{p}",
            "question": f"What is {p}?",
            "reference": str(p),
            "completion": f"I think \\boxed{{{p if i < p else -1}}}",
            **fields,
        }
        for p in range(problems)
        for i in range(samples)
    ]


def verified(
    layout: StoreLayout, verifier: str | None = None, *, problems: Collection[str] | None = None, again: bool = False
) -> Verification:
    def work(reader: Reader) -> Verification:
        run = reader.run("m@b")
        keys = None if problems is None else {reader.problem_key(run.benchmark, name) for name in problems}
        return verify(reader, run, verifier=verifier, problems=keys, again=again)

    return with_reader(layout, work)  # type: ignore[no-any-return]


def every_verdict(layout: StoreLayout, problem: str, sample: int = 0) -> list[tuple[str | None, str, bool]]:
    def read(reader: Reader) -> tuple[GivenVerdict, ...]:
        return verdicts_of(reader, reader.run("m@b"), reader.problem_key("b", problem), sample)

    return [(v.verifier, v.verdict, v.used) for v in with_reader(layout, read)]


def adds_up(layout: StoreLayout, *, merging: bool = True) -> list[tuple[int, ...]]:
    """The tallies that readers see; they are those of the outcomes that readers see."""
    database = open_store(layout, merging=merging)
    try:
        cursor = database.cursor()
        kept = cursor.execute("SELECT run_key, problem_key, n, c, unverified FROM tallies ORDER BY ALL").fetchall()
        counted = cursor.execute(
            "SELECT run_key, problem_key, count(*) FILTER (verdict <> 'unverified'), "
            "count(*) FILTER (verdict = 'correct'), count(*) FILTER (verdict = 'unverified') "
            "FROM outcomes GROUP BY ALL ORDER BY ALL"
        ).fetchall()
        assert kept == counted
        cursor.close()
        return kept
    finally:
        database.close()


def test_samples_without_a_verdict_get_one(store: StoreLayout, tmp_path: Path) -> None:
    imported(store, jsonl(tmp_path / "a.jsonl", rows()))
    assert runs_of(store)["m@b"].unverified == 12
    done = verified(store, "number")
    assert (done.verifier, done.wanted, done.judged, done.unused) == ("number", 12, 12, 0)
    assert done.changes == {("unverified", "correct"): 3, ("unverified", "wrong"): 9}
    run = runs_of(store)["m@b"]
    assert (run.samples, run.correct, run.unverified, run.n_min, run.solvable) == (12, 3, 0, 4, 2)
    assert verdicts(store, "p2") == ["correct", "correct", "wrong", "wrong"]
    assert every_verdict(store, "p1") == [(None, "unverified", False), ("number", "correct", True)]
    before = adds_up(store)
    rebuild_tallies(store)
    assert adds_up(store) == before


def test_a_second_call_has_nothing_to_do(store: StoreLayout, tmp_path: Path) -> None:
    imported(store, jsonl(tmp_path / "a.jsonl", rows()))
    verified(store, "number")
    before = adds_up(store)
    assert verified(store, "number") == Verification("m@b", None, None, 0, 0, 0, {}, 0)
    assert adds_up(store) == before


def test_again_keeps_the_imported_verdict_beside(store: StoreLayout, tmp_path: Path) -> None:
    """The file says that all are right; the verifier says otherwise, and then another one."""
    imported(store, jsonl(tmp_path / "a.jsonl", rows(correct=True)))
    assert verified(store, "number").judged == 0
    done = verified(store, "number", again=True)
    assert done.changes == {("correct", "correct"): 3, ("correct", "wrong"): 9}
    verified(store, "exact", again=True)
    assert every_verdict(store, "p0") == [
        (None, "correct", False),
        ("number", "wrong", False),
        ("exact", "wrong", True),
    ]
    assert runs_of(store)["m@b"].correct == 3
    before = adds_up(store)
    rebuild_tallies(store)
    assert adds_up(store) == before


def test_back_to_what_the_samples_came_with(store: StoreLayout, tmp_path: Path) -> None:
    imported(store, jsonl(tmp_path / "a.jsonl", rows(correct=True)))
    verified(store, "number", again=True)

    def back(name: str, problems: Collection[int] | None = None) -> Verification:
        def work(reader: Reader) -> Verification:
            return use_verdicts(reader, reader.run("m@b"), name, problems=problems)

        return with_reader(store, work)  # type: ignore[no-any-return]

    assert back("imported").changes == {("correct", "correct"): 3, ("wrong", "correct"): 9}
    assert runs_of(store)["m@b"].correct == 12
    assert back("number").changes == {("correct", "correct"): 3, ("correct", "wrong"): 9}
    assert runs_of(store)["m@b"].correct == 3
    with pytest.raises(UsageError, match="m@b has no verdicts of exact beside"):
        back("exact")
    before = adds_up(store)
    rebuild_tallies(store)
    assert adds_up(store) == before


def test_only_some_problems(store: StoreLayout, tmp_path: Path) -> None:
    imported(store, jsonl(tmp_path / "a.jsonl", rows()))
    assert verified(store, problems=["p1", "p2"]).judged == 8
    assert verdicts(store, "p0") == ["unverified"] * 4
    assert runs_of(store)["m@b"].without_verdict == 1
    adds_up(store)


def test_what_cannot_be_judged_keeps_its_verdict(store: StoreLayout, tmp_path: Path) -> None:
    """No reference answer, a reference that is no number, no stored text."""
    given_rows = [
        {**row, "reference": {"p0": "", "p1": "many", "p2": "2"}[str(row["task_id"])], "correct": True}
        for row in rows()
    ]
    imported(store, jsonl(tmp_path / "a.jsonl", given_rows))
    done = verified(store, "number", again=True)
    assert (done.judged, done.unused) == (12, 8)
    assert verdicts(store, "p0") == verdicts(store, "p1") == ["correct"] * 4
    assert [verdict for _, verdict, used in every_verdict(store, "p1") if not used] == ["error"]
    textless = [{key: value for key, value in row.items() if key != "completion"} | {"correct": True} for row in rows()]
    imported(store, jsonl(tmp_path / "b.jsonl", textless))
    done = verified(store, again=True, problems=["p2"])
    assert (done.wanted, done.judged, done.without_text) == (8, 4, 4)
    adds_up(store)


def test_nothing_tells_how(store: StoreLayout, tmp_path: Path) -> None:
    without = [{**row, "reference": None} for row in rows()]
    imported(store, jsonl(tmp_path / "a.jsonl", without))
    with pytest.raises(UsageError, match="Nothing tells how to verify samples of b"):
        verified(store)
    with pytest.raises(UsageError, match="There is no verifier nobody"):
        verified(store, "nobody")


def test_in_processes(store: StoreLayout, tmp_path: Path) -> None:
    """A verifier that is not cheap judges in processes with deadlines."""
    if find_spec("math_verify") is None:
        pytest.skip("the verifier math needs math-verify: pip install 'passk-explorer[verify]'")
    imported(store, jsonl(tmp_path / "a.jsonl", rows()))
    assert verified(store, "math").changes == {("unverified", "correct"): 3, ("unverified", "wrong"): 9}
    adds_up(store)


def test_nobody_else_meanwhile(store: StoreLayout, tmp_path: Path) -> None:
    imported(store, jsonl(tmp_path / "a.jsonl", rows()))
    database = open_store(store)
    try:
        with Reader(database) as reader:
            run = reader.run("m@b")
            with _verifying_alone(reader, run), pytest.raises(UsageError, match="verifying the samples of m@b already"):
                verify(reader, run)
            # On a file system without locks the other one is found at the end.
            other = open_store(store)

            def meanwhile(done: int, total: int) -> None:
                if done == 1:
                    with Reader(other) as second, pytest.MonkeyPatch.context() as patch:
                        patch.setattr("fcntl.flock", lambda *_: None)
                        verify(second, second.run("m@b"))

            try:
                with pytest.raises(UsageError, match="Somebody else gave verdicts to m@b meanwhile"):
                    verify(reader, run, progress=meanwhile)
            finally:
                other.close()
    finally:
        database.close()
    assert runs_of(store)["m@b"].correct == 3
    adds_up(store)


def test_verdicts_wait_for_the_job_that_draws_their_samples(store: StoreLayout) -> None:
    """Statistics are rebuilt from what is merged; a verdict is not merged before its sample."""
    attempts = [Attempt("x", i, "unverified", "\\boxed{42}") for i in range(2)]
    write_part(store, "20260101-a", attempts, provisional=True)
    verified(store, "number")
    before = adds_up(store)
    assert before[0][2:] == (2, 2, 0)
    rebuild_tallies(store)
    assert adds_up(store) == before
    write_part(store, "20990101-b", attempts, supersedes=["20260101-a"])
    assert adds_up(store, merging=False) == before
    merge(store)
    assert not list(store.parts.iterdir())
    rebuild_tallies(store)
    assert adds_up(store) == before


STEPS = st.lists(
    st.sampled_from(["draw", "number", "exact", "number again", "exact again", "merge", "rebuild"]),
    min_size=2,
    max_size=7,
)


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps=STEPS, seed=st.integers(0, 2**32))
def test_tallies_add_up_whatever_happens(tmp_path_factory: pytest.TempPathFactory, steps: list[str], seed: int) -> None:
    store = StoreLayout(tmp_path_factory.mktemp("sequence") / "s.passk")
    store.create()
    random = Random(seed)
    first = 0
    for number, step in enumerate(["draw", *steps]):
        if step == "draw":
            size = random.randint(1, 4)
            attempts = [
                Attempt(
                    random.choice("xy"),
                    first + i,
                    random.choice(["unverified", "correct", "wrong"]),
                    random.choice(["\\boxed{42}", "\\boxed{42.0}", "\\boxed{7}", "", None]),
                )
                for i in range(size)
            ]
            first += size
            write_part(store, f"2026010{number}-part", attempts)
        elif step == "merge":
            merge(store)
        elif step == "rebuild":
            before = adds_up(store)
            rebuild_tallies(store)
            assert adds_up(store) == before
        else:
            verifier, _, again = step.partition(" ")
            verified(store, verifier, again=bool(again))
        adds_up(store, merging=random.random() < 0.5)


def test_killed_ten_times(run_passk: Passk) -> None:
    """What is visible is all of a judgement or nothing, and a later call does the rest."""
    many = rows(problems=400, samples=25)
    imported(StoreLayout(run_passk.folder / "store.passk"), jsonl(run_passk.folder / "a.jsonl", many))
    layout = StoreLayout(run_passk.folder / "store.passk")
    random, killed, changed = Random(7), 0, 0
    started = time.monotonic()
    run_passk("verify", "--run", "m@b", "--problems", "p1")
    least = time.monotonic() - started
    for number in range(10):
        verifier = ("number", "exact")[number % 2]
        command = run_passk.start("verify", "--run", "m@b", "--again", "--verifier", verifier)
        time.sleep(least * (0.3 + 0.25 * number) + random.random() * 0.1)
        command.send_signal(signal.SIGKILL)
        command.communicate()
        killed += command.returncode == -signal.SIGKILL
        found = adds_up(layout)
        judged = sum(n for _, _, n, _, _ in found)
        assert judged in (25, 10_000), "all or nothing"
        changed += judged == 10_000
    assert killed >= 3, "or the delays are wrong"
    run_passk("verify", "--run", "m@b")
    found = adds_up(layout)
    assert (sum(row[2] for row in found), sum(row[4] for row in found)) == (10_000, 0)


def test_the_command(run_passk: Passk) -> None:
    jsonl(run_passk.folder / "a.jsonl", rows())
    run_passk("import", "a.jsonl", "--model", "m", "--benchmark", "b")
    done = run_passk("verify", "--run", "m", "--problems", "p2", "--format", "json")
    assert done.json == [
        {"run": "m@b", "before": "unverified", "now": "correct", "samples": 2},
        {"run": "m@b", "before": "unverified", "now": "wrong", "samples": 2},
    ]
    assert "only 1 of 3 problems" in done.stderr
    assert "4 of 4 samples without a verdict verified by math 2" in done.stderr
    assert "math, because math-verify is installed here; --verifier names another" in done.stderr
    assert len(run_passk("verify", "--run", "m", "--format", "csv").csv) == 2
    assert "nothing to verify; --again" in run_passk("verify", "--run", "m").stderr
    assert "no verifier nobody" in run_passk("verify", "--run", "m", "--again", "--verifier", "nobody", status=1).stderr
