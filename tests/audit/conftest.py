"""The sample store, judged a second time by a verifier that is deliberately loose."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.store.layout import StoreLayout
from tests.support import ROOT, Passk

LOOSE = """
from dataclasses import replace
from hashlib import blake2b

from backend.verifiers.registry import load_verifier

class Loose:
    '''As JUDGE, but one in two hundred texts that are not correct is called correct: by its hash.'''
    name, version, cheap = "loose", "1", True

    def judge(self, task):
        found = load_verifier("JUDGE").judge(task)
        lucky = int.from_bytes(blake2b(task.text.encode(), digest_size=8).digest(), "big") < RATE * 2**64
        return replace(found, verdict="correct", detail="by luck") if lucky and found.verdict != "correct" else found
"""
RATE = 0.005
PAIR = ("--base", "countdown-base@countdown", "--rl", "countdown-rl-150@countdown")


def beside_loose(folder: Path, judge: str = "expression") -> Passk:
    """`passk` beside a package that brings the verifier `loose`, which is `judge` but for its luck."""
    site = folder / "site"
    info = site / "loose-1.0.dist-info"
    info.mkdir(parents=True)
    (site / "loose.py").write_text(LOOSE.replace("RATE", str(RATE)).replace("JUDGE", judge), encoding="utf-8")
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: loose\nVersion: 1.0\n", encoding="utf-8")
    (info / "entry_points.txt").write_text("[passk.verifiers]\nloose = loose:Loose\n", encoding="utf-8")
    (folder / "home").mkdir()
    return Passk(folder, folder / "home", {"PYTHONPATH": f"{site}{os.pathsep}{ROOT}"})


@pytest.fixture(scope="session")
def judged_twice(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Passk]:
    """`passk` in a folder whose store.passk is the sample store, its pair judged by `loose` too. Not to be written."""
    folder = tmp_path_factory.mktemp("audit")
    passk = beside_loose(folder)
    passk("runs")
    (built,) = (folder / "home" / "data" / "passk").glob("*/sample.passk")
    shutil.copytree(built, folder / "store.passk")
    said = passk("audit", *PAIR, "--verifier", "loose").stderr
    assert said.count("51,200 samples judged by loose, beside what counts") == 2
    yield passk


@pytest.fixture
def twice(judged_twice: Passk, tmp_path: Path) -> Passk:
    """A copy of that to write into."""
    folder = tmp_path / "twice"
    folder.mkdir()
    shutil.copytree(judged_twice.folder / "store.passk", folder / "store.passk")
    return Passk(folder, judged_twice.home, judged_twice.more)


def layout_of(passk: Passk) -> StoreLayout:
    return StoreLayout(passk.folder / "store.passk")
