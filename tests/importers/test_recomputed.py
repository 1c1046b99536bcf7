"""What the store says of a file is what a few independent lines count in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.importers import neighbours
from tests.importers.recompute import raw, stored

REAL = (
    ("qwen-math", "qwen25math_cot100/math_cot_100.jsonl"),
    ("reasoning-gym", "reasoning_gym_llama3b/llama3b_step400_aime24.json"),
    ("human-eval", "human_eval/codegemma_7b_results.jsonl"),
    ("lm-eval", "lm_eval/samples_gsm8k_2025-09-09T13-42-42.857006.jsonl"),
    ("inspect", "inspect/mmlu_gpt4.eval"),
    ("verl", "verl_rollouts/1.jsonl"),
    ("nemo-skills", "cases/shapes/nemo-skills/output-rs0.jsonl"),
    ("wide-form", "cases/shapes/lists-per-problem/openr1.parquet"),
    ("wide-form", "cases/shapes/verl-main-generation/gen.parquet"),
    ("long-form", "cases/shapes/prompt-messages-parquet/x.parquet"),
    ("long-form", "cases/shapes/json-array/x.json"),
)


def test_the_small_files_of_every_format(tmp_path: Path) -> None:
    counted = 0
    for place, (name, write) in enumerate(neighbours.each(tmp_path).items()):
        path = write()
        wanted = raw(path, name.split()[0])
        if wanted is None:
            continue
        counted += 1
        assert stored(path, tmp_path / f"store{place}") == pytest.approx(wanted, rel=0, abs=1e-12), name
    assert counted >= 17, "most of them are counted"


@pytest.mark.shared_data
@pytest.mark.parametrize(("form", "name"), REAL)
def test_real_files(shared_data: Path, tmp_path: Path, form: str, name: str) -> None:
    wanted = raw(shared_data / name, form)
    assert wanted is not None
    assert stored(shared_data / name, tmp_path) == pytest.approx(wanted, rel=0, abs=1e-12)
