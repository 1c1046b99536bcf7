"""The command that makes the README's pictures."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from backend.store.layout import StoreLayout
from explorer.picture import WALK
from tests.support import run_python

MODULE = "import runpy, sys; sys.argv[0] = 'picture'; runpy.run_module('explorer.picture', run_name='__main__')"
SHOWN = {
    "home": "the curves cross at k = 3",
    "curves": "difference +4.2 points",
    "sets": "all 6",
    "problem": "8 samples",
    "path": "✓ correct",
}


def words(svg: Path) -> str:
    text = "".join(ElementTree.parse(svg).getroot().itertext())
    return " ".join(text.replace("\xa0", " ").split())


@pytest.mark.parametrize("where", [where for where, _ in WALK])
def test_a_picture_of_every_screen(sums_store: StoreLayout, tmp_path: Path, where: str) -> None:
    target = tmp_path / "pictures" / f"{where}.svg"
    result = run_python(MODULE, sums_store.root, target, *([] if where == "curves" else [where]))
    assert result.returncode == 0, result.stderr
    assert SHOWN[where] in words(target)
    assert "sums.passk" in words(target)
    assert target.stat().st_size < 200_000


def test_what_cannot_be_reached_is_said(
    single_store: StoreLayout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("explorer.picture.PATIENCE", 0.5)
    from explorer.picture import main

    assert main([str(single_store.root), str(tmp_path / "x.svg"), "path"]) == 1
    assert "The screen sets cannot be reached in this store" in capsys.readouterr().err
    assert main([str(tmp_path / "nowhere.passk"), str(tmp_path / "x.svg")]) == 1
    assert not (tmp_path / "x.svg").exists()
