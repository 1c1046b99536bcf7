"""The figures of ../shared/data/README.md and of the paper, as the command line prints them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support import Passk, csv_file

EXACT = 1e-12


def sets_of(passk: Passk, base: str, rl: str, *more: str) -> dict[str, Any]:
    result: dict[str, Any] = passk("sets", "--base", base, "--rl", rl, "--format", "json", *more).json
    assert sum(result["counts"].values()) == len(result["problems"])
    for name, count in result["counts"].items():
        assert sum(problem["set"] == name for problem in result["problems"]) == count
    return result


def counts_of(passk: Passk, base: str, rl: str, *more: str) -> tuple[int, ...]:
    counts = sets_of(passk, base, rl, *more)["counts"]
    return tuple(counts[name] for name in ("both", "base_only", "rl_only", "neither"))


def members(result: dict[str, Any], name: str) -> list[str]:
    return [problem["problem"] for problem in result["problems"] if problem["set"] == name]


def curve_of(passk: Passk, run: str, k: str = "all") -> dict[int, float]:
    (curve,) = passk("curves", "--run", run, "--k", k, "--format", "json").json
    return {point["k"]: point["pass_at_k"] for point in curve["points"]}


def run_of(passk: Passk, name: str) -> dict[str, Any]:
    (run,) = (run for run in passk("runs", "--format", "json").json if run["run"] == name)
    return dict(run)


@pytest.mark.shared_data
def test_counts_of_qwen7b_on_math500(shared_data: Path, run_passk: Passk) -> None:
    file = shared_data / "qwen7b_math500_counts.csv"
    run_passk("import", file, "--benchmark", "MATH500", "--n", 128)
    base, rl = run_of(run_passk, "base@MATH500"), run_of(run_passk, "rl@MATH500")
    assert (base["role"], rl["role"]) == ("base", "rl")
    assert (base["problems"], base["samples"], base["correct"], base["solvable"]) == (500, 64_000, 39_291, 481)
    assert (rl["problems"], rl["samples"], rl["correct"], rl["solvable"]) == (500, 64_000, 49_877, 465)
    assert counts_of(run_passk, "base", "rl") == (462, 19, 3, 16)

    first, second = curve_of(run_passk, "base@MATH500"), curve_of(run_passk, "rl@MATH500")
    assert list(first) == list(second) == list(range(1, 129))
    expected = {
        1: (0.613921875, 0.779328125),
        2: (0.7340831692913385, 0.8235853838582677),
        8: (0.8681727477486968, 0.8829698676500476),
        32: (0.9292921989161737, 0.9150862887604729),
        128: (0.962, 0.93),
    }
    for k, (of_base, of_rl) in expected.items():
        assert first[k] == pytest.approx(of_base, rel=0, abs=EXACT)
        assert second[k] == pytest.approx(of_rl, rel=0, abs=EXACT)
    ahead = [k for k in first if second[k] > first[k]]
    assert ahead == list(range(1, len(ahead) + 1)), "they cross once"
    assert 8 <= len(ahead) < 16


@pytest.mark.shared_data
def test_paths_of_qwen_on_100_math_problems(shared_data: Path, run_passk: Passk) -> None:
    file = shared_data / "qwen25math_cot100" / "math_cot_100.jsonl"
    run_passk("import", file, "--model", "Qwen2.5-Math", "--benchmark", "MATH")
    run = run_of(run_passk, "Qwen2.5-Math@MATH")
    assert (run["problems"], run["samples"], run["correct"], run["solvable"]) == (100, 800, 728, 96)
    assert (run["n_min"], run["n_max"], run["unverified"], run["paths"]) == (8, 8, 0, 800)
    curve = curve_of(run_passk, "Qwen2.5-Math@MATH", "1,2,4,8")
    expected = {1: 0.91, 2: 0.9328571428571428, 4: 0.951, 8: 0.96}
    assert curve == pytest.approx(expected, rel=0, abs=EXACT)


STEP400, STEP800 = "llama_external_maths", "llama_external_800"


@pytest.mark.shared_data
def test_two_checkpoints_of_llama3b(shared_data: Path, run_passk: Passk) -> None:
    run_passk("import", shared_data / "reasoning_gym_llama3b")
    runs = run_passk("runs", "--format", "json").json
    found = {(run["model"], run["benchmark"]): run for run in runs}
    for (model, benchmark), (problems, correct, solvable) in {
        (STEP400, "AIME_2024"): (30, 36, 9),
        (STEP800, "AIME_2024"): (30, 40, 7),
        (STEP400, "amc23"): (40, 288, 27),
        (STEP800, "amc23"): (40, 283, 26),
    }.items():
        run = found[model, benchmark]
        assert (run["problems"], run["samples"]) == (problems, problems * 50)
        assert (run["correct"], run["solvable"], run["n_min"], run["n_max"]) == (correct, solvable, 50, 50)
        assert run["parameters"]["temperature"] == 0.6
        assert run["parameters"]["top_p"] == 0.9

    pair = (STEP400, STEP800)
    assert counts_of(run_passk, *pair, "--benchmark", "AIME_2024") == (5, 4, 2, 19)
    assert counts_of(run_passk, *pair, "--benchmark", "amc23") == (22, 5, 4, 9)
    first = curve_of(run_passk, f"{STEP400}@AIME_2024")
    second = curve_of(run_passk, f"{STEP800}@AIME_2024")
    assert (first[1], first[50]) == pytest.approx((0.024, 0.30), rel=0, abs=EXACT)
    assert (second[1], second[50]) == pytest.approx((40 / 1500, 7 / 30), rel=0, abs=EXACT)

    # What the explorer is for: the one right path to a problem that only one checkpoint solves.
    only_800 = members(sets_of(run_passk, *pair, "--benchmark", "AIME_2024"), "rl_only")
    assert len(only_800) == 2
    for problem in only_800:
        chosen = ("--benchmark", "AIME_2024", "--problem", problem, "--verdict", "correct")
        assert run_passk("paths", "--run", STEP800, *chosen).lines
        assert not run_passk("paths", "--run", STEP400, *chosen).lines


@pytest.mark.shared_data
def test_two_models_on_human_eval(shared_data: Path, run_passk: Passk) -> None:
    for model in ("codegemma", "codellama"):
        file = shared_data / "human_eval" / f"{model}_7b_results.jsonl"
        run_passk("import", file, "--model", model, "--benchmark", "HumanEval")
        run = run_of(run_passk, f"{model}@HumanEval")
        assert (run["problems"], run["samples"], run["correct"], run["solvable"]) == (164, 164, 47, 47)
        assert curve_of(run_passk, f"{model}@HumanEval") == pytest.approx({1: 47 / 164}, rel=0, abs=EXACT)
    assert counts_of(run_passk, "codegemma", "codellama") == (26, 21, 21, 96)


@pytest.mark.shared_data
def test_a_rollout_dump_is_read_as_long_form(shared_data: Path, run_passk: Passk) -> None:
    run_passk("import", shared_data / "verl_rollouts", "--model", "verl", "--benchmark", "GSM8K")
    run = run_of(run_passk, "verl@GSM8K")
    assert (run["problems"], run["samples"], run["correct"], run["step"]) == (128, 128, 2, 1)


def solved(text: str) -> set[int]:
    return {int(word) for word in text.split()}


AIME24_BASE = solved("0 1 4 6 7 8 9 11 12 14 15 16 17 18 19 22 23 24 25 26 27 28 29")
AIME24_RL = solved("0 1 6 7 8 9 12 14 15 16 18 22 23 24 25 26 27 28 29")
LIVECODEBENCH_INSTRUCT = solved(
    "400 402 403 407 409 412 413 417 418 419 422 423 427 432 433 436 438 439 440 444 445 448 449"
)
LIVECODEBENCH_CODER = solved("400 402 403 407 412 413 417 418 419 422 423 427 430 433 438 439 440 444 445 449")


def import_lists(passk: Passk, indices: range, n: int, **solvable: set[int]) -> None:
    rows = [(index, *(int(index in of_model) for of_model in solvable.values())) for index in indices]
    file = csv_file(passk.folder / "solved.csv", ("problem", *solvable), rows)
    passk("import", file, "--benchmark", "lists", "--n", n)


def test_table_4_of_the_paper(run_passk: Passk) -> None:
    import_lists(run_passk, range(30), 1024, base=AIME24_BASE, rl=AIME24_RL)
    found = sets_of(run_passk, "base", "rl")
    assert found["counts"] == {"both": 19, "base_only": 4, "rl_only": 0, "neither": 7}
    assert members(found, "base_only") == ["4", "11", "17", "19"]
    assert members(found, "neither") == [str(i) for i in range(30) if i not in AIME24_BASE]
    assert found["base"] == {"run": "base@lists", "n_min": 1024, "n_max": 1024}


def test_table_5_of_the_paper(run_passk: Passk) -> None:
    import_lists(run_passk, range(400, 450), 128, instruct=LIVECODEBENCH_INSTRUCT, coder=LIVECODEBENCH_CODER)
    found = sets_of(run_passk, "instruct", "coder")
    assert {int(problem) for problem in members(found, "both")} == LIVECODEBENCH_INSTRUCT & LIVECODEBENCH_CODER
    assert {int(problem) for problem in members(found, "base_only")} == {409, 432, 436, 448}
    assert members(found, "rl_only") == ["430"]
    assert found["counts"] == {"both": 19, "base_only": 4, "rl_only": 1, "neither": 26}
