"""Every result file of a folder, counted anew by a few lines of its own. `python -m tests.importers.recompute FOLDER`.

The lines here know nothing of the importers: they read the raw file and say for each problem (by its place, its id or
its question, whatever the format has) how many samples there are and how many are right. What the store says must be
the same to the last digit: problems, n, c and pass@1.
"""

from __future__ import annotations

import argparse
import csv
import json
import re
import sys
import tempfile
import zipfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from backend import RunOptions, import_files
from backend.errors import PasskError
from backend.importers.discovery import importer_for
from backend.importers.protocol import Options
from backend.importers.source import SourceFile
from backend.store.layout import StoreLayout
from tests.support import runs_of

Outcome = tuple[object, float | None]
"""A sample's problem, and 1 where it is right, 0 where not, None where nobody says."""


def rows(path: Path) -> list[dict[str, Any]]:
    if path.read_bytes()[:4] == b"PAR1":
        return pq.read_table(path).to_pylist()  # type: ignore[no-any-return]
    text = path.read_text(encoding="utf-8")
    if text.lstrip().startswith("["):
        return json.loads(text)  # type: ignore[no-any-return]
    return [json.loads(line) for line in text.splitlines() if line.strip()]


def qwen_math(path: Path) -> Iterator[Outcome]:
    for row in rows(path):
        yield from ((row["question"], score) for score in row.get("score") or [None] * len(row["code"]))


def reasoning_gym(path: Path) -> Iterator[Outcome]:
    data = json.loads(path.read_text())
    sets = [entry for group in data.get("categories", []) for entry in group["datasets"]] or [data]
    for entry in sets:
        for result in entry["results"]:
            for sample in result.get("completions") or [result]:
                yield (entry["name"], result["question"]), float(sample["score"] >= 1)


def human_eval(path: Path) -> Iterator[Outcome]:
    return ((row["task_id"], row.get("passed")) for row in rows(path))


def lm_eval(path: Path) -> Iterator[Outcome]:
    found = rows(path)
    for row in found:
        if row["filter"] == found[0]["filter"]:
            yield row["doc_id"], row[row["metrics"][0]] if len(row["resps"][0]) == 1 else None


def inspect(path: Path) -> Iterator[Outcome]:
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            if name.startswith("samples/"):
                sample = json.loads(archive.read(name))
                asked = json.dumps([sample["input"], sample["target"], sample["choices"]])
                yield asked, next(iter(sample["scores"].values()))["value"] == "C"


def verl(path: Path) -> Iterator[Outcome]:
    for row in rows(path):
        yield (row["input"], row.get("gts")), float(row["score"] >= 1)


def nemo_gym(path: Path) -> Iterator[Outcome]:
    return ((row["_ng_task_index"], row["reward"] >= 1) for row in rows(path))


def nemo_skills(path: Path) -> Iterator[Outcome]:
    return ((row["id"], row.get("symbolic_correct")) for row in rows(path))


def skyrl(path: Path) -> Iterator[Outcome]:
    for row in rows(path):
        score = row["score"]
        yield row["input_prompt"], (sum(score) if isinstance(score, list) else score) >= 1


def evalscope(path: Path) -> Iterator[Outcome]:
    for row in rows(path):
        if "choices" in row:
            yield from ((row["index"], choice["review"]["result"]) for choice in row["choices"])
        else:
            yield row["sample_score"]["group_id"], next(iter(row["sample_score"]["score"]["value"].values())) >= 1


def every_eval_ever(path: Path) -> Iterator[Outcome]:
    return ((row["sample_id"], row["evaluation"]["is_correct"]) for row in rows(path))


def opencompass(path: Path) -> Iterator[Outcome]:
    data = json.loads(path.read_text())
    for key, entry in data.get("details", data).items():
        if key.isdigit():
            said = entry.get("origin_prediction", entry.get("prediction"))
            size = len(said) if isinstance(said, list) else 1
            yield from [(entry.get("example_abbr", key), entry.get("correct") if size == 1 else None)] * size


def simple_evals(path: Path) -> Iterator[Outcome]:
    data = json.loads(path.read_text())
    for dialogue, page in zip(data["convos"], data["htmls"], strict=True):
        yield dialogue[0]["content"], float(re.findall(r"Score: ([^<]*)<", page)[0])


def wide_form(path: Path) -> Iterator[Outcome]:
    for row in rows(path):
        texts = row.get("generations") or row["responses"]
        asked = json.dumps(row.get("problem") or row["prompt"])
        yield from ((asked, right) for right in row.get("correctness_math_verify") or [None] * len(texts))


def outcomes(path: Path) -> Iterator[Outcome]:
    return ((problem, right) for problem, found in json.loads(path.read_text()).items() for right in found)


def rllm(path: Path) -> Iterator[Outcome]:
    text = path.read_text()
    found = rows(path) if text.count("\n") == text.count('"episode_id"') else [json.loads(text)]
    return ((row["task_hash"], row["is_correct"]) for row in found)


def long_form(path: Path) -> Iterator[Outcome]:
    for row in rows(path):
        right = next((row[name] for name in ("verdict", "correct", "passed", "reward", "score") if name in row), None)
        yield str(row.get("id") or row.get("problem") or row.get("prompt")), right


def counts(path: Path) -> Iterator[Outcome]:
    if path.suffix != ".csv":
        for row in rows(path):
            n, c = row.get("n", row.get("n_samples")), row.get("c", row.get("n_correct"))
            yield from [(row["problem"], 1.0)] * c + [(row["problem"], 0.0)] * (n - c)
        return
    with open(path, newline="") as file:
        for line in csv.DictReader(file):
            if "n" not in line:
                raise KeyError("several models in a row")
            c, n = int(line["c"]), int(line["n"])
            yield from [(line["problem"], 1.0)] * c + [(line["problem"], 0.0)] * (n - c)


READERS: dict[str, Callable[[Path], Iterator[Outcome]]] = {
    name.replace("_", "-"): reader
    for name, reader in globals().items()
    if callable(reader) and getattr(reader, "__module__", "") == __name__ and name not in ("rows",)
}


def raw(path: Path, form: str) -> tuple[int, int, int, float] | None:
    """Problems, n, c and pass@1 by the file itself; None where these lines do not read it."""
    if form not in READERS:
        return None
    tallies: dict[object, list[int]] = defaultdict(lambda: [0, 0])
    try:
        for problem, right in READERS[form](path):
            if right is not None and right == right:
                tallies[problem][0] += 1
                tallies[problem][1] += right >= 1
    except (KeyError, StopIteration, TypeError, zipfile.BadZipFile):
        return None
    n, c = (sum(tally[place] for tally in tallies.values()) for place in (0, 1))
    return len(tallies), n, c, sum(c / n for n, c in tallies.values()) / max(len(tallies), 1)


def stored(path: Path, folder: Path) -> tuple[int, int, int, float]:
    """The same as the store has it, of all runs together."""
    layout = StoreLayout(folder / "recompute.passk")
    import_files(layout, [path], run_options=RunOptions(model="m", benchmark="b"))
    from backend import open_store

    database = open_store(layout)
    try:
        cursor = database.cursor()
        found = cursor.execute("SELECT n, c FROM tallies WHERE n > 0").fetchall()
    finally:
        database.close()
    assert runs_of(layout)
    n, c = (sum(row[place] for row in found) for place in (0, 1))
    return len(found), n, c, sum(c / n for n, c in found) / max(len(found), 1)


def main() -> int:
    """See --help."""
    parser = argparse.ArgumentParser(prog="python -m tests.importers.recompute", description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    wrong = 0
    for path in sorted(parser.parse_args().folder.rglob("*")):
        if not path.is_file():
            continue
        try:
            importer = importer_for(SourceFile(path), Options())
            by_file = None if importer is None else raw(path, importer.name)
            if importer is None or by_file is None:
                print(f"{path}: {'not recognised' if importer is None else importer.name + ', not counted here'}")
                continue
            with tempfile.TemporaryDirectory() as folder:
                by_store = stored(path, Path(folder))
        except PasskError as error:
            print(f"{path}: {error.title}")
            continue
        same = by_file[:3] == by_store[:3] and abs(by_file[3] - by_store[3]) < 1e-12
        wrong += not same
        print(f"{path}: {importer.name} {by_file} {'' if same else f'but the store has {by_store}'}")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
