"""What every test may ask for: a store, the installed command, other people's files."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest

from backend.store.layout import StoreLayout
from tests.support import ROOT, SHARED_DATA, Passk
from tests.warm import Forker


@pytest.fixture(autouse=True)
def nobody_elses_store(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No test reads or writes what belongs to the person who runs it."""
    monkeypatch.delenv("PASSK_STORE", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home" / "data"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "home" / "state"))
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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What shares a slow fixture of the session runs in one process, where several run the tests."""
    for item in items:
        names = getattr(item, "fixturenames", ())
        if "vllm_server" in names or "vllm_python" in names:
            item.add_marker(pytest.mark.xdist_group("vllm"))


# Drawing samples


@pytest.fixture(scope="session")
def forker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forker]:
    """One process with torch imported, whose forks are commands; see tests/warm.py."""
    forker = Forker(tmp_path_factory.mktemp("forker"))
    yield forker
    forker.close()


@pytest.fixture
def warm(run_passk: Passk, forker: Forker) -> Passk:
    """`run_passk`, but its processes begin with torch imported."""
    return replace(run_passk, forker=forker)


MODELS = ROOT / "sample_data" / "models"
PROBLEMS = ROOT / "sample_data" / "problems.jsonl"
TEMPLATE = "{{ statement }}\n"


@pytest.fixture(scope="session")
def models() -> Path:
    """The folder of the shipped models."""
    missing = [package for package in ("torch", "transformers") if find_spec(package) is None]
    if missing:
        pytest.skip(f"drawing samples needs {' and '.join(missing)}: pip install 'passk-explorer[transformers]'")
    if not (MODELS / "countdown-base").is_dir():
        pytest.skip("sample_data/models holds no models")
    return MODELS


@pytest.fixture
def asked(models: Path, warm: Passk) -> Passk:
    """`passk` in a folder whose store.passk has six problems of the benchmark countdown and no sample of a model."""
    lines = PROBLEMS.read_text(encoding="utf-8").splitlines()[:6]
    with open(warm.folder / "asked.jsonl", "w", encoding="utf-8") as file:
        for line in lines:
            problem = json.loads(line)
            row = {key: problem[key] for key in ("statement", "reference", "level", "metadata")}
            row |= {"problem": problem["id"], "text": "I do not know.", "verdict": "wrong", "model": "nobody"}
            file.write(json.dumps(row | {"benchmark": "countdown", "template": TEMPLATE}) + "\n")
    warm("import", "asked.jsonl")
    return warm
