"""A store with a few problems of the sample data, and the models that it ships; real engines only."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.support import ROOT, Passk

MODELS = ROOT / "sample_data" / "models"
PROBLEMS = ROOT / "sample_data" / "problems.jsonl"
TEMPLATE = "{{ statement }}\n"


@pytest.fixture(scope="session")
def models() -> Path:
    """The folder of the shipped models."""
    missing = [package for package in ("torch", "transformers") if find_spec(package) is None]
    if missing:
        pytest.skip(f"drawing samples needs {' and '.join(missing)}: pip install 'passk-explorer[transformers]'")
    if not (MODELS / "countdown-base").is_dir():
        pytest.skip("sample_data/models holds no models")
    return MODELS


@pytest.fixture
def asked(run_passk: Passk, models: Path) -> Passk:
    """`passk` in a folder whose store.passk has six problems of the benchmark countdown and no sample of a model."""
    lines = PROBLEMS.read_text(encoding="utf-8").splitlines()[:6]
    with open(run_passk.folder / "asked.jsonl", "w", encoding="utf-8") as file:
        for line in lines:
            problem = json.loads(line)
            row = {key: problem[key] for key in ("statement", "reference", "level", "metadata")}
            row |= {"problem": problem["id"], "text": "I do not know.", "verdict": "wrong", "model": "nobody"}
            file.write(json.dumps(row | {"benchmark": "countdown", "template": TEMPLATE}) + "\n")
    run_passk("import", "asked.jsonl")
    return run_passk
