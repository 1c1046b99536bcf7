"""What every test may ask for: a store, the installed command, other people's files."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from backend.store.layout import StoreLayout
from tests.support import SHARED_DATA, Passk


@pytest.fixture(autouse=True)
def nobody_elses_store(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No test reads or writes what belongs to the person who runs it."""
    monkeypatch.delenv("PASSK_STORE", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home" / "data"))
    # Tests of commands run in folders of their own.
    monkeypatch.delenv("PYTHONPATH", raising=False)


@pytest.fixture
def run_passk(tmp_path: Path) -> Passk:
    """The installed command, in an empty folder, as a user without any setting."""
    folder, home = tmp_path / "here", tmp_path / "home"
    folder.mkdir()
    home.mkdir(exist_ok=True)
    return Passk(folder, home)


@pytest.fixture
def make_store(tmp_path: Path) -> Callable[[str], StoreLayout]:
    """Makes an empty store of that name."""

    def make(name: str = "test") -> StoreLayout:
        layout = StoreLayout(tmp_path / f"{name}.passk")
        layout.create()
        return layout

    return make


@pytest.fixture
def store(make_store: Callable[[str], StoreLayout]) -> StoreLayout:
    """One empty store."""
    return make_store("test")


@pytest.fixture
def shared_data() -> Path:
    """Other people's result files; see their README for what each must show."""
    if not SHARED_DATA.is_dir():
        pytest.skip(f"{SHARED_DATA} is not there: other people's files are not part of the project")
    return SHARED_DATA


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user may enter, unlike tmp_path."""
    import shutil
    import tempfile

    folder = Path(tempfile.mkdtemp(prefix="passk-"))
    folder.chmod(0o755)
    yield folder
    for inside, _, _ in os.walk(folder):
        os.chmod(inside, 0o755)
    shutil.rmtree(folder, ignore_errors=True)
