"""`--false-positives`: what is spurious where the loose verifier counts, against what `expression` says is true."""

from __future__ import annotations

import csv
from typing import Any

import pytest

from backend.wording import PAIR_SETS
from tests.audit.conftest import PAIR, RATE, layout_of
from tests.audit.test_audit import NAMES, Samples, pass_at, read_some, samples, tallies
from tests.support import Passk

__all__ = ["samples"]


@pytest.fixture
def loose(twice: Passk) -> Passk:
    """The loose verifier's verdicts count."""
    for run in NAMES.values():
        twice("verify", "--run", run, "--use", "loose")
    return twice


def test_spurious_members_and_corrected_curves_recover_the_truth(loose: Passk, samples: Samples) -> None:
    found = loose("sets", *PAIR, "--false-positives", RATE, "--format", "json").json
    true, called = tallies(samples, 0), tallies(samples, 1)
    said = found["false_positives"]
    assert said["rates"]["rl"] == {"value": RATE, "interval": None, "allowed": True}
    truth = {name: 0 for name in PAIR_SETS.values()}
    for counts in true.values():
        truth[PAIR_SETS[counts["base"] > 0, counts["rl"] > 0]] += 1
    for name, members in said["sets"].items():
        # A text that comes again has the same luck: the errors are not quite as independent as supposed.
        low, high = members["interval"]
        assert low - 4 <= truth[name] <= high + 4, name
    # By the loose verdicts 160 problems are solved by both, in truth 101.
    assert found["counts"]["both"] > 150 > 115 > said["sets"]["both"]["corrected"]
    by_problem = {problem["problem"]: problem["all_false"] for problem in found["problems"]}
    for run in NAMES:
        chances = {label: chances[run] for label, chances in by_problem.items()}
        assert all((chances[label] is None) == (called[label][run] == 0) for label in chances)
        spurious = [label for label in chances if called[label][run] and not true[label][run]]
        expected = sum(chance for chance in chances.values() if chance)
        assert expected == pytest.approx(len(spurious), abs=8)
        assert chances[max(chances, key=lambda label, run=run: called[label][run])] < 1e-9
    curves = loose("curves", "--run", PAIR[3], "--false-positives", RATE, "--format", "json").json
    for point in curves[0]["points"]:
        exact = float(pass_at([counts["rl"] for counts in true.values()], point["k"]))
        assert point["pass_at_k"] == pytest.approx(exact, abs=0.02)
        assert point["low"] <= point["pass_at_k"] <= point["high"]
    assert "0.5 % of incorrect samples called correct" in curves[0]["method"]


def test_tables_and_exports_say_the_same(loose: Passk) -> None:
    document = loose("sets", *PAIR, "--false-positives", "0.005,0.004", "--format", "json").json
    expected = {problem["problem"]: problem["all_false"]["rl"] for problem in document["problems"]}
    rows = loose("sets", *PAIR, "--false-positives", "0.005,0.004", "--format", "csv").csv
    loose("export", "sets", *PAIR, "--false-positives", "0.005,0.004", "--to", "sets.csv")
    text = (loose.folder / "sets.csv").read_text(encoding="utf-8").splitlines()
    exported: list[dict[str, Any]] = list(csv.DictReader(line for line in text if not line.startswith("#")))
    for table in (rows, exported):
        shown = {row["problem"]: float(row["rl_all_false"]) if row["rl_all_false"] else None for row in table}
        assert shown == pytest.approx(expected)
    loose("export", "sets", *PAIR, "--false-positives", "0.005", "--to", "sets.md")
    assert "spurious of" in (loose.folder / "sets.md").read_text(encoding="utf-8")


def test_rates_that_nobody_knows_or_counts_refute(twice: Passk, samples: Samples) -> None:
    refused = twice("sets", *PAIR, "--false-positives", "audit", status=1).stderr
    assert "No false-positive rate of countdown-base@countdown is known" in refused
    assert "2 false-positive rates for 1 runs" in twice(
        "curves", "--run", PAIR[1], "--false-positives", "0.1,0.2", status=1
    ).stderr  # fmt: skip
    assert "expected a share from 0 to below 1" in twice("sets", *PAIR, "--false-positives", "x", status=1).stderr
    # `expression` leaves 98 problems of RL without one correct sample of 256: half a per cent cannot be.
    assert "RL: its counts do not allow 0.5 %" in twice("sets", *PAIR, "--false-positives", RATE).stderr
    read_some(layout_of(twice), samples, {(True, True): 300, (False, True): 438, (False, False): 900}, 1)
    found = twice("sets", *PAIR, "--false-positives", "audit", "--format", "json").json["false_positives"]
    for rate in found["rates"].values():
        assert rate["value"] == 0.0 < rate["interval"][1], "nothing false was found, which is not that nothing is"
    assert found["sets"]["rl_only"]["interval"][0] <= found["sets"]["rl_only"]["corrected"]
