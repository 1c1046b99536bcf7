"""Small inputs on which claims were wrong: what the commands say of them now."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support import SHARED_DATA, Passk, jsonl

CASES = SHARED_DATA / "cases" / "claims"
needs_cases = pytest.mark.skipif(not CASES.is_dir(), reason=f"{CASES} is not there")


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Passk]:
    """A store of a case, by its name; made once."""
    made: dict[str, Passk] = {}

    def of(name: str) -> Passk:
        if name not in made:
            folder = tmp_path_factory.mktemp(name)
            (folder / "home").mkdir()
            made[name] = Passk(folder, folder / "home")
            for role in ("base", "rl"):
                made[name]("import", CASES / name / f"{role}.csv", "--model", role, "--role", role, "--benchmark", name)
        return made[name]

    return of


def sets(passk: Passk, *more: str | int) -> dict[str, Any]:
    found: dict[str, Any] = passk("sets", "--doubt", "--format", "json", *more).json
    return found


@needs_cases
def test_never_solved_is_no_evidence_of_expansion(case: Callable[[str], Passk]) -> None:
    found = sets(case("never-solved"))
    assert found["expected"]["both"] == [0, 0]
    for name in ("base_only", "rl_only"):
        assert found["expected"][name][0] == 0 and found["expected"][name][1] <= 4
    assert found["expected"]["neither"][1] == 500
    assert found["expected_changes"] < 2
    difference = case("never-solved")("difference", "--format", "json").json
    assert all(point["low"] < 0 < point["high"] for point in difference["points"]), (
        "nothing solved is not nothing known"
    )
    assert difference["leads"] == difference["crossings"] == []


@needs_cases
def test_both_crossings_and_who_leads_at_the_end(case: Callable[[str], Passk]) -> None:
    found = case("two-crossings")("difference", "--format", "json")
    assert found.json["crossings"] == [4, 151]
    assert [lead["ahead"] for lead in found.json["leads"]] == ["rl", "base", "rl"]
    assert found.json["leads"][-1]["by"] == pytest.approx(0.15)
    assert "the curves cross at k = 4 and 151" in found.stderr
    assert "RL from 151 (by 15.0 points at k = 256)" in found.stderr


def test_one_common_sample_says_nothing_of_a_crossing(run_passk: Passk) -> None:
    (run_passk.folder / "a.csv").write_text("problem,n,c\np,1,1\nq,1,0\n")
    (run_passk.folder / "b.csv").write_text("problem,n,c\np,4,1\nq,4,2\n")
    for name, role in (("a", "base"), ("b", "rl")):
        run_passk("import", f"{name}.csv", "--model", name, "--role", role, "--benchmark", "few")
    said = run_passk("difference").stderr
    assert "of a crossing nothing can be said" in said
    assert "do not cross" not in said


def test_beyond_three_n_there_is_no_percentage(run_passk: Passk) -> None:
    (run_passk.folder / "a.csv").write_text("problem,n,c\n" + "".join(f"p{i},8,{i % 5}\n" for i in range(20)))
    for name, role in (("a", "base"), ("b", "rl")):
        run_passk("import", "a.csv", "--model", name, "--role", role, "--benchmark", "few")
    near, far = run_passk("sets", "--more", 24), run_passk("sets", "--more", 25)
    assert "95 % prediction intervals" in near.stderr
    assert "95 % prediction" not in far.stderr and "they have no percentage" in far.stderr
    assert "lean on a prior fitted to all problems: at n = 8, base c = 2 against RL c = 0" in near.stderr


def test_evidence_of_the_pair_in_words_columns_and_filter(run_passk: Passk) -> None:
    """One problem that RL alone solves for sure, one by luck; two of the base in the same way, and equal ones."""
    base = [0, 0, 50, 1, *[20] * 36]
    rl = [50, 1, 0, 0, *[21] * 36]
    rows = "".join(f"q{place},{b},{r}\n" for place, (b, r) in enumerate(zip(base, rl, strict=True)))
    (run_passk.folder / "c.csv").write_text(f"problem,base,rl\n{rows}")
    run_passk("import", "c.csv", "--benchmark", "tested", "--n", 64)
    names = ("--base", "base", "--rl", "rl")
    said = run_passk("sets", *names, "--evidence")
    assert "RL-only 2: 1 beyond chance, 1 compatible with none" in said.stderr
    assert "2 against 2, p = 1" in said.stderr
    assert "Holm over 40 problems" in said.stderr
    found = run_passk("sets", *names, "--format", "json").json
    assert found["evidence"]["beyond_chance"] == {"base_only": 1, "rl_only": 1}
    first = found["problems"][0]["evidence"]
    assert (first["ahead"], found["problems"][1]["evidence"]["ahead"]) == ("rl", "none")
    assert first["holm"] == pytest.approx(first["p"] * 40)
    assert first["base"]["upper"] == pytest.approx(1 - 0.05 ** (1 / 64))
    chosen = run_passk("sets", *names, "--problems", "evidence:rl,base", "--format", "json")
    assert [problem["problem"] for problem in chosen.json["problems"]] == ["q0", "q2"]
    assert chosen.json["evidence"]["tested"] == 40, "chosen by their outcome, they are adjusted for all"
    assert chosen.json["evidence"]["discordance_p"] is None
    assert "there is no such evidence" in run_passk("sets", *names, "--problems", "evidence:x", status=1).stderr


def uneven(passk: Passk) -> None:
    """Base with 8 samples of each problem, RL with 4."""
    for name, role, n, correct in (("a", "base", 8, (8, 2, 1, 0)), ("b", "rl", 4, (4, 0, 1, 0))):
        rows = "".join(f"p{place},{n},{c}\n" for place, c in enumerate(correct))
        (passk.folder / f"{name}.csv").write_text(f"problem,n,c\n{rows}")
        passk("import", f"{name}.csv", "--model", name, "--role", role, "--benchmark", "uneven")


def test_no_column_of_a_paper_table_has_two_ks(run_passk: Passk) -> None:
    uneven(run_passk)
    run_passk("export", "sets", "--to", "sets.tex")
    rows = [
        line.split("&") for line in (run_passk.folder / "sets.tex").read_text().splitlines() if line.count("&") == 5
    ]
    assert [[cell.strip() for cell in row[3:4]] for row in rows[1:3]] == [["4"], ["4"]]
    # pass@4 of 2 and 1 correct of 8: 1 - C(6, 4) / C(8, 4), and one half.
    assert float(rows[1][5].strip(" \\")) == pytest.approx(1 + (1 - 15 / 70) + 0.5, abs=0.05)
    assert "is not tested: n differs" in run_passk("sets", "--evidence").stderr


def test_home_compares_at_the_common_n(run_passk: Passk) -> None:
    from backend import Reader, default_pairs, open_store, pair_summaries, store_for_reading

    uneven(run_passk)
    database = open_store(store_for_reading(str(next(run_passk.folder.glob("*.passk")))))
    try:
        with Reader(database) as reader:
            [pair] = pair_summaries(reader, default_pairs(reader.runs()))
    finally:
        database.close()
    assert pair.counts == {"both": 2, "base_only": 1, "rl_only": 0, "neither": 1}
    assert pair.smallest_n == 4
    assert pair.at_common_n is not None
    assert pair.at_common_n["base_only"] == pytest.approx(1 - 15 / 70)
    assert pair.at_common_n["rl_only"] == pytest.approx(0.5)
    assert sum(pair.at_common_n.values()) == pytest.approx(4)


@pytest.mark.parametrize(
    "words",
    ["sets", "difference", "stats efficiency", "export sets --to {}/s.md", "export difference --to {}/d.csv"],
)
def test_why_nothing_is_compared_is_said_everywhere(run_passk: Passk, tmp_path: Path, words: str) -> None:
    """Base and RL were asked in other words; ids and references agree."""
    store = tmp_path / "apart.passk"
    for role, asked in (("base", "Compute"), ("rl", "In words, what is")):
        rows = [
            {
                "problem_id": f"q{p}",
                "problem": f"{asked} {p} + 1?",
                "response": f"{role} {p} {s}",
                "reference": f"{p + 1}",
            }
            | {"is_correct": s < p, "model": role, "role": role, "benchmark": "b"}
            for p in range(3)
            for s in range(2)
        ]
        run_passk("import", jsonl(tmp_path / f"{role}.jsonl", rows), "--store", store)
    done = run_passk(*words.format(tmp_path).split(), "--store", store, status=None)
    assert "Nothing is compared: base@b" in done.stderr
    assert "passk match base@b rl@b --by id" in done.stderr
