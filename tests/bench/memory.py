"""How much memory importing a large file takes at its peak: jsonl of two forms, Inspect logs as JSON and as archive."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from tests.bench.corpus import Corpus, load_corpus
from tests.bench.intake import FORMS, write_file
from tests.importers.examples import inspect_header, inspect_sample
from tests.support import clean_environment, passk_command

GOAL = 600
"""MB of resident memory."""
CHARACTERS = 1_500


MEASURE = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""
"""A small process that starts the import: what a process has taken counts for those that it starts, too."""


def write_log(path: Path, size: int, corpus: Corpus) -> None:
    """An Inspect log of so many bytes, before it is packed: problems with 16 epochs each."""
    random = np.random.default_rng(7)
    written = number = 0
    archive = zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) if path.suffix == ".eval" else None
    file = None if archive is not None else open(path, "wb")  # noqa: SIM115
    header = orjson.dumps(inspect_header())
    if file is not None:
        file.write(header[:-1] + b',"samples":[')
    while written < size:
        for epoch in range(1, 17):
            [text] = corpus.pieces(random, np.array([4 * CHARACTERS]))[0]
            value = "C" if number % 3 else "I"
            sample: dict[str, Any] = inspect_sample(number, epoch, value, text=text.decode(errors="replace"))
            data = orjson.dumps(sample)
            if archive is not None:
                archive.writestr(f"samples/{number}_epoch_{epoch}.json", data)
            elif file is not None:
                file.write(b"," * (written > 0) + data)
            written += len(data)
        number += 1
    if archive is not None:
        archive.writestr("header.json", header)
        archive.close()
    elif file is not None:
        file.write(b"]}")
        file.close()


def peak(path: Path, folder: Path) -> tuple[float, float]:
    """MB of resident memory at the peak of `passk import`, and seconds."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    words = [*passk_command(), "import", str(path), "--benchmark", "b", "--store", str(folder / "s.passk")]
    if path.suffix == ".jsonl":
        words += ["--model", "m"]
    before = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, *words], env=clean_environment(folder), stdout=subprocess.PIPE, check=True
    )
    return int(done.stdout) / 1024, time.perf_counter() - before


def table(cache: Path, *, jsonl: int = 1 << 30, log: int = 300 << 20, only: str = "") -> list[str]:
    """The figures, as lines to print. Files are made, and removed when they are done with."""
    lines = [
        f"Peak memory of an import (goal: below {GOAL} MB)",
        f"  {'file':<24}{'MB':>7}{'seconds':>9}{'peak MB':>9}",
    ]
    corpus = load_corpus()
    cache.mkdir(parents=True, exist_ok=True)
    for form in (*FORMS, "inspect.json", "inspect.eval"):
        if only not in form:
            continue
        path = cache / (form if form.startswith("inspect") else f"{form}.jsonl")
        try:
            if form.startswith("inspect"):
                write_log(path, log, corpus)
            else:
                write_file(path, form, int(jsonl / (CHARACTERS * 1.07)), CHARACTERS, corpus)
            most, seconds = peak(path, cache / "memory")
            size = path.stat().st_size / (1 << 20)
            lines.append(f"  {form:<24}{size:>7,.0f}{seconds:>9.1f}{most:>9,.0f}{'' if most < GOAL else '  over'}")
        finally:
            path.unlink(missing_ok=True)
            shutil.rmtree(cache / "memory", ignore_errors=True)
    return lines
