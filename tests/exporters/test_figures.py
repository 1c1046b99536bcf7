from __future__ import annotations

import csv
import json
import re
import shutil
import subprocess
from fractions import Fraction
from importlib.util import find_spec
from math import comb
from pathlib import Path
from xml.etree import ElementTree

import pytest

from backend import curves, every_k
from backend.errors import UsageError
from backend.store.layout import StoreLayout
from tests.explorer.conftest import CORRECT
from tests.exporters.conftest import BASE, RL, SFT, reading, write
from tests.exporters.hostile import RUNS
from tests.support import run_python

needs_matplotlib = pytest.mark.skipif(find_spec("matplotlib") is None, reason="matplotlib is not installed (figures)")
KINDS = ("curves", "difference", "cover", "histogram", "steps", "agreement")
SVG = "{http://www.w3.org/2000/svg}"


def runs_of(kind: str) -> tuple[str, ...]:
    return (BASE, RL) if kind == "difference" else (BASE, RL, SFT)


def points(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.open(encoding="utf-8", newline="")))


def test_the_points_of_a_curve_are_exact(sums: StoreLayout, tmp_path: Path) -> None:
    write(sums, "curves", tmp_path / "curves.csv", BASE, RL)
    rows = points(tmp_path / "curves.csv")
    for name, run in (("tiny-base", "base"), ("tiny-rl", "rl")):
        correct, n = CORRECT[run]
        of_run = {int(row["k"]): row for row in rows if row["run"] == name}
        assert sorted(of_run) == list(range(1, n + 1))
        for k, row in of_run.items():
            exact = sum(1 - Fraction(comb(n - c, k), comb(n, k)) for c in correct) / len(correct)
            assert float(row["pass_at_k"]) == pytest.approx(float(exact), abs=1e-12)
            assert float(row["low"]) <= float(row["pass_at_k"]) <= float(row["high"])
    assert "problems" in json.loads(rows[0]["export"])["method"]


def test_bands_can_be_left_out(sums: StoreLayout, tmp_path: Path) -> None:
    write(sums, "curves", tmp_path / "curves.csv", BASE, bands="off")
    assert {row["low"] for row in points(tmp_path / "curves.csv")} == {""}


def test_a_difference_is_that_of_the_curves(sums: StoreLayout, tmp_path: Path) -> None:
    made = write(sums, "difference", tmp_path / "difference.csv", BASE, RL)
    with reading(sums) as reader:
        base, rl = curves(reader, [reader.run(BASE), reader.run(RL)], every_k)
    for row in points(tmp_path / "difference.csv"):
        first, second = base.at(int(row["k"])), rl.at(int(row["k"]))
        assert first is not None and second is not None
        assert float(row["delta"]) == pytest.approx(second - first, abs=1e-12)
    assert any("cross" in note for note in made.notes)


def test_cover_and_histogram_count_problems(sums: StoreLayout, tmp_path: Path) -> None:
    write(sums, "cover", tmp_path / "cover.csv", BASE)
    correct, n = CORRECT["base"]
    for row in points(tmp_path / "cover.csv"):
        share = sum(Fraction(c, n) >= Fraction(row["tau"]) for c in correct) / len(correct)
        assert float(row["cover"]) == pytest.approx(share)
    write(sums, "histogram", tmp_path / "histogram.csv", BASE)
    rows = points(tmp_path / "histogram.csv")
    assert float(rows[0]["share"]) == pytest.approx(correct.count(0) / len(correct))
    assert sum(float(row["share"]) for row in rows) == pytest.approx(1)


def test_steps_stand_in_order(sums: StoreLayout, tmp_path: Path) -> None:
    write(sums, "steps", tmp_path / "steps.csv", BASE, RL, SFT)
    first = points(tmp_path / "steps.csv")
    assert [row["step"] for row in first if row["run"].endswith("pass@1")] == ["0", "10", "20"]


def test_the_majority_of_one_answer_is_pass_at_1(sums: StoreLayout, tmp_path: Path) -> None:
    write(sums, "agreement", tmp_path / "agreement.csv", BASE)
    correct, n = CORRECT["base"]
    first = points(tmp_path / "agreement.csv")[0]
    assert first["k"] == "1"
    assert float(first["maj_at_k"]) == pytest.approx(sum(correct) / n / len(correct), abs=1e-12)


@needs_matplotlib
@pytest.mark.parametrize("kind", KINDS)
def test_every_figure_is_drawn_and_the_same_twice(sums: StoreLayout, tmp_path: Path, kind: str) -> None:
    for form in ("svg", "pdf"):
        first, second = tmp_path / f"1.{form}", tmp_path / f"2.{form}"
        write(sums, kind, first, *runs_of(kind))
        write(sums, kind, second, *runs_of(kind))
        assert first.read_bytes() == second.read_bytes()
    assert (tmp_path / "1.pdf").read_bytes().startswith(b"%PDF-")
    drawing = ElementTree.parse(tmp_path / "1.svg").getroot()
    assert drawing.tag == f"{SVG}svg"
    assert len(drawing.findall(f".//{SVG}path")) > 10
    assert '"store":"' in "".join(drawing.itertext())
    assert not drawing.findall(f".//{SVG}script") and not drawing.findall(f".//{SVG}image")


@needs_matplotlib
def test_names_with_formulas_and_markup_are_names(hostile: StoreLayout, tmp_path: Path) -> None:
    write(hostile, "curves", tmp_path / "curves.svg", *RUNS)
    ElementTree.parse(tmp_path / "curves.svg")
    write(hostile, "curves", tmp_path / "curves.pdf", *RUNS)


@needs_matplotlib
@pytest.mark.skipif(shutil.which("pdftotext") is None, reason="pdftotext is not installed (poppler-utils)")
def test_the_pdf_says_its_axes_and_runs(sums: StoreLayout, tmp_path: Path) -> None:
    write(sums, "curves", tmp_path / "curves.pdf", BASE, RL)
    found = subprocess.run(["pdftotext", tmp_path / "curves.pdf", "-"], capture_output=True, encoding="utf-8").stdout
    assert re.search("Number of samples", found) and "tiny-base" in found and "tiny-rl" in found


def test_without_matplotlib_a_sentence_says_what_to_do(sums: StoreLayout, tmp_path: Path) -> None:
    program = (
        "import sys; sys.modules['matplotlib'] = None\n"
        "from explorer.commands.main import main\n"
        "sys.exit(main(sys.argv[1:]))"
    )
    path = tmp_path / "curves.svg"
    result = run_python(program, "export", "curves", "--store", sums.root, "--run", BASE, "--to", path)
    assert result.returncode == 1
    assert "passk-explorer[figures]" in result.stderr and "Traceback" not in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_figure_needs_something_to_draw(sums: StoreLayout, tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        write(sums, "curves", tmp_path / "curves.csv", BASE, problems="level=9")
    assert list(tmp_path.iterdir()) == []
