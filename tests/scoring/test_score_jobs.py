"""Scoring as a user has it: `passk score` and `passk perplexity` with real models, killed, resumed, refused."""

from __future__ import annotations

import json
import random
import signal
import time
from collections import Counter
from math import exp
from pathlib import Path
from typing import Any

import pytest

from backend import Reader, find_job, open_store, token_logprobs
from backend.jobs.templates import render_prompt
from backend.store.layout import StoreLayout
from backend.store.parts import waiting_parts
from tests.support import Passk, jsonl

TEMPLATE = "{{ statement }}\n"
FIRST = ("--engine", "transformers", "--option", "device=cpu")


@pytest.fixture
def scorable(warm: Passk, models: Path) -> Passk:
    """store.passk has the run `mine@countdown`: samples of the base model as they were shipped, of three problems."""
    import pyarrow.parquet as pq

    shipped = models.parent / "samples" / "countdown-base@countdown.parquet"
    rows = pq.read_table(shipped, filters=[("problem", "in", ["c000", "c001", "c002"]), ("index", "<", 12)]).to_pylist()
    assert len(rows) == 36
    jsonl(warm.folder / "mine.jsonl", [{**row, "run": "mine@countdown", "model": "mine"} for row in rows])
    warm("import", "mine.jsonl")
    return warm


def layout_of(passk: Passk) -> StoreLayout:
    return StoreLayout(passk.folder / "store.passk")


def scores_in(layout: StoreLayout) -> list[tuple[Any, ...]]:
    """Every row of the table of scores that counts."""
    database = open_store(layout, merging=False)
    try:
        cursor = database.cursor()
        return cursor.execute("FROM scores ORDER BY ALL").fetchall()
    finally:
        database.close()


def token_rows(layout: StoreLayout) -> list[tuple[Any, ...]]:
    database = open_store(layout, merging=False)
    try:
        return database.cursor().execute("FROM token_scores ORDER BY run_key, problem_key, sample").fetchall()
    finally:
        database.close()


def score(passk: Passk, models: Path, *more: str, under: str = "countdown-base", status: int = 0) -> Any:
    return passk("score", "--under", models / under, *FIRST, *more, status=status)


def test_scores_agree_with_what_sampling_stored(scorable: Passk, models: Path) -> None:
    """The model's own samples: the same log-probabilities as when they were drawn (temperature 1 or not: before it)."""
    done = score(scorable, models, "--run", "mine", "--wait")
    assert "36 texts of 3 problems, mine@countdown under countdown-base, in float32" in done.stderr
    stored = {
        (line["problem"], line["index"]): (line["tokens"], line["logprob_sum"])
        for problem in ("c000", "c001", "c002")
        for line in scorable("paths", "--run", "mine", "--problem", problem).lines
    }
    found = scores_in(layout_of(scorable))
    assert {(row[3], row[4], row[5]) for row in found} == {("countdown-base", "transformers", "float32")}
    assert Counter(row[6] for row in found) == Counter(tokens for tokens, _ in stored.values())
    for (_, expected), row in zip(
        sorted(stored.values(), key=lambda of: of[1]), sorted(found, key=lambda row: row[7]), strict=True
    ):
        assert row[7] == pytest.approx(expected, abs=1e-3)
    table = scorable("perplexity", "--format", "json").json
    (group,) = table
    assert (group["responses"], group["under"], group["n"], group["problems"]) == (
        "mine@countdown", "countdown-base", 36, 3,
    )  # fmt: skip
    perplexities = sorted(exp(-total / tokens) for tokens, total in stored.values())
    assert group["median"] == pytest.approx((perplexities[17] * perplexities[18]) ** 0.5, rel=1e-4)
    again = score(scorable, models, "--run", "mine", "--wait")
    assert "All 36 texts are scored under countdown-base already" in again.stderr
    assert scores_in(layout_of(scorable)) == found
    assert scorable("jobs", "--format", "json").json[0]["run"] == "mine@countdown under countdown-base"


def test_tokens_come_later_and_sums_stay_once(scorable: Passk, models: Path) -> None:
    score(scorable, models, "--run", "mine", "--wait", "--problems", "id=c000")
    before = scores_in(layout_of(scorable))
    assert len(before) == 12
    score(scorable, models, "--run", "mine", "--wait", "--problems", "id=c000", "--tokens", "--alternatives", "2")
    assert scores_in(layout_of(scorable)) == before
    rows = token_rows(layout_of(scorable))
    assert len(rows) == 12
    sums = {row[:3]: (row[6], row[7]) for row in before}
    for row in rows:
        assert len(row[5]) == len(row[6]) == sums[row[:3]][0]
        assert sum(row[6]) == pytest.approx(sums[row[:3]][1], abs=1e-3)
        assert max(len(at) for at in json.loads(row[7])) == 2

    def read(reader: Reader) -> Any:
        run = reader.run("mine")
        key = reader.problem_key("countdown", "c000")
        return token_logprobs(reader, run, key, 3), reader.path(run, key, 3).text

    database = open_store(layout_of(scorable))
    try:
        with Reader(database) as reader:
            (found,), text = read(reader)
    finally:
        database.close()
    assert found.ends[-1] == found.ends[-2] == len(text), "the last token is the end of text"
    assert found.dtype == "float32"


def test_references_are_scored_after_the_runs_prompt(scorable: Passk, models: Path) -> None:
    references = models.parent / "references.jsonl"
    none = score(scorable, models, "--run", "mine", "--references", "--samples", "1", "--wait")
    assert "3 of 3 problems have no reference response" in none.stderr
    score(scorable, models, "--benchmark", "countdown", "--references", str(references), "--wait")
    rows = [row for row in scores_in(layout_of(scorable)) if row[0] == 0]
    assert len(rows) == 3
    from backend.engines.protocol import TextToScore
    from backend.engines.registry import load_engine

    given = {line["problem"]: line["text"] for line in map(json.loads, references.read_text().splitlines())}
    statements = {row["problem"]: row["statement"] for row in map(json.loads, (scorable.folder / "mine.jsonl").open())}
    engine = load_engine(str(models / "countdown-base"), options={"device": "cpu", "dtype": "float32"})
    items = [TextToScore(render_prompt(TEMPLATE, statements[label]), given[label]) for label in statements]
    expected = sorted(found.logprob_sum for found in engine.score(items))
    assert sorted(row[7] for row in rows) == pytest.approx(expected, abs=1e-4)
    groups = scorable("perplexity", "--format", "json").json
    assert {(group["responses"], group["n"]) for group in groups} == {("mine@countdown", 3), ("references", 3)}
    # Another response is another text: it does not pass for the one that was scored.
    jsonl(scorable.folder / "other.jsonl", [{"problem": "c000", "text": "Try sums: 1 + 1 = 2."}])
    score(scorable, models, "--benchmark", "countdown", "--references", "other.jsonl", "--wait")
    assert len([row for row in scores_in(layout_of(scorable)) if row[0] == 0]) == 4


def test_what_cannot_be_scored_is_said(scorable: Passk, models: Path) -> None:
    jsonl(
        scorable.folder / "foreign.jsonl",
        [{"question": "What is 1 + 1?", "completion": "It is 2.", "is_correct": True, "model": "f", "benchmark": "x"}],
    )
    scorable("import", "foreign.jsonl")
    unknown = score(scorable, models, "--run", "f@x", status=1)
    assert "The prompt of f@x is not known" in unknown.stderr
    assert "--template" in unknown.stderr
    given = score(scorable, models, "--run", "f@x", "--template", "plain", "--wait")
    assert "finished: 1 scored" in given.stderr
    other = score(scorable, models, "--run", "mine", "--template", "plain", status=1)
    assert "was sampled with another prompt template" in other.stderr
    assert "Which texts are to be scored?" in score(scorable, models, status=1).stderr
    nobody = scorable("score", "--run", "mine", "--under", "nobody", status=1)
    assert "There is no model nobody" in nobody.stderr
    nowhere = scorable("score", "--run", "mine", "--under", "mine", status=1)
    assert "Where is the model mine?" in nowhere.stderr
    missing = scorable("score", "--run", "mine", "--under", "mine", "--model", "/nowhere/model", status=1)
    assert "does not exist" in missing.stderr
    rough = score(scorable, models, "--run", "mine", "--samples", "1", "--dtype", "bfloat16", "--prepare")
    assert "Only float32" in rough.stderr


def test_a_text_longer_than_the_context_has_no_perplexity_and_is_not_tried_again(warm: Passk, models: Path) -> None:
    row = {"problem": "p", "statement": "Numbers: 3 5. Target: 8.", "verdict": "wrong", "model": "m", "benchmark": "b"}
    texts = ["Try sums: 3 + 5 = 8.", " 7" * 400, ""]
    rows = [row | {"text": text, "index": i, "template": TEMPLATE} for i, text in enumerate(texts)]
    jsonl(warm.folder / "long.jsonl", rows)
    warm("import", "long.jsonl")
    done = score(warm, models, "--run", "m@b", "--tokens", "--wait")
    assert "1 longer than context, 2 scored" in done.stderr
    (group,) = warm("perplexity", "--format", "json").json
    assert (group["n"], group["unfitting"], group["stored"]) == (1, 1, 3), "an empty text has no perplexity either"
    assert "scored under countdown-base already" in score(warm, models, "--run", "m@b", "--tokens").stderr


@pytest.mark.slow
def test_killed_at_any_moment_every_text_is_scored_once(warm: Passk, models: Path) -> None:
    """Kills with -9 while a job scores; afterwards the same scores as in a job that nobody disturbed."""
    warm("import", models.parent / "samples" / "countdown-rl-50@countdown.parquet")
    common = ("--run", "countdown-rl-50", "--samples", "4", "--tokens", "--option", "batch=8")
    folder = Path(score(warm, models, *common, "--prepare").stdout.strip())
    chance = random.Random(11)
    layout = layout_of(warm)
    job = find_job(layout, "last")
    killed = 0
    for _ in range(4):
        before = job.status().samples
        worker = warm.start("work", folder, OMP_NUM_THREADS="1")
        while worker.poll() is None and job.status().samples <= before:
            time.sleep(0.02)
        time.sleep(chance.uniform(0, 2))
        if worker.poll() is None:
            worker.send_signal(signal.SIGKILL)
            killed += 1
        worker.wait()
    assert killed
    partly = scores_in(layout)
    warm("work", folder, OMP_NUM_THREADS="1")
    found = scores_in(layout)
    assert len(found) == 800
    assert set(partly) <= set(found)
    assert len({row[:4] for row in found}) == 800
    assert len({row[:4] for row in token_rows(layout)}) == len(token_rows(layout)) == 800
    assert waiting_parts(layout) == [], "all merged"
    assert warm("jobs", "--format", "json").json[0]["samples"] == 800
    warm("import", models.parent / "samples" / "countdown-rl-50@countdown.parquet", "--store", "calm.passk")
    warm(
        "score", "--store", "calm.passk", "--run", "countdown-rl-50", "--samples", "4", "--under",
        models / "countdown-base", "--wait",
    )  # fmt: skip
    undisturbed = scores_in(StoreLayout(warm.folder / "calm.passk"))
    assert [row[:7] for row in found] == [row[:7] for row in undisturbed]
    assert [row[7] for row in found] == pytest.approx([row[7] for row in undisturbed], abs=1e-3)
