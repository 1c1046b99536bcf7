"""Perplexity on the screens: groups, samples, tokens; with real scores of the shipped models."""

from __future__ import annotations

import json
import re
from math import exp, log
from pathlib import Path

import pytest

from backend import Job, Reader, TextChoice, jobs_of, plan_logprobs, read_configuration, token_logprobs
from backend.engines.registry import load_engine
from backend.jobs.logprobs import score
from backend.records.reading import TokenLogprobs
from backend.store.identity import run_key
from backend.store.layout import StoreLayout
from backend.store.part_writer import PartWriter
from explorer.location import Location
from explorer.render.perplexity import Axis
from explorer.render.surprise import SURPRISING, UNLIKELY, Surprise, SurpriseView, pieces_cover, probability
from explorer.render.text import to_visible
from explorer.screens.path import PathScreen
from explorer.screens.perplexity import PerplexityScreen
from explorer.widgets.text_view import TextView
from tests.explorer.driving import SIZES, Driver, explorer, import_into, until
from tests.explorer.hostile import NASTY, hostile_store, stored
from tests.explorer.test_hostile import check
from tests.support import jsonl, with_reader

BASE, RL = "countdown-base@countdown", "countdown-rl-150@countdown"
PLACE = Location(benchmark="countdown", runs=(BASE, RL))
FEW = ["c000", "c001", "c002", "c003"]


@pytest.fixture(scope="module")
def scored_store(made: Path, models: Path) -> StoreLayout:
    """Samples of base and RL model, both scored under base token by token; nothing under the RL model."""
    import pyarrow.parquet as pq

    layout = StoreLayout(made / "scored.passk")
    for run in (BASE, RL):
        file = models.parent / "samples" / f"{run}.parquet"
        rows = pq.read_table(file, filters=[("problem", "in", FEW), ("index", "<", 10)]).to_pylist()
        import_into(layout, [jsonl(made / f"{run}.jsonl", rows)])
    engine = load_engine(str(models / "countdown-base"), options={"device": "cpu", "dtype": "float32"})

    def plan(reader: Reader) -> object:
        wanted = TextChoice(tuple(reader.run(name) for name in (BASE, RL)), "countdown")
        return plan_logprobs(
            reader, "countdown-base", wanted, configuration=read_configuration(), engine="transformers", by_token=True
        ).plan

    score(layout, with_reader(layout, plan), engine, job="here")
    engine.close()
    return layout


def key_of(user: Driver, problem: str) -> int:
    with Reader(user.app.database) as reader:
        return reader.problem_key("countdown", problem)


async def to(user: Driver, screen: PerplexityScreen | PathScreen) -> None:
    await user.app.push_screen(screen)
    await user.idle()


@pytest.mark.parametrize("size", SIZES)
async def test_groups_of_a_benchmark(scored_store: StoreLayout, size: tuple[int, int]) -> None:
    async with explorer(scored_store, size) as user:
        await user.press("enter", "P")
        assert user.name == "PerplexityScreen"
        assert user.crumbs[-1] == "perplexity"
        assert user.column("responses") == ["base", "RL", "reference"] * 2
        assert user.column("under") == ["base"] * 3 + ["RL"] * 3
        assert user.column("n") == ["40", "40", "–", "–", "–", "–"]
        own, other = (float(cell) for cell in user.column("median")[:2])
        assert 1 < own < other
        boxes = user.column("box")
        for box in boxes[:2]:
            assert re.fullmatch(r"─*▒*┃▒*─*", box)
        assert boxes[2] == "not scored (s)"
        assert "base responses under base: median" in user.words("words")
        assert "n = 40 of 40 stored, 4 problems" in user.flat()
        assert set(user.words("histogram")) & set("▁▂▃▄▅▆▇█")
        await user.press("j")
        assert "% of them are no more perplexing to base than 95 % of its own samples" in user.flat()
        await user.press("j")
        assert "passk score --benchmark countdown --references --under countdown-base" in user.flat()
        await user.press("j")
        assert f"passk score --run {BASE} --under countdown-rl-150" in user.flat()
        await user.press("v")
        assert "only correct samples" in user.flat()
        assert user.table.cursor_key == f"countdown-rl-150\t{BASE}"
        await user.press("escape")
        assert user.name == "CurvesScreen"


async def test_counts_by_verdict_add_up_and_the_filter_holds(scored_store: StoreLayout) -> None:
    async with explorer(scored_store) as user:
        await to(user, PerplexityScreen(PLACE))
        counts = []
        for _ in range(3):
            counts.append([0 if n == "–" else int(n) for n in user.column("n")[:2]])
            await user.press("v")
        assert counts[0] == [40, 40]
        assert [right + other for right, other in zip(counts[1], counts[2], strict=True)] == counts[0]
        await user.press("f")
        await user.type("id=c001")
        await user.press("enter")
        assert user.column("n")[:2] == ["10", "10"]
        assert "n = 10 of 10 stored, 1 problem" in user.flat()


async def test_one_problem_and_its_samples(scored_store: StoreLayout) -> None:
    async with explorer(scored_store) as user:
        await user.press("enter", "enter", "enter")
        assert user.name == "ProblemScreen"
        assert [heading for heading in user.headings() if heading.startswith("ppl")] == ["ppl base"]
        values = [float(cell) for cell in user.column("ppl base")]
        assert len(values) == 10
        keys = [column.key for column in user.screen.columns]  # type: ignore[attr-defined]
        for _ in range(keys.index("ppl base")):
            await user.press("s")
        assert [float(cell) for cell in user.column("ppl base")] == sorted(values)
        assert "ppl base▲" in user.headings()
        await user.press("S")
        assert [float(cell) for cell in user.column("ppl base")] == sorted(values, reverse=True)
        await user.press("P")
        assert user.name == "PerplexityScreen"
        assert user.column("n")[:2] == ["10", "10"]
        await user.resize(120, 40)
        assert user.column("within")[0] != "–"


async def test_s_starts_a_job_that_scores_what_is_missing(
    scored_store: StoreLayout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import shutil

    layout = StoreLayout(tmp_path / "copy.passk")
    shutil.copytree(scored_store.root, layout.root)
    async with explorer(layout) as user:
        await to(user, PerplexityScreen(PLACE))
        await user.press("G", "k", "s")
        await until(lambda: "80 texts" in user.flat() or "40 texts" in user.flat())
        assert "Score under countdown-rl-150" in user.flat()
        assert "40 texts of 4 problems in float32" in user.flat()
        await user.press("right")
        await until(lambda: "80 texts" in user.flat())
        await user.press("left", "down", "2")
        await until(lambda: "8 texts" in user.flat())
        await user.press("down", "right")
        await until(lambda: "log-probability of every token" in user.flat() and "8 texts" in user.flat())
        await user.press("enter")
        await until(lambda: user.name == "PerplexityScreen")
        await until(lambda: "J shows it" in user.said())
        (job,) = jobs_of(layout)

        def ended(job: Job = job) -> bool:
            return job.status().state in ("finished", "failed")

        import asyncio

        for _ in range(600):
            if ended():
                break
            await asyncio.sleep(0.2)
        assert job.status().state == "finished", job.log.read_text()
        user.app.look_out()
        await until(lambda: user.column("n")[4] == "8")
        await user.press("J")
        assert f"{RL} under countdown-rl-150"[:20] in user.flat() or "under countdown-rl-150" in user.flat()


@pytest.mark.parametrize("size", SIZES)
async def test_surprise_in_the_reader(scored_store: StoreLayout, size: tuple[int, int]) -> None:
    async with explorer(scored_store, size) as user:
        key = key_of(user, "c000")
        with Reader(user.app.database) as reader:
            run = reader.run(RL)
            (scores,) = token_logprobs(reader, run, key, 3)
            text = reader.path(run, key, 3).text or ""
        await to(user, PathScreen(PLACE.to(problem=key, run=RL, sample=3), "c000"))
        view = user.find(TextView)
        before = user.lines()
        await user.press("full_stop")
        assert "Press t first to show token surprise" in user.said()
        await user.press("t")
        expected = [place for place, logprob in enumerate(scores.logprobs) if logprob < -log(20)]
        assert expected
        perplexity = exp(-sum(scores.logprobs) / len(scores.logprobs))
        counted = f"{len(expected)} of {len(scores.logprobs)} tokens with p < 0.05"
        assert f"under base (float32): perplexity {perplexity:.3f}, {counted}" in user.flat()
        starts = (0, *scores.ends[:-1])
        for place in expected[:4]:
            assert view.mark == (starts[place], scores.ends[place])
            assert f"token {place + 1} ‹{text[starts[place] : scores.ends[place]]}›" in user.words("surprise")
            assert "most likely: ‹" in user.words("surprise")
            await user.press("full_stop")
        looks = {look for _, _, look in view.painted.spans}
        assert {SURPRISING, UNLIKELY} <= looks
        assert view.painted.text.startswith(text), "the text itself stays as it is"
        await user.press("comma")
        await user.press("greater_than_sign")
        assert user.words("surprise").count("token") >= 1
        await user.press("minus")
        assert "p < 0.1" in user.words("surprise")
        await user.press("plus", "plus")
        assert "p < 0.02" in user.words("surprise")
        await user.press("T")
        assert "under one model only" in user.said()
        await user.press("right")
        assert "perplexity" in user.words("surprise"), "it stays on for the next sample"
        await user.press("left", "t")
        assert not user.find(TextView).painted.spans or SURPRISING not in {s[2] for s in view.painted.spans}
        assert [line for line in user.lines() if text[:20] in line] == [line for line in before if text[:20] in line]


async def test_without_scores_a_sentence_says_what_to_do(sums_store: StoreLayout) -> None:
    async with explorer(sums_store, (120, 40)) as user:
        await user.press("enter", "enter", "enter", "enter")
        assert user.name == "PathScreen"
        await user.press("t")
        assert "No token log-probabilities are stored for this path" in user.said()
        assert "passk score --run" in user.said()
        await user.press("escape", "P")
        assert all(box == "not scored (s)" for box in user.column("box"))
        await user.press("s")
        await until(lambda: "Where is the model" in user.flat() or "prompt" in user.flat())


def hostile_scores(layout: StoreLayout) -> None:
    """Scores by token for every nasty text: three characters a token, alternatives as nasty as the text."""

    def problems(reader: Reader) -> list[tuple[int, int, int, str]]:
        return [
            (run.key, path.problem_key, path.sample.index, path.text or "")
            for run in reader.runs()
            for (key, *_) in reader.rows("reads/problems_to_sample", benchmark=run.benchmark)
            for path in reader.paths(run, key)
        ]

    rows, sums = [], []
    for run, problem, sample, text in with_reader(layout, problems):
        ends = [*range(3, len(text), 3), *([len(text)] if text else []), len(text)]
        logprobs = [-0.01 if place % 5 else -7.0 for place in range(len(ends))]
        kept = [[[text[:40], -0.5], [NASTY["colour"], -7.0]] if logprob < -1 else [] for logprob in logprobs]
        rows.append((run, problem, sample, NASTY["title"], "float32", ends, logprobs, json.dumps(kept)))
        sums.append((run, problem, sample, NASTY["title"], "server", "float32", len(ends), sum(logprobs)))
    with PartWriter(layout, "scores", name="20990101-scores") as part:
        part.write("token_scores", rows)
        part.write("scores", sums)
        part.publish()


async def test_hostile_texts_and_half_a_million_characters(tmp_path: Path) -> None:
    layout = hostile_store(tmp_path)
    hostile_scores(layout)
    async with explorer(layout) as user:
        runs = await until(lambda: [run.name for run in Reader(user.app.database).runs()])
        place = Location(benchmark=Reader(user.app.database).run(runs[0]).benchmark, runs=tuple(runs))
        await to(user, PerplexityScreen(place))
        check(user)
        await user.press("j", "j", "j", "v", "s")
        await user.press("escape", "escape")
        with Reader(user.app.database) as reader:
            rows = reader.rows("reads/problems_to_sample", benchmark=place.benchmark)
        keys = {label.split(" ")[0]: key for key, label, *_ in rows}
        for number, (what, text) in enumerate(NASTY.items()):
            screen = PathScreen(place.to(problem=keys[str(number)], run=runs[0], sample=1), what)
            await to(user, screen)
            if not text:
                await user.press("escape")
                continue
            await user.press("t", "full_stop", "greater_than_sign", "minus")
            check(user)
            assert screen.surprise.on, what
            assert user.find(TextView).text == stored(text)
            # Every fifth token is surprising: to the second of them, and one token further.
            assert user.find(TextView).mark == (18, 21) or len(stored(text)) < 21, what
            await user.press("escape")


def test_pieces_join_the_tokens_of_one_character() -> None:
    scores = TokenLogprobs("m", "float32", (1, 1, 1, 2, 4, 4), (-0.1, -3.0, -0.5, -0.25, -1.0, -2.0), None)
    view = SurpriseView.of(scores)
    assert [(piece.start, piece.end, piece.token) for piece in view.pieces] == [
        (0, 1, 0),
        (1, 2, 1),
        (2, 4, 4),
        (4, 4, 5),
    ]
    assert view.pieces[1].logprob == pytest.approx(-3.75)
    assert sum(piece.logprob for piece in view.pieces) == pytest.approx(sum(scores.logprobs))
    assert pieces_cover(view.pieces, 4)
    assert not pieces_cover(view.pieces, 5), "scores of another text"
    assert view.surprising(20) == [1]
    assert view.perplexity == pytest.approx(exp(6.85 / 6))
    painted = view.painted(to_visible("a🙂bc"), 20)
    assert painted.spans == ((1, 2, SURPRISING), (2, 4, UNLIKELY))
    assert [view.at(position) for position in (0, 1, 2, 3)] == [0, 1, 2, 2]
    surprise = Surprise(one_in=5)
    surprise.take({}, [TokenLogprobs("m", "float32", (1, 2, 3, 4), (-0.1, -3.0, -0.1, -3.0), None)], size=4, top=0)
    assert surprise.piece == 1, "the first surprising one"
    assert [(surprise.to_surprising(1), surprise.piece) for _ in range(2)] == [(True, 3), (False, 3)]
    assert surprise.to_token(-1) and surprise.to_surprising(-1) and surprise.piece == 1


def test_probabilities_and_axes_in_words() -> None:
    assert [probability(value) for value in (0.0, -log(4), -log(100_000), -50.0)] == [
        "100.0 %",
        "25.0 %",
        "1 in 100,000",
        "below 1 in a billion",
    ]
    axis = Axis((1.0, 10.0, 100.0), 41)
    assert [axis.cell(value) for value in (0.5, 1.0, 10.0, 100.0, 1e9, float("inf"))] == [0, 0, 20, 40, 40, 40]
    assert axis.box((1.0, 10.0, 31.7, 100.0, 100.0)) == "─" * 20 + "▒" * 10 + "┃" + "▒" * 10
    assert len(axis.ticks()) <= 41
    assert axis.ticks().split()[0] == "1.00"


def test_a_key_in_the_store_is_the_runs(scored_store: StoreLayout) -> None:
    """The scores of a run are found by the run's key, whatever the model is called."""
    found = with_reader(
        scored_store, lambda reader: reader.rows("scores/scorers", run_keys=[run_key(BASE)], benchmark="")
    )
    assert found == [("countdown-base",)]
