"""One mechanism for what other packages bring, and what is said of one that keeps no promise."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from backend.conformance import PLUG_INS, check_installed, check_plug_in
from backend.engines.registry import ENGINES
from backend.step_checkers import Checked
from backend.verifiers.literal import ExactVerifier
from backend.verifiers.protocol import Task, Verdict
from tests.support import ROOT, Passk, jsonl

PACKAGE = """
from backend.engines.protocol import EngineKind
from backend.importers.protocol import Block, ProblemFacts, RunFacts
from backend.step_checkers import Checked
from backend.verifiers.protocol import Verdict

class Shouting:
    name, version, cheap = "shouting", "3", True

    def judge(self, task):
        return Verdict("correct" if task.text.isupper() else "wrong", detail="loud or not")

class Impostor(Shouting):
    name = "exact"

class Doubter:
    name, version = "doubter", "1"

    def check(self, task):
        return Checked("unsure", "One never knows.")

class Lines:
    name, title = "lines", "one answer a line"

    def recognise(self, source, options):
        return source.head.startswith(b"#lines")

    def read(self, source, options, notes):
        for row, line in enumerate(source.path.read_text().splitlines()[1:], 2):
            facts = RunFacts(model="loud", benchmark="shouts")
            yield Block(facts, ProblemFacts(line, row - 2), ["correct"], [row], texts=[line])

def export_words(job):
    job.path.write_text("problem by problem")
    return 1

engine = EngineKind("nowhere", "no machine at all", lambda model, options: None, ("depth",), "# depth\\n")
"""
ENTRIES = """
[passk.verifiers]
shouting = loud:Shouting
exact = loud:Impostor
broken = loud:Nothing
[passk.step_checkers]
doubter = loud:Doubter
[passk.importers]
lines = loud:Lines
missing = no_such_package:importer
[passk.exporters]
sets.words = loud:export_words
[passk.engines]
nowhere = loud:engine
"""


@pytest.fixture
def with_package(run_passk: Passk, tmp_path: Path) -> Passk:
    """`passk` beside a package that brings one plug-in of each kind, two broken ones and an impostor."""
    folder = tmp_path / "site"
    info = folder / "loud-1.0.dist-info"
    info.mkdir(parents=True)
    (folder / "loud.py").write_text(PACKAGE, encoding="utf-8")
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: loud\nVersion: 1.0\n", encoding="utf-8")
    (info / "entry_points.txt").write_text(ENTRIES, encoding="utf-8")
    return Passk(run_passk.folder, run_passk.home, {"PYTHONPATH": f"{folder}{os.pathsep}{ROOT}"})


def test_another_package_brings_one_of_each_kind(with_package: Passk) -> None:
    passk = with_package
    (passk.folder / "a.txt").write_text("#lines\nHERE\nthere\n", encoding="utf-8")
    read = passk("import", "a.txt")
    assert "The importer plug-in missing cannot be loaded, so it is left out. ModuleNotFoundError" in read.stderr
    assert passk("runs", "--format", "json").json[0]["samples"] == 2, "a broken plug-in stops nobody"

    changed = passk("verify", "--run", "loud", "--verifier", "shouting", "--again", "--format", "json").json
    assert {(row["before"], row["now"]): row["samples"] for row in changed} == {
        ("correct", "correct"): 1,
        ("correct", "wrong"): 1,
    }
    assert (
        "There is no verifier shout"
        in passk("verify", "--run", "loud", "--verifier", "shout", "--again", status=1).stderr
    )
    broken = passk("verify", "--run", "loud", "--verifier", "broken", "--again", status=1).stderr
    assert "The verifier plug-in broken cannot be loaded" in broken

    passk("judge", "--run", "loud", "--checker", "doubter", "--all")
    passk("export", "sets", "--run", "loud", "--to", "a.words")
    assert (passk.folder / "a.words").read_text(encoding="utf-8") == "problem by problem"
    assert "depth" in passk("config").stdout


def test_doctor_lists_and_checks_them(with_package: Passk) -> None:
    passk = with_package
    (passk.folder / "a.txt").write_text("#lines\nHERE\n", encoding="utf-8")
    rows = {row["what"]: row for row in passk("doctor", "--format", "json").json}
    assert set(ENGINES.built_in) <= rows.keys()
    assert rows["nowhere"]["note"] == "engine: no machine at all"
    assert {rows[name]["status"] for name in ("shouting", "doubter", "lines", "nowhere")} == {"ok"}
    assert {rows[name]["status"] for name in ("broken", "missing")} == {"broken"}
    for name, what in (("shouting", "verifier"), ("doubter", "step checker"), ("nowhere", "engine")):
        assert f"The {what} {name} keeps its protocol" in passk("doctor", "--plugin", name).stderr
    assert "importer lines keeps" in passk("doctor", "--plugin", "lines", "--example", "a.txt").stderr
    failed = passk("doctor", "--plugin", "missing", status=1)
    assert "No module named 'no_such_package'" in failed.stderr
    assert "Known plug-ins: shouting" in passk("doctor", "--plugin", "shoutin", status=1).stderr


@pytest.mark.parametrize("kind", PLUG_INS, ids=lambda kind: kind.what)
def test_what_passk_brings_conforms(kind: Any, models: Path) -> None:
    examples = {"transformers": str(models / "countdown-base")}
    names = [name for name in kind.built_in if name.split(".")[0] in ("sets", "paths", "lengths") or "." not in name]
    found = {name: check_installed(name, examples.get(name)) for name in names if name != "math"}
    assert {name: problems for name, problems in found.items() if any(problems.values())} == {}


class Fickle(ExactVerifier):
    """Says another thing each time, and nothing of surrogates."""

    times = 0

    def judge(self, task: Task) -> Verdict:
        task.text.encode()
        Fickle.times += 1
        return Verdict("wrong", detail=str(Fickle.times))


class Shrugging:
    name = version = "1"

    def check(self, task: Task) -> Checked:
        return Checked("maybe", "")  # type: ignore[arg-type]


class Greedy:
    name, title = "greedy", ""

    def recognise(self, source: object, options: object) -> bool:
        return True

    def read(self, source: object, options: object, notes: object) -> list[object]:
        return []


def test_broken_promises_are_named(tmp_path: Path) -> None:
    said = "\n".join(check_plug_in("verifier", Fickle(), name="exact"))
    assert "The verifier failed: UnicodeEncodeError." in said
    assert "on '7' it says two things" in said
    assert "its name is exact, and its entry point calls it other" in check_plug_in("verifier", Fickle(), name="other")
    assert any("no judgement with a note" in problem for problem in check_plug_in("step checker", Shrugging()))
    example = str(jsonl(tmp_path / "a.jsonl", [{"a": 1}]))
    said = "\n".join(check_plug_in("importer", Greedy(), example=example))
    assert "it takes b'' for its own" in said
    assert f"it finds nothing in {example}" in said
    assert "must be WHAT.FORM" in check_plug_in("exporter", len, name="words")[0]
    assert "AttributeError" in check_plug_in("engine", SimpleNamespace(name="x"))[0]


def test_the_readme_lists_the_engines() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8").replace("`", "")
    for name, kind in ENGINES.every().items():
        assert f"| {name} | {kind.purpose} | {' and '.join(dict.fromkeys(kind.needs.values())) or 'none'} |" in text
