"""Small inputs on which claims were wrong: what the commands say of them now."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.support import SHARED_DATA, Passk

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
