"""The contract of the command line: shapes, exit status, what goes where."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.support import Passk, csv_file, jsonl, long_rows, passk_command, qwen_line, without_rights


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Passk]:
    """A store with a base and an RL run: n differs, a problem is only in one, one has no verdict."""
    folder = tmp_path_factory.mktemp("pair")
    (folder / "home").mkdir()
    passk = Passk(folder, folder / "home")
    base = [
        qwen_line("only the base run solves this", [True, False, True, False], idx=0),
        qwen_line("both solve this", [True, True, True, True], idx=1),
        qwen_line("nobody solves this", [False, False, False, False], idx=2),
        qwen_line("only in base", [True, True, True, True], idx=3),
        qwen_line("the base run has no verdict here", [None, None, None, None], idx=4),
    ]
    rl = [
        qwen_line("only the base run solves this", [False] * 6, idx=0),
        qwen_line("both solve this", [True] * 5 + [False], idx=1),
        qwen_line("nobody solves this", [False, False], idx=2),
        qwen_line("the base run has no verdict here", [True, True], idx=4),
        qwen_line("only in rl", [True], idx=5),
    ]
    jsonl(folder / "base.jsonl", base)
    jsonl(folder / "rl.jsonl", rl)
    passk("import", "base.jsonl", "--model", "Base", "--role", "base", "--benchmark", "MATH")
    said = passk(
        "import",
        "rl.jsonl",
        "--model",
        "RL",
        "--role",
        "rl",
        "--from-model",
        "Base",
        "--step",
        150,
        "--benchmark",
        "MATH",
    )
    assert said.stdout == ""
    assert "n = 1 to 6 (unequal)" in said.stderr
    yield passk


# Shapes


def test_json_of_runs(pair: Passk) -> None:
    result = pair("runs", "--format", "json")
    base, rl = result.json
    contract = ("run", "model", "role", "step", "benchmark", "problems", "samples", "correct", "n_min", "n_max")
    assert {key: base[key] for key in contract} == {
        "run": "Base@MATH",
        "model": "Base",
        "role": "base",
        "step": None,
        "benchmark": "MATH",
        "problems": 5,
        "samples": 20,
        "correct": 10,
        "n_min": 4,
        "n_max": 4,
    }
    assert {key: rl[key] for key in contract} == {
        "run": "RL@MATH",
        "model": "RL",
        "role": "rl",
        "step": 150,
        "benchmark": "MATH",
        "problems": 5,
        "samples": 17,
        "correct": 8,
        "n_min": 1,
        "n_max": 6,
    }
    assert rl["from_model"] == "Base"
    assert base["unverified"] == 4


def test_json_of_curves(pair: Passk) -> None:
    result = pair("curves", "--format", "json")
    base, rl = result.json
    keys = ["run", "model", "role", "benchmark", "problems", "n_min", "n_max", "points"]
    assert list(base) == list(rl) == keys
    assert base["problems"] == 4, "the problem without a verdict is left out"
    assert [point["k"] for point in base["points"]] == [1, 2, 4]
    assert [point["k"] for point in rl["points"]] == [1]
    assert base["points"][0] == {"k": 1, "pass_at_k": pytest.approx((0.5 + 1 + 0 + 1) / 4, abs=1e-15)}
    assert "Base@MATH: 1 problems without a verdict are left out" in result.stderr
    assert "3 of 5 problems have fewer than 6 samples" in result.stderr


def test_json_of_sets(pair: Passk) -> None:
    result = pair("sets", "--base", "Base@MATH", "--rl", "RL@MATH", "--format", "json").json
    expected = result.pop("expected_at_common_n")
    evidence = result.pop("evidence")
    by_problem = [problem.pop("evidence") for problem in result["problems"]]
    assert result == {
        "benchmark": "MATH",
        "base": {"run": "Base@MATH", "n_min": 4, "n_max": 4},
        "rl": {"run": "RL@MATH", "n_min": 2, "n_max": 6},
        "min_correct": 1,
        "counts": {"both": 1, "base_only": 1, "rl_only": 0, "neither": 1},
        "not_compared": {"only_in_base": ["3"], "only_in_rl": ["5"], "without_verdict": ["4"]},
        "problems": [
            {"problem": "0", "set": "base_only", "base": {"n": 4, "c": 2}, "rl": {"n": 6, "c": 0}},
            {"problem": "1", "set": "both", "base": {"n": 4, "c": 4}, "rl": {"n": 6, "c": 5}},
            {"problem": "2", "set": "neither", "base": {"n": 4, "c": 0}, "rl": {"n": 2, "c": 0}},
        ],
    }
    # Two draws of four, two of them right: 5/6. Two of six, five of them right: always.
    assert expected == {
        "n": 2,
        "both": pytest.approx(1, abs=1e-12),
        "base_only": pytest.approx(5 / 6, abs=1e-12),
        "rl_only": 0,
        "neither": pytest.approx(1 + 1 / 6, abs=1e-12),
    }
    # Six of ten wrong by chance: two of four right against none of six, one-sided Fisher: C(8, 2) / C(10, 4) = 28/210.
    assert [found["ahead"] for found in by_problem] == ["none", "none", "none"]
    assert by_problem[0]["p"] == pytest.approx(2 / 15, abs=1e-12)
    assert evidence["tested"] == 3


def test_sets_say_what_must_be_known_to_read_them(pair: Passk) -> None:
    said = pair("sets", "--base", "Base@MATH", "--rl", "RL@MATH").stderr
    assert "3 problems compared: both 1, base-only 1, RL-only 0, neither 1" in said
    assert "n differs" in said
    assert "n = 2" in said
    assert "Not compared: 1 problem that base does not have" in said
    assert "Not compared: 1 problem that RL does not have" in said
    assert "Not compared: 1 problem without a verdict" in said


def test_min_correct_raises_the_threshold(pair: Passk) -> None:
    result = pair("sets", "--base", "Base@MATH", "--rl", "RL@MATH", "--min-correct", 3, "--format", "json").json
    assert result["min_correct"] == 3
    assert result["counts"] == {"both": 1, "base_only": 0, "rl_only": 0, "neither": 2}


def test_equal_n_needs_no_expectation(run_passk: Passk) -> None:
    csv_file(run_passk.folder / "c.csv", ("problem", "a", "b"), [(1, 3, 0), (2, 0, 0)])
    run_passk("import", "c.csv", "--benchmark", "abc", "--n", 4)
    # A model's name is enough where it has one run.
    result = run_passk("sets", "--base", "a", "--rl", "b", "--format", "json")
    assert "expected_at_common_n" not in result.json
    assert "n differs" not in result.stderr


def test_jsonl_of_paths(pair: Passk) -> None:
    result = pair("paths", "--run", "Base@MATH", "--problem", "0")
    assert [(path["index"], path["verdict"]) for path in result.lines] == [
        (0, "correct"),
        (1, "wrong"),
        (2, "correct"),
        (3, "wrong"),
    ]
    first = result.lines[0]
    assert first["run"] == "Base@MATH"
    assert first["problem"] == "0"
    assert first["text"] == "attempt 0 at only the base run solves this"
    assert first["answer"] == "42"
    assert first["finish_reason"] == "stop"
    assert first["format"] == "qwen-math"
    assert first["source"] == str((pair.folder / "base.jsonl").resolve())
    assert first["source_row"] == 1
    assert result.stderr == ""


def test_paths_of_one_verdict_and_cut_at_a_limit(pair: Passk) -> None:
    chosen = ("paths", "--run", "Base@MATH", "--problem", "1")
    assert pair(*chosen, "--verdict", "wrong").lines == []
    cut = pair(*chosen, "--verdict", "correct", "--limit", 3)
    assert [path["index"] for path in cut.lines] == [0, 1, 2]
    assert "3 of 4 samples" in cut.stderr
    assert "of 4" not in pair(*chosen, "--limit", 4).stderr


@pytest.mark.parametrize("command", [("runs",), ("curves",), ("sets", "--base", "Base@MATH", "--rl", "RL@MATH")])
def test_csv_and_table(pair: Passk, command: tuple[str, ...]) -> None:
    rows = pair(*command, "--format", "csv").csv
    assert rows
    assert all(None not in row and None not in row.values() for row in rows), "every row has every column"
    lines = pair(*command, "--format", "table").stdout.splitlines()
    assert len(lines) >= 3
    assert pair(*command).stdout.splitlines() == lines, "a table unless said otherwise"


def test_csv_of_curves_holds_the_full_numbers(pair: Passk) -> None:
    rows = pair("curves", "--run", "Base@MATH", "--k", "1", "--format", "csv").csv
    assert float(rows[0]["pass_at_k"]) == pytest.approx(0.625, abs=1e-15)


# k


def points(result: Any) -> dict[str, list[int]]:
    return {curve["run"]: [point["k"] for point in curve["points"]] for curve in result.json}


def test_all_ks(pair: Passk) -> None:
    result = pair("curves", "--k", "all", "--format", "json")
    assert points(result) == {"Base@MATH": [1, 2, 3, 4], "RL@MATH": [1]}


def test_k_beyond_n_is_absent_and_said(pair: Passk) -> None:
    result = pair("curves", "--run", "Base@MATH", "--k", "2,4,5,64", "--format", "json")
    assert points(result) == {"Base@MATH": [2, 4]}
    assert re.search(r"undefined for k = 5, 64: the smallest n is 4", result.stderr)


def test_k_that_fits_needs_no_word(pair: Passk) -> None:
    said = pair("curves", "--run", "Base@MATH", "--k", "4", "--format", "json").stderr
    assert "undefined" not in said


@pytest.mark.parametrize("k", ["0", "-1", "x", "1,,2", "1.5", ""])
def test_no_k(pair: Passk, k: str) -> None:
    result = pair("curves", f"--k={k}", status=1)
    assert result.stdout == ""
    assert "--k" in result.stderr


# Failures


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (("curves", "--run", "nobody"), "no run nobody"),
        (("curves", "--run", "MATH"), "2 runs match MATH"),
        (("curves", "--benchmark", "GSM8K"), "no benchmark GSM8K"),
        (("sets", "--base", "Base@MATH", "--rl", "Base@MATH"), "two different runs"),
        (("paths", "--run", "Base", "--problem", "99"), "no problem 99"),
        (("runs", "--store", "nothing.passk"), "/nothing.passk"),
        (("runs", "--store", "base.jsonl"), "base.jsonl is not a store"),
        (("import", "nothing.jsonl"), "nothing.jsonl: no such file"),
        (("import", "base.jsonl", "--column", "verdict"), "expected FIELD=COLUMN"),
        (("import", "base.jsonl", "--format", "qwen"), "unknown format"),
        (("import", "base.jsonl", "--model", "m", "--benchmark", "b", "--role", "boss"), "unknown role"),
        (("doctor", "--rebuild", "nothing.passk"), "/nothing.passk"),
    ],
)
def test_a_failure_is_a_sentence_on_stderr_and_status_1(pair: Passk, command: tuple[str, ...], words: str) -> None:
    result = pair(*command, status=1)
    assert result.stdout == ""
    assert result.stderr.startswith("passk: ")
    assert words in result.stderr


@pytest.mark.parametrize(
    "command",
    [
        ("stats",),
        ("runs", "--format", "xml"),
        ("no-such-command", "x"),
        ("sets", "--base", "a", "--rl", "b", "--min-correct", "0"),
    ],
)
def test_wrong_usage_is_status_2(pair: Passk, command: tuple[str, ...]) -> None:
    result = pair(*command, status=2)
    assert result.stdout == ""
    assert "usage:" in result.stderr


def test_the_explorer_needs_a_terminal(pair: Passk) -> None:
    result = pair(status=1)
    assert result.stdout == ""
    assert "needs a terminal" in result.stderr


def test_runs_of_different_benchmarks_are_not_compared(run_passk: Passk) -> None:
    for benchmark in ("A", "B"):
        csv_file(run_passk.folder / "c.csv", ("problem", "n", "c"), [(benchmark, 4, 1)])
        run_passk("import", "c.csv", "--benchmark", benchmark, "--model", "m")
    result = run_passk("sets", "--base", "m@A", "--rl", "m@B", status=1)
    assert "Only runs of one benchmark can be compared" in result.stderr


# Names and places


def test_default_and_chosen_names_of_runs(run_passk: Passk) -> None:
    jsonl(run_passk.folder / "a.jsonl", long_rows())
    run_passk("import", "a.jsonl", "--model", "Qwen", "--benchmark", "AIME24")
    run_passk("import", "a.jsonl", "--model", "Qwen", "--benchmark", "AIME24", "--run", "hot")
    assert [run["run"] for run in run_passk("runs", "--format", "json").json] == ["Qwen@AIME24", "hot"]


def names(passk: Passk, *more: str, **environment: str) -> list[str]:
    return [run["run"] for run in passk("runs", "--format", "json", *more, **environment).json]


def test_which_store_is_meant(run_passk: Passk) -> None:
    """--store goes before $PASSK_STORE, that before ./store.passk, that before the sample store."""
    for name in ("here", "there", "elsewhere"):
        csv_file(run_passk.folder / f"{name}.csv", ("problem", "n", "c"), [(1, 4, 1)])
    chosen = ("--benchmark", "b", "--model")
    run_passk("import", "there.csv", *chosen, "there", PASSK_STORE="there.passk")
    run_passk("import", "elsewhere.csv", *chosen, "elsewhere", "--store", "elsewhere.passk", PASSK_STORE="there.passk")
    assert not (run_passk.folder / "store.passk").exists()
    run_passk("import", "here.csv", *chosen, "here")
    assert (run_passk.folder / "store.passk").is_dir()

    assert names(run_passk) == ["here@b"]
    assert names(run_passk, PASSK_STORE="there.passk") == ["there@b"]
    assert names(run_passk, "--store", "elsewhere.passk", PASSK_STORE="there.passk") == ["elsewhere@b"]
    away = Passk(run_passk.home, run_passk.home)
    assert "here@b" not in names(away)


def test_the_sample_store_is_there_without_any_setting(run_passk: Passk) -> None:
    result = run_passk("curves", "--benchmark", "MATH500", "--k", "1,128", "--format", "json")
    values = {curve["run"]: [point["pass_at_k"] for point in curve["points"]] for curve in result.json}
    found = sorted(values.values())
    assert [0.613921875, 0.962] in [pytest.approx(value, abs=1e-12) for value in found]
    assert [0.779328125, 0.93] in [pytest.approx(value, abs=1e-12) for value in found]
    assert not list(run_passk.folder.iterdir()), "nothing is written where one stands"
    sources = {str(run["parameters"].get("source")) for run in run_passk("runs", "--format", "json").json}
    assert any("limit-of-rlvr-qwen7b-math500-reproduction" in source for source in sources), "the source is named"


def test_two_first_starts_at_once_share_one_sample_store(run_passk: Passk) -> None:
    started = [run_passk.start("runs", "--format", "csv") for _ in range(3)]
    outputs = [process.communicate(timeout=60) for process in started]
    assert [process.returncode for process in started] == [0, 0, 0], outputs
    assert len({stdout for stdout, _ in outputs}) == 1
    stores = [path for path in (run_passk.home / "data").rglob("*.passk*") if path.is_dir()]
    assert len(stores) == 1


# stdout


def test_head_may_close_the_pipe(run_passk: Passk) -> None:
    # Far more than a pipe holds.
    jsonl(run_passk.folder / "long.jsonl", [qwen_line("long", [True] * 200, code=["x" * 5_000] * 200)])
    run_passk("import", "long.jsonl", "--model", "m", "--benchmark", "b")
    process = subprocess.Popen(
        [*passk_command(), "paths", "--run", "m@b", "--problem", "0"],
        cwd=run_passk.folder,
        env=run_passk.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.readline().startswith(b'{"run": "m@b"')
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait(timeout=30) == 0


def test_output_is_utf8_and_ascii_locales_do_not_break_it(run_passk: Passk) -> None:
    jsonl(run_passk.folder / "a.jsonl", [qwen_line("größer 数学", [True])])
    run_passk("import", "a.jsonl", "--model", "Modell-ü", "--benchmark", "b")
    for locale in ("C.UTF-8", "C", "POSIX"):
        assert names(run_passk, LC_ALL=locale) == ["Modell-ü@b"]


def test_names_from_files_cannot_command_the_terminal(run_passk: Passk) -> None:
    evil = "\x1b]0;owned\x07\x1b[2J\u202e"
    rows = [{**row, "problem_id": f"{row['problem_id']}{evil}"} for row in long_rows(model=f"m{evil}")]
    jsonl(run_passk.folder / "evil.jsonl", rows)
    outputs = [
        run_passk("import", "evil.jsonl", "--benchmark", "b"),
        run_passk("runs"),
        run_passk("runs", "--format", "json"),
        run_passk("curves", "--k", "9"),
        run_passk("paths", "--run", "m", "--problem", "nothing", status=1),
        run_passk("paths", "--run", "m", "--problem", f"p1{evil}"),
    ]
    for output in outputs:
        for text in (output.stdout, output.stderr):
            assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", text), repr(text)
    assert outputs[2].json[0]["model"] == f"m{evil}", "json says it exactly"


def test_doctor(run_passk: Passk) -> None:
    found = {row["what"]: row for row in run_passk("doctor", "--format", "json").json}
    assert found["duckdb"]["status"] == "ok"
    assert found["transformers"]["status"] in ("ok", "not installed")
    assert {"terminal", "colours", "encoding"} <= found.keys()


def test_help_names_every_command(run_passk: Passk) -> None:
    text = run_passk("--help").stdout
    for command in ("import", "runs", "curves", "sets", "paths", "doctor"):
        assert command in text
        assert "--" in run_passk(command, "--help").stdout
    assert run_passk("--version").stdout.startswith("passk ")


def test_an_unwritable_place_for_a_store(run_passk: Passk, open_folder: Path) -> None:
    """As a user without rights; root may write everywhere."""
    csv_file(open_folder / "c.csv", ("problem", "n", "c"), [(1, 4, 1)])
    open_folder.chmod(0o555)
    environment = replace(run_passk, home=open_folder).environment
    result = subprocess.run(
        [*without_rights(), *passk_command(), "import", "c.csv", "--model", "m", "--benchmark", "b"],
        cwd=open_folder,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert result.returncode == 1
    assert "cannot be made" in result.stderr
    assert "Traceback" not in result.stderr
