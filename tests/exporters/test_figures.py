from __future__ import annotations

import csv
import json
import math
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
from backend.exporters.drawing import MARKERS
from backend.exporters.figures import COLOURS, colour_of, dash_of
from backend.records.exports import FIGURES, Series
from backend.store.layout import StoreLayout
from tests.explorer.conftest import CORRECT
from tests.exporters.conftest import BASE, RL, SCORED, SFT, reading, write
from tests.exporters.hostile import RUNS
from tests.support import Passk, run_python

needs_matplotlib = pytest.mark.skipif(find_spec("matplotlib") is None, reason="matplotlib is not installed (figures)")
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


def test_lengths_and_verdicts_count_samples(sums: StoreLayout, tmp_path: Path) -> None:
    write(sums, "lengths", tmp_path / "lengths.csv", BASE, RL)
    rows = points(tmp_path / "lengths.csv")
    for run, of in ((BASE, "base"), (RL, "rl")):
        for kind, samples in (("right", sum(CORRECT[of][0])), ("other", 48 - sum(CORRECT[of][0]))):
            group = [row for row in rows if (row["run"], row["samples_that_are"]) == (run, kind)]
            assert sum(int(row["samples"]) for row in group) == samples
            assert sum(float(row["share"]) for row in group) == pytest.approx(1)
            assert all(int(row["from_tokens"]) < int(row["below_tokens"]) for row in group)
    write(sums, "verdicts", tmp_path / "verdicts.csv", BASE)
    verdicts = {row["verdict"]: int(row["samples"]) for row in points(tmp_path / "verdicts.csv")}
    assert verdicts["correct"] == sum(CORRECT["base"][0]) and sum(verdicts.values()) == 48


def test_efficiency_and_temperature_say_what_the_command_says(
    sums: StoreLayout, tmp_path: Path, run_passk: Passk
) -> None:
    for view in ("efficiency", "temperature"):
        run_passk("export", view, "--benchmark", "sums", "--store", sums.root, "--to", f"{view}.csv")
        exported = {row["run"]: row for row in points(run_passk.folder / f"{view}.csv")}
        printed = run_passk("stats", view, "--store", sums.root, "--format", "json").json["runs"]
        assert exported.keys() == {row["run"] for row in printed}
        for row in printed:
            for column in ("k", "pass_at_1", "pass_at_k", "delta_se", "entropy", "temperature"):
                if column in row:
                    assert exported[row["run"]][column] == ("" if row[column] is None else str(row[column]))


def test_cot_stands_beside_pass_at_k(judged: StoreLayout, tmp_path: Path) -> None:
    made = write(judged, "cot", tmp_path / "cot.csv", BASE, RL)
    rows = points(tmp_path / "cot.csv")
    correct, n = CORRECT["base"]
    plain = {int(row["k"]): float(row["pass_at_k"]) for row in rows if row["run"] == "tiny-base, pass@k"}
    valid = {int(row["k"]): row for row in rows if row["run"] == "tiny-base, CoT"}
    # Two valid paths, one invalid: of problems with c right ones, c - 1 may be valid in one of them.
    assert float(valid[1]["low"]) == pytest.approx(2 / n / len(correct))
    assert float(valid[1]["high"]) == pytest.approx((sum(correct) - 1) / n / len(correct))
    assert all(float(valid[k]["low"]) <= float(valid[k]["high"]) <= plain[k] for k in plain)
    assert not any(row["run"] == "tiny-rl, CoT" for row in rows), "nothing of it is judged"
    assert f"tiny-base: 3 of {sum(correct)} correct paths judged, 2 valid" in made.notes


def test_without_judgements_and_scores_a_sentence_says_what_to_do(sums: StoreLayout, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No correct path") as judged:
        write(sums, "cot", tmp_path / "cot.csv", BASE)
    assert "passk judge" in str(judged.value)
    with pytest.raises(UsageError, match="passk score"):
        write(sums, "perplexity", tmp_path / "perplexity.csv", BASE)
    assert list(tmp_path.iterdir()) == []


def test_perplexities_are_those_of_the_command(judged: StoreLayout, tmp_path: Path, run_passk: Passk) -> None:
    for chosen in ((), ("--verdict", "right")):
        words = ("--run", BASE, "--run", RL, "--store", judged.root, *chosen)
        run_passk("export", "perplexity", *words, "--to", "p.csv", "--force")
        exported = points(run_passk.folder / "p.csv")
        printed = run_passk("perplexity", *words, "--format", "json").json
        assert [(row["responses"], row["under"], row["n"], row["median"]) for row in exported] == [
            (row["responses"], row["under"], str(row["n"]), str(row["median"])) for row in printed
        ]
    write(judged, "perplexity", tmp_path / "p.csv", BASE, RL)
    first = points(tmp_path / "p.csv")[0]
    assert float(first["median"]) == pytest.approx(math.exp(0.5))
    assert int(first["n"]) == len(SCORED)


def test_only_paths_and_perplexities_are_chosen_by_verdict(sums: StoreLayout, tmp_path: Path) -> None:
    for what, verdict in (("paths", "right"), ("perplexity", "correct"), ("curves", "correct")):
        with pytest.raises(UsageError, match=f"--verdict {verdict}: not for {what}"):
            write(sums, what, tmp_path / ("x.csv" if what != "paths" else "x.jsonl"), BASE, verdict=verdict)


def test_the_majority_of_one_answer_is_pass_at_1(sums: StoreLayout, tmp_path: Path) -> None:
    write(sums, "agreement", tmp_path / "agreement.csv", BASE)
    correct, n = CORRECT["base"]
    first = points(tmp_path / "agreement.csv")[0]
    assert first["k"] == "1"
    assert float(first["maj_at_k"]) == pytest.approx(sum(correct) / n / len(correct), abs=1e-12)


def test_many_runs_are_told_apart() -> None:
    series = [Series(f"run {place}", "rl", (1,), (0.5,)) for place in range(14)]
    looks = {(colour_of(each, place), dash_of(each, place)) for place, each in enumerate(series)}
    assert len(looks) == len(series)
    assert len({(place % len(COLOURS), place % len(MARKERS)) for place in range(50)}) == 50


@needs_matplotlib
@pytest.mark.parametrize("kind", FIGURES)
def test_every_figure_is_drawn_and_the_same_twice(judged: StoreLayout, tmp_path: Path, kind: str) -> None:
    for form in ("svg", "pdf"):
        first, second = tmp_path / f"1.{form}", tmp_path / f"2.{form}"
        write(judged, kind, first, *runs_of(kind))
        write(judged, kind, second, *runs_of(kind))
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
    assert re.search("Number of samples", found)
    assert "sums, 6 problems" in found and "95 %, bootstrap over problems" in found
    assert "tiny-base (n = 8)" in found and "tiny-rl (n = 8)" in found


@needs_matplotlib
@pytest.mark.skipif(shutil.which("pdftotext") is None, reason="pdftotext is not installed (poppler-utils)")
def test_the_pdf_says_which_problems_count(sums: StoreLayout, tmp_path: Path) -> None:
    write(sums, "curves", tmp_path / "curves.pdf", BASE, RL, problems="level=1", bands="off")
    found = subprocess.run(["pdftotext", tmp_path / "curves.pdf", "-"], capture_output=True, encoding="utf-8").stdout
    assert "sums, 2 problems" in found and "level 1" in found and "95 %" not in found


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
