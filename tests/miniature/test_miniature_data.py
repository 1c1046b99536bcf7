"""What is shipped in sample_data/: problems, models, samples, counts, and the numbers of its README."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from backend.engines.protocol import sample_seed
from sample_data.recipe import choice, config, countdown, problems, sampling, ship, table

DATA = Path(__file__).resolve().parent.parent.parent / "sample_data"
CONFIG = config.load()
pytestmark = pytest.mark.skipif(not (DATA / "samples").is_dir(), reason="sample_data/samples is not here")
parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed")


@pytest.fixture(scope="module")
def runs():
    return sampling.plan(CONFIG, choice.read(DATA / "choice.json"), everything=True)


@pytest.fixture(scope="module")
def known():
    return {p.id: p for p in problems.read(DATA / "problems.jsonl")}


def size(path):
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())


def test_the_shipped_problems_are_those_of_the_configuration(known):
    heldout, development = problems.benchmark(CONFIG)
    assert list(known.values()) == heldout
    assert problems.read(DATA / "development.jsonl") == development


def test_everything_is_small():
    assert size(DATA / "samples") + (DATA / "problems.jsonl").stat().st_size <= 15_000_000
    for model in (DATA / "models").iterdir():
        assert size(model) <= 2_000_000, model.name


def test_every_model_is_a_plain_hugging_face_folder(runs):
    assert {path.name for path in (DATA / "models").iterdir()} == {run.model for run in runs}
    for model in (DATA / "models").iterdir():
        shape = json.loads((model / "config.json").read_text(encoding="utf-8"))
        assert shape["architectures"] == ["LlamaForCausalLM"]
        assert shape["dtype"] == "bfloat16"
        assert shape["hidden_size"] // shape["num_attention_heads"] == 32
        for name in (
            "model.safetensors",
            "tokenizer.json",
            "tokenizer_config.json",
            "generation_config.json",
        ):
            assert (model / name).is_file()


def test_at_least_four_rl_steps_are_shipped():
    assert len([path for path in (DATA / "models").iterdir() if path.name.startswith("countdown-rl-")]) >= 4


def test_there_is_one_file_a_run(runs):
    assert {path.stem for path in (DATA / "samples").iterdir()} == {run.name for run in runs}


def test_every_file_has_the_columns_and_rows_it_should(runs, known):
    for run in runs:
        rows = parquet.read_table(DATA / "samples" / f"{run.name}.parquet")
        assert rows.schema.equals(sampling.schema())
        assert len(rows) == len(known) * run.n
        for column, value in {
            "run": run.name,
            "model": run.model,
            "role": run.role,
            "from_model": run.from_model,
            "step": run.step,
            "algorithm": run.algorithm,
            "benchmark": "countdown",
            "template": run.template,
            "temperature": run.params.temperature,
            "top_p": run.params.top_p,
            "max_tokens": run.params.max_tokens,
        }.items():
            assert rows[column].unique().to_pylist() == [value], (run.name, column)
        place = rows.select(["problem", "index"]).to_pylist()
        assert [(r["problem"], r["index"]) for r in place] == [(p, i) for p in known for i in range(run.n)]


def test_statement_level_and_metadata_are_those_of_the_problem(runs, known):
    columns = ["problem", "statement", "reference", "level", "metadata"]
    for run in runs:
        rows = parquet.read_table(DATA / "samples" / f"{run.name}.parquet", columns=columns).to_pylist()
        for problem, statement, reference, level, metadata in {tuple(row.values()) for row in rows}:
            facts = known[problem]
            assert (statement, reference, level) == (facts.statement, facts.reference, facts.level)
            assert json.loads(metadata) == facts.metadata()


def test_every_seed_follows_from_its_place_and_none_repeats(runs):
    seen = Counter()
    for run in runs:
        rows = parquet.read_table(DATA / "samples" / f"{run.name}.parquet", columns=["problem", "index", "seed"])
        for row in rows.to_pylist():
            assert row["seed"] == sample_seed(run.name, row["problem"], row["index"])
            seen[row["seed"]] += 1
    assert seen.most_common(1)[0][1] == 1


def test_tokens_reasons_and_sums_make_sense(runs):
    columns = ["tokens", "finish_reason", "logprob_sum", "max_tokens", "verdict", "answer", "text"]
    for run in runs:
        for row in parquet.read_table(DATA / "samples" / f"{run.name}.parquet", columns=columns).to_pylist():
            assert 1 <= row["tokens"] <= row["max_tokens"]
            assert row["finish_reason"] == "stop" or row["tokens"] == row["max_tokens"]
            assert row["finish_reason"] in ("stop", "length")
            assert row["logprob_sum"] <= 0
            assert row["verdict"] in ("correct", "wrong", "no_answer", "truncated")
            assert row["answer"] is None or row["answer"] in row["text"]


def test_the_noreason_run_starts_in_the_answer_line(runs):
    (run,) = (run for run in runs if run.name.endswith("-noreason"))
    assert run.template == countdown.NOREASON_TEMPLATE
    texts = parquet.read_table(DATA / "samples" / f"{run.name}.parquet", columns=["text"])["text"].to_pylist()
    assert sum(text.startswith(" \\boxed{") for text in texts) / len(texts) > 0.95


def test_the_counts_of_the_first_seed_are_those_of_its_samples():
    known = json.loads((DATA / ship.SEEDS).read_text(encoding="utf-8"))
    assert known["0"]
    for name, counts in known["0"].items():
        assert counts == ship.count_correct(DATA / "samples" / f"{name}.parquet")


def test_the_choice_was_made_by_the_rule():
    picked = choice.read(DATA / "choice.json")
    assert picked.learning_rate == float(choice.best(picked.rates))
    rl = {name: score for name, score in picked.steps.items() if name.startswith("countdown-rl-")}
    assert sampling.rl_name(picked.step) == choice.best(rl)


def test_the_numbers_of_the_readme_are_those_of_the_command():
    readme = (DATA / "README.md").read_text(encoding="utf-8")
    assert table.between(readme) == table.render()
