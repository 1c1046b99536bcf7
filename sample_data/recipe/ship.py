"""Step "ship": copies the models, problems and samples of the shipped seed into sample_data/.

Of every seed it keeps the counts of correct samples by run and problem, in ``sample_data/seeds.json``, so
that the table of the three seeds needs no samples of the other two.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

SAMPLE_DATA = Path(__file__).resolve().parent.parent
SEEDS = "seeds.json"
COPIED = ("problems.jsonl", "development.jsonl", "choice.json")


def count_correct(path: Path) -> dict[str, list[int]]:
    """[samples, correct] by problem of one file of samples."""
    import pyarrow.parquet as pq

    table = pq.read_table(path, columns=["problem", "verdict"])
    found: dict[str, list[int]] = {}
    for problem, verdict in zip(table["problem"].to_pylist(), table["verdict"].to_pylist(), strict=True):
        counts = found.setdefault(problem, [0, 0])
        counts[0] += 1
        counts[1] += verdict == "correct"
    return dict(sorted(found.items()))


def counts(samples: Path, seed: int, target: Path = SAMPLE_DATA) -> None:
    """Adds one seed's counts of the runs at the usual temperature to seeds.json."""
    path = target / SEEDS
    known = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    runs = {file.stem: count_correct(file) for file in sorted(samples.glob("*@countdown.parquet"))}
    full = max((next(iter(run.values()))[0] for run in runs.values()), default=0)
    known[str(seed)] = {name: run for name, run in runs.items() if next(iter(run.values()))[0] == full}
    path.write_text(json.dumps(dict(sorted(known.items()))) + "\n", encoding="utf-8")


def files(out: Path, root: Path, target: Path = SAMPLE_DATA) -> None:
    """Copies problems, choice, models and samples, replacing what was there."""
    for name in COPIED:
        shutil.copyfile(out / name, target / name)
    for folder in ("models", "samples"):
        shutil.rmtree(target / folder, ignore_errors=True)
        (target / folder).mkdir()
    for model in sorted((root / "models").iterdir()):
        if (model / "recipe.json").is_file():
            shutil.copytree(model, target / "models" / model.name)
    for file in sorted((root / "samples").glob("*.parquet")):
        shutil.copyfile(file, target / "samples" / file.name)
