"""Verifiers by name: built in, from other packages, missing, and the one that fits."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from backend.errors import UsageError
from backend.verifiers import registry
from backend.verifiers.registry import BUILT_IN, fitting, load_verifier, verifier_names
from tests.support import ROOT, run_python


def test_every_built_in_verifier_has_its_name_and_a_version(monkeypatch: pytest.MonkeyPatch) -> None:
    assert set(BUILT_IN) == {"math", "exact", "number", "choice", "expression"}
    for name in set(BUILT_IN) - {"math"}:
        verifier = load_verifier(name)
        assert (verifier.name, verifier.version) == (name, "1")


def test_an_unknown_name_gets_the_nearest() -> None:
    with pytest.raises(UsageError, match="There is no verifier maths") as error:
        load_verifier("maths")
    assert "math" in error.value.next_step


def test_a_missing_package_is_named_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(registry.NEEDS, "math", ("no_such_module", "math-verify", "verify"))
    with pytest.raises(UsageError) as error:
        load_verifier("math")
    assert error.value.title == (
        "The verifier math needs the package math-verify: pip install 'passk-explorer[verify]'"
    )
    assert "math" in verifier_names(), "it can be chosen for a benchmark all the same"


PLUG_IN = """
from backend.verifiers.protocol import Verdict

class Shouting:
    name = "shouting"
    version = "3"
    cheap = True

    def judge(self, task):
        return Verdict("correct" if task.text.isupper() else "wrong", detail="loud or not")

class Impostor(Shouting):
    name = "exact"
"""


def test_another_package_brings_a_verifier_and_takes_no_name(tmp_path: Path) -> None:
    (tmp_path / "shouting.py").write_text(PLUG_IN, encoding="utf-8")
    info = tmp_path / "shouting-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: shouting\nVersion: 1.0\n", encoding="utf-8")
    (info / "entry_points.txt").write_text(
        "[passk.verifiers]\nshouting = shouting:Shouting\nexact = shouting:Impostor\nbroken = shouting:Nothing\n",
        encoding="utf-8",
    )
    program = """
from backend.errors import UsageError
from backend.verifiers.protocol import Task
from backend.verifiers.registry import load_verifier, verifier_names
loud = load_verifier("shouting")
print(loud.version, loud.judge(Task("HERE")).verdict, load_verifier("exact").version)
print(*verifier_names())
try:
    load_verifier("broken")
except UsageError as error:
    print(error.title)
"""
    result = run_python(program, env={**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"})
    assert result.stdout.splitlines() == [
        "3 correct 1",
        "math exact number choice expression broken shouting",
        "The verifier plug-in broken cannot be loaded",
    ], result.stderr


@pytest.mark.parametrize(
    ("problems", "name"),
    [
        ([(None, {"numbers": [1, 2], "target": 3})], "expression"),
        ([("5", {"numbers": "1 2", "target": 3})], "number"),
        ([("A", {}), ("(C)", {}), (None, {})], "math"),
        ([("A", {}), ("C", {}), (None, {})], "choice"),
        ([("5", {}), ("-1/2", {}), ("1,234", {}), ("x\n#### 7", {})], "number"),
        ([("5", {}), ("x", {})], "math"),
        ([(r"\frac{1}{2}", {}), (r"\sqrt{2}", {})], "math"),
        ([(None, {}), (" ", {})], None),
        ([], None),
    ],
)
def test_the_verifier_that_fits(problems: list[registry.Known], name: str | None) -> None:
    assert fitting(problems) == name
