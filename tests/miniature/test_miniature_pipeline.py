"""The whole recipe in miniature of the miniature: a few documents, two RL steps, a few samples, twice."""

from __future__ import annotations

import dataclasses
import json

import pytest

from sample_data.recipe import choice, config

pytest.importorskip("torch", reason="torch is not installed: pip install 'passk-explorer[recipe]'")
pytest.importorskip("trl", reason="trl is not installed: pip install 'passk-explorer[recipe]'")
pytest.importorskip("pyarrow", reason="pyarrow is not installed")
pytestmark = pytest.mark.slow


def small():
    whole = config.load()
    sizes = {"heldout_usual": 3, "heldout_five": 1, "heldout_rare": 1}
    sizes |= {"development_usual": 2, "development_five": 1, "development_rare": 1}
    return dataclasses.replace(
        whole,
        problems=dataclasses.replace(whole.problems, **sizes, rl=20, distill=20),
        documents=dataclasses.replace(whole.documents, count=256),
        model=dataclasses.replace(whole.model, hidden_size=64, intermediate_size=64, num_hidden_layers=1),
        base=dataclasses.replace(whole.base, warmup=1),
        rl=dataclasses.replace(
            whole.rl,
            learning_rates=(1e-4, 2e-4),
            trial_steps=1,
            steps=2,
            save_steps=1,
            prompts=2,
            completions=2,
            max_completion_length=20,
            development_samples=2,
        ),
        distill=dataclasses.replace(whole.distill, epochs=1),
        sampling=dataclasses.replace(
            whole.sampling, samples=4, low_samples=2, checkpoint_samples=2, noreason_samples=2, max_tokens=30
        ),
    )


def times(folder):
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


def test_everything_is_made_from_nothing_and_nothing_is_made_twice(tmp_path):
    from sample_data.recipe import pipeline, ship

    space = pipeline.Workspace(small(), tmp_path / "out", 0)
    steps = [name for name in pipeline.STEPS if name != "ship"]
    for name in steps:
        pipeline.STEPS[name](space)
    made = {path.name for path in (space.root / "models").iterdir()}
    assert made == {"countdown-base", "countdown-rl-1", "countdown-rl-2", "countdown-distill"}
    assert len(list((space.root / "samples").glob("*.parquet"))) == 7
    picked = choice.read(space.choice_path)
    assert set(picked.rates) == {"0.0001", "0.0002"}
    before = times(tmp_path)
    for name in steps:
        pipeline.STEPS[name](space)
    assert times(tmp_path) == before

    target = tmp_path / "shipped"
    target.mkdir()
    ship.counts(space.root / "samples", 0, target)
    ship.files(space.out, space.root, target)
    assert {path.name for path in (target / "models").iterdir()} == made
    counts = json.loads((target / ship.SEEDS).read_text(encoding="utf-8"))["0"]
    assert len(counts) == 3
    assert all(n == 4 for run in counts.values() for n, _ in run.values())


def test_another_seed_waits_for_the_choice(tmp_path):
    from sample_data.recipe import pipeline

    space = pipeline.Workspace(small(), tmp_path / "out", 1)
    pipeline.STEPS["problems"](space)
    with pytest.raises(FileNotFoundError, match="Run seed 0 first"):
        pipeline.STEPS["rl"](space)
