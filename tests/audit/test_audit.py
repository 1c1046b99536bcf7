"""`passk audit`: every figure against a count of the samples one by one, and what is said where figures are missing."""

from __future__ import annotations

import json
import re
import signal
from collections import Counter, defaultdict
from fractions import Fraction
from math import comb
from pathlib import Path
from random import Random
from typing import Any

import pytest

from backend import Reader, open_store
from backend.deciding import write_decisions
from backend.store.decisions import Decision
from backend.store.layout import StoreLayout
from backend.wording import PAIR_SETS
from tests.audit.conftest import PAIR, RATE, beside_loose, layout_of
from tests.support import SHARED_DATA, Passk, jsonl, wait_while

NAMES = {"base": PAIR[1], "rl": PAIR[3]}
Samples = dict[tuple[str, str, int], tuple[bool, bool]]
"""By run, problem and sample, whether the verdict that came with it is correct, and that of `loose`."""


@pytest.fixture(scope="module")
def document(judged_twice: Passk) -> dict[str, Any]:
    found: dict[str, Any] = judged_twice("audit", *PAIR, "--format", "json").json
    return found


@pytest.fixture(scope="module")
def samples(judged_twice: Passk) -> Samples:
    """The samples one by one, as they are stored."""
    database = open_store(layout_of(judged_twice))
    cursor = database.cursor()
    found: Samples = {}
    for run, name in NAMES.items():
        rows = cursor.execute(
            "SELECT p.label, o.sample, o.verdict, v.verdict FROM counted.outcomes o JOIN runs r USING (run_key) "
            "JOIN problems p USING (problem_key) JOIN verdicts v USING (run_key, problem_key, sample) "
            "WHERE r.run = ? AND v.verifier = 'loose'",
            [name],
        ).fetchall()
        found |= {(run, label, sample): (one == "correct", other == "correct") for label, sample, one, other in rows}
    cursor.close()
    database.close()
    assert len(found) == 102_400
    return found


def tallies(samples: Samples, side: int) -> dict[str, dict[str, int]]:
    counted: dict[str, dict[str, int]] = defaultdict(lambda: {"base": 0, "rl": 0})
    for (run, problem, _), correct in samples.items():
        counted[problem][run] += correct[side]
    return counted


def pass_at(counts: list[int], k: int, n: int = 256) -> Fraction:
    return sum(1 - Fraction(comb(n - c, k), comb(n, k)) for c in counts) / len(counts)


def test_disagreements_by_run_and_problem(document: dict[str, Any], samples: Samples) -> None:
    for run in NAMES:
        cells = Counter(said for (of, _, _), said in samples.items() if of == run)
        facts = document["runs"][run]
        assert {name: cell["samples"] for name, cell in facts["strata"].items()} == {
            "both_correct": cells[True, True],
            "first_only": cells[True, False],
            "second_only": cells[False, True],
            "neither_correct": cells[False, False],
        }
        wrong = cells[False, True] + cells[False, False]
        assert facts["accepts"]["value"] == pytest.approx(cells[False, True] / wrong)
        assert facts["accepts"]["low"] < RATE < facts["accepts"]["high"], "the rate is recovered"
        assert facts["rejects"]["value"] == 0 < facts["rejects"]["high"]
    alone = Counter((problem, run) for (run, problem, _), said in samples.items() if said == (False, True))
    for problem in document["problems"]:
        for run in NAMES:
            assert problem[run]["n"] == 256
            assert problem[run]["second_only"] == alone[problem["problem"], run]
            assert problem[run]["first_only"] == 0


def test_sets_and_the_spurious_rl_only_problems(document: dict[str, Any], samples: Samples) -> None:
    sides = [
        {problem: PAIR_SETS[c["base"] > 0, c["rl"] > 0] for problem, c in tallies(samples, side).items()}
        for side in (0, 1)
    ]
    assert {p["problem"]: (p["set"]["first"], p["set"]["second"]) for p in document["problems"]} == {
        problem: (sides[0][problem], sides[1][problem]) for problem in sides[0]
    }
    for side, name in enumerate(("first", "second")):
        assert {entry: count for entry, count in document["sets"][name].items() if count} == Counter(
            sides[side].values()
        )
    moved = Counter(zip(sides[0].values(), (sides[1][problem] for problem in sides[0]), strict=True))
    assert {(row["first"], row["second"]): row["problems"] for row in document["moved"]} == moved
    spurious = {problem for problem in sides[0] if (sides[0][problem], sides[1][problem]) == ("neither", "rl_only")}
    assert len(spurious) >= 3
    assert {problem["problem"] for problem in document["problems"][: len(spurious)]} <= {
        problem for problem in sides[0] if "rl_only" in (sides[0][problem], sides[1][problem])
    }, "RL-only problems that move come first"


def test_curves_and_crossing(document: dict[str, Any], samples: Samples) -> None:
    for side, name in enumerate(("first", "second")):
        counted = tallies(samples, side).values()
        exact = {run: [pass_at([c[run] for c in counted], k) for k in range(1, 257)] for run in NAMES}
        for run in NAMES:
            shown = [point["pass_at_k"] for point in document["curves"][name][run]]
            assert shown == pytest.approx([float(value) for value in exact[run]], abs=1e-12)
        signs = [(exact["rl"][k] > exact["base"][k]) - (exact["rl"][k] < exact["base"][k]) for k in range(256)]
        turns = [k + 1 for k in range(1, 256) if signs[k] and signs[k] != signs[k - 1]]
        assert document["curves"][name]["crossings"] == turns


def test_nothing_was_read_and_so_no_error_rate_is_known(document: dict[str, Any]) -> None:
    for run in NAMES:
        for errors in document["runs"][run]["errors"].values():
            assert all(rate == {"value": None, "low": None, "high": None} for rate in errors.values())
    assert "Read by people (passk override): 0 of " in document["says"][-1]


def test_a_difference_between_base_and_rl_is_said_first(document: dict[str, Any], judged_twice: Passk) -> None:
    assert document["says"][0].startswith("No difference between base and RL is seen")
    assert [found["differs"] for found in document["differences"]] == [False, False]
    said = judged_twice("audit", *PAIR, "--first", "imported", "--second", "counting").stderr
    assert "imported and counting agree on every one of 102,400 samples" in said


def test_tables_print_the_same(document: dict[str, Any], judged_twice: Passk) -> None:
    problems = judged_twice("audit", *PAIR, "--by", "problem", "--format", "csv").csv
    assert [(row["problem"], int(row["rl_second"])) for row in problems] == [
        (problem["problem"], problem["rl"]["second"]) for problem in document["problems"]
    ]
    queue = judged_twice("audit", *PAIR, "--by", "sample", "--format", "csv").csv
    disputed = sum(problem[run]["second_only"] for problem in document["problems"] for run in NAMES)
    assert len(queue) == disputed and {row["said"] for row in queue} == {""}
    assert {row["set"] for row in queue[:3]} == {"rl_only"}
    (loose,) = (
        row for row in judged_twice("audit", *PAIR, "--format", "csv").csv
        if (row["run"], row["verdicts"]) == (NAMES["rl"], "loose")
    )  # fmt: skip
    assert int(loose["correct"]) == document["runs"]["rl"]["correct"]["second"]
    assert float(loose["pass_at_n"]) == pytest.approx(document["curves"]["second"]["rl"][-1]["pass_at_k"])
    assert loose["false_positives"] == "", "unknown is no zero"


def test_the_accuracy_of_an_inspect_log_is_compared_with_what_was_read(run_passk: Passk, tmp_path: Path) -> None:
    """The log's header says 75 % of both; of the RL run a sample's score was changed afterwards."""
    for role, right in (("base", 3), ("rl", 2)):
        samples = [
            {"id": f"q{p}", "epoch": 1, "uuid": f"{role}{p}", "input": f"What is {p}?", "target": str(p)}
            | {"output": {"choices": [{"message": {"role": "assistant", "content": f"It is {p} {role}."}}]}}
            | {"scores": {"match": {"value": "C" if p < right else "I", "answer": str(p)}}}
            for p in range(4)
        ]
        log = {
            "version": 2,
            "status": "success",
            "eval": {"model": role, "task": "b"},
            "results": {
                "scores": [{"name": "match", "metrics": {"accuracy": {"value": 0.75}, "stderr": {"value": 0.1}}}]
            },
            "samples": samples,
        }
        path = tmp_path / f"{role}.json"
        path.write_text(json.dumps(log))
        run_passk("import", path, "--role", role)
    found = run_passk("audit", "--second", "imported", "--format", "json").json
    said = {
        role: [(m["metric"], m["of"], m["agrees"]) for m in found["runs"][role]["reported"]] for role in ("base", "rl")
    }
    assert said == {"base": [("match, accuracy", "imported", True)], "rl": [("match, accuracy", "imported", False)]}


def test_exports_say_the_same(document: dict[str, Any], judged_twice: Passk, tmp_path: Path) -> None:
    said = judged_twice("export", "audit", *PAIR, "--to", tmp_path / "a.jsonl").stderr
    rows = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [(row["problem"], row["set_second"], row["rl_second"], row["disputed"]) for row in rows] == [
        (p["problem"], p["set"]["second"], p["rl"]["second"], p["disputed"]) for p in document["problems"]
    ]
    assert document["says"][0] in said


def test_counts_stay_what_they_were(judged_twice: Passk) -> None:
    (run,) = (row for row in judged_twice("runs", "--format", "json").json if row["run"] == NAMES["rl"])
    assert run["correct"] == 9_505
    said = judged_twice("audit", *PAIR, "--verifier", "loose").stderr
    assert said.count("0 samples judged by loose") == 2, "what was judged is not judged again"


def rows(run: str, right: int, said: int | None = None) -> list[dict[str, object]]:
    """Of each problem so many samples are right, and the file calls so many correct."""
    return [
        {
            "problem_id": f"p{p}",
            "question": f"What is {p}?",
            "reference_answer": str(p),
            "completion": f"I think \\boxed{{{p if i < right else -1}}} {run} {i}",
            "is_correct": i < (right if said is None else said),
            "model": run,
            "role": run,
            "benchmark": "b",
        }
        for p in range(30)
        for i in range(400)
    ]


def test_killed_and_called_again_it_goes_on(tmp_path: Path) -> None:
    passk = beside_loose(tmp_path, "number")
    slow = (tmp_path / "site" / "loose.py").read_text(encoding="utf-8").replace(
        "found = load_verifier", "import time; time.sleep(0.002); found = load_verifier"
    )  # fmt: skip
    (tmp_path / "site" / "loose.py").write_text(slow, encoding="utf-8")
    for run in ("base", "rl"):
        passk("import", jsonl(tmp_path / f"{run}.jsonl", rows(run, 3)))
    process = passk.start("audit", "--verifier", "loose")
    parts = tmp_path / "store.passk" / "parts"
    before = len(list(parts.iterdir()))
    wait_while(lambda: len(list(parts.iterdir())) == before and process.poll() is None)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    said = passk("audit", "--verifier", "loose").stderr
    first = int(said.split("base@b: ")[1].split(" ")[0].replace(",", ""))
    assert 0 < first < 12_000
    assert "rl@b: 12,000 samples" in said


def test_a_file_that_is_generous_to_rl_alone_is_told_first(run_passk: Passk) -> None:
    for run, said in (("base", 3), ("rl", 7)):
        run_passk("import", jsonl(run_passk.folder / f"{run}.jsonl", rows(run, 3, said)))
    found = run_passk("audit", "--verifier", "number", "--format", "json").json
    assert found["says"][0].startswith("counting and number disagree at different rates on base and RL")
    (rejects,) = (each for each in found["differences"] if each["rate"] == "rejects")
    assert rejects["differs"] and rejects["base"] == 0 and rejects["rl"] == pytest.approx(4 / 7)
    assert found["sets"]["first"] == found["sets"]["second"], "the sets alone would not tell"


def test_what_is_missing_is_said(tmp_path: Path) -> None:
    passk = beside_loose(tmp_path)
    for run in ("base", "rl"):
        passk("import", jsonl(tmp_path / f"{run}.jsonl", rows(run, 3)))
    assert "Against which verdicts?" in passk("audit", status=1).stderr
    assert "No verdicts of strikt stand beside both runs" in passk("audit", "--second", "strikt", status=1).stderr
    assert "imported is compared with itself" in passk(
        "audit", "--first", "imported", "--second", "imported", status=1
    ).stderr  # fmt: skip
    assert "There is no verifier lose" in passk("audit", "--verifier", "lose", status=1).stderr


@pytest.mark.skipif(not (SHARED_DATA / "lm_eval").is_dir(), reason=f"{SHARED_DATA / 'lm_eval'} is not there")
def test_strict_against_flexible(run_passk: Passk) -> None:
    """Two filters of an evaluation stand beside already. The files hold the strict one; the other is lm-eval's own."""
    files = sorted((SHARED_DATA / "lm_eval").glob("samples_gsm8k*.jsonl"))
    expected = Counter()
    for role, path in zip(NAMES, files, strict=True):
        lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        more = []
        for line in lines:
            found = re.findall(r"(-?[$0-9.,]{2,})|(-?[0-9]+)", line["resps"][0][0])
            answer = next(filter(None, found[-1])) if found else "[invalid]"
            reference = line["target"].split("####")[-1].strip().replace(",", "")
            right = answer.replace(",", "").replace("$", "").rstrip(".") == reference
            more.append(line | {"filter": "flexible-extract", "filtered_resps": [answer], "exact_match": float(right)})
            expected[role, line["exact_match"] == 1, right] += 1
        written = jsonl(run_passk.folder / f"{role}-samples_gsm8k.jsonl", [*lines, *more])
        run_passk("import", written, "--model", role, "--role", role, "--benchmark", "gsm8k")
    found = run_passk("audit", "--format", "json").json
    assert (found["first"], found["second"]) == ("counting", "flexible-extract")
    for role in NAMES:
        strata = found["runs"][role]["strata"]
        assert [
            strata[name]["samples"] for name in ("both_correct", "first_only", "second_only", "neither_correct")
        ] == [expected[role, one, other] for one in (True, False) for other in (True, False)]


def read_some(layout: StoreLayout, samples: Samples, wanted: dict[tuple[bool, bool], int], seed: int) -> None:
    """A person reads so many samples of each stratum of both runs, at random, and says what `expression` says."""
    random = Random(seed)
    database = open_store(layout)
    with Reader(database) as reader:
        chosen = []
        for name, run in ((name, reader.run(full)) for name, full in NAMES.items()):
            keys = {label: key for key, label in reader.labels(run.benchmark).items()}
            for stratum, count in wanted.items():
                there = sorted(key for key, said in samples.items() if key[0] == name and said == stratum)
                for _, label, sample in random.sample(there, min(count, len(there))):
                    value = "correct" if samples[name, label, sample][0] else "wrong"
                    chosen.append(
                        Decision("override", run_key=run.key, problem_key=keys[label], sample=sample, value=value)
                    )
        write_decisions(reader.database, lambda _: chosen, "read")
    database.close()


def test_error_rates_from_what_was_read(twice: Passk, samples: Samples) -> None:
    """Agreements are read at another rate than disagreements; the loose verifier's rate is in its interval."""
    wanted = {(True, True): 150, (False, True): 60, (False, False): 400}
    read_some(layout_of(twice), samples, wanted, 7)
    found = twice("audit", *PAIR, "--format", "json").json
    for run in NAMES:
        facts = found["runs"][run]
        sizes = {name: cell["samples"] for name, cell in facts["strata"].items()}
        assert {name: cell["read"] for name, cell in facts["strata"].items()} == {
            "both_correct": 150, "first_only": 0, "second_only": 60, "neither_correct": 400
        }  # fmt: skip
        loose = facts["errors"]["second"]
        wrong = sizes["second_only"] + sizes["neither_correct"]
        # What was read says: all of both are correct, none of the others.
        assert loose["false_positives"]["value"] == pytest.approx(sizes["second_only"] / wrong)
        assert loose["false_positives"]["low"] < RATE < loose["false_positives"]["high"] < 0.02
        assert loose["false_negatives"]["value"] == 0 < loose["false_negatives"]["high"]
        share = sizes["second_only"] / (sizes["second_only"] + sizes["both_correct"])
        assert loose["false_share"]["value"] == pytest.approx(share)
        assert loose["false_share"]["low"] < share < loose["false_share"]["high"]
        strict = facts["errors"]["first"]["false_positives"]
        assert strict["value"] == 0 < strict["high"]
    said = twice("audit", *PAIR).stderr
    assert "Read by people (passk override): 120 of 438 disagreements and 1,100 of 101,962 agreements." in said
    assert "By what was read, loose has false positives: 0.51 % on base, 0.48 % on RL" in said
    (row,) = (
        row for row in twice("audit", *PAIR, "--format", "csv").csv
        if (row["run"], row["verdicts"]) == (NAMES["rl"], "loose")
    )  # fmt: skip
    assert float(row["false_positives"]) == found["runs"]["rl"]["errors"]["second"]["false_positives"]["value"]


def test_where_nothing_was_read_a_rate_is_unknown(twice: Passk, samples: Samples) -> None:
    """What a side calls correct was read, what both call wrong was not: its false share is known, no more."""
    read_some(layout_of(twice), samples, {(True, True): 20, (False, True): 20}, 3)
    errors = twice("audit", *PAIR, "--format", "json").json["runs"]["rl"]["errors"]["second"]
    assert errors["false_share"]["value"] is not None
    assert errors["false_positives"]["value"] is errors["false_negatives"]["value"] is None


def test_the_results_file_is_compared_with_what_was_read(run_passk: Passk) -> None:
    """lm-eval's own mean over the documents beside that of the samples; here RL's file lost a document."""
    for role, kept in (("base", 4), ("rl", 3)):
        folder = run_passk.folder / role
        folder.mkdir()
        lines = [
            {
                "doc_id": i,
                "doc": {"question": f"What is {i}?", "answer": f"#### {i}"},
                "target": str(i),
                "arguments": [[f"What is {i}?", {"until": [], "temperature": 0.0}]],
                "resps": [[f"It is {i if i < 2 else -1}."]],
                "filtered_resps": [str(i if i < 2 else -1)],
                "filter": form,
                "metrics": ["exact_match"],
                "exact_match": float(i < 2 + (form == "flexible-extract")),
            }
            for i in range(kept)
            for form in ("strict-match", "flexible-extract")
        ]
        jsonl(folder / "samples_gsm8k_2025-09-09T13-31-53.431753.jsonl", lines)
        results = {"exact_match,strict-match": 0.5, "exact_match_stderr,strict-match": 0.1}
        results |= {"exact_match,flexible-extract": 0.75, "exact_match_stderr,flexible-extract": 0.1}
        (folder / "results_2025-09-09T13-31-53.431753.json").write_text(json.dumps({"results": {"gsm8k": results}}))
        run_passk("import", role, "--model", role, "--role", role)
    found = run_passk("audit", "--format", "json").json
    assert [(m["metric"], m["of"], m["reported"], m["agrees"]) for m in found["runs"]["base"]["reported"]] == [
        ("exact_match,flexible-extract", "flexible-extract", 0.75, True),
        ("exact_match,strict-match", "imported", 0.5, True),
    ]
    assert [m["agrees"] for m in found["runs"]["rl"]["reported"]] == [False, False]
    assert (
        "RL: its results file says exact_match,strict-match 50.0 %, what was read (3 samples) says 66.7 %: they differ."
        in found["says"]
    )
