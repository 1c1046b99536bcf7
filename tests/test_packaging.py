"""The wheel holds what the explorer needs and nothing else, and works where only it is installed."""

from __future__ import annotations

import re
import subprocess
import sys
from configparser import ConfigParser
from email.message import Message
from email.parser import Parser
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).resolve().parent.parent
ENGINES = ("torch", "vllm", "transformers", "datasets", "trl")
LARGEST = 20 * 2**20
"""Bytes of the wheel: small enough to copy to any machine."""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built by the same backend that pip uses, without its isolated environment."""
    folder = tmp_path_factory.mktemp("wheel")
    build = "import sys; from hatchling.build import build_wheel; build_wheel(sys.argv[1])"
    result = subprocess.run([sys.executable, "-c", build, str(folder)], cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr
    [built] = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def names(wheel: Path) -> set[str]:
    with ZipFile(wheel) as archive:
        return set(archive.namelist())


def read(wheel: Path, file: str) -> str:
    """A file of the wheel's .dist-info."""
    with ZipFile(wheel) as archive:
        [name] = [name for name in archive.namelist() if name.endswith(f".dist-info/{file}")]
        return archive.read(name).decode()


@pytest.fixture(scope="module")
def metadata(wheel: Path) -> Message:
    return Parser().parsestr(read(wheel, "METADATA"))


@pytest.fixture(scope="module")
def unpacked(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    with ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def run_in(unpacked: Path, program: str) -> str:
    """What a fresh Python prints that finds the project in the unpacked wheel, away from the source tree."""
    program = f"import sys; sys.path.insert(0, {str(unpacked)!r})\n{program}"
    result = subprocess.run([sys.executable, "-I", "-c", program], cwd=unpacked.parent, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.mark.parametrize("package", ["explorer", "backend", "queries"])
def test_every_file_of_the_packages_is_there(package: str, names: set[str]) -> None:
    suffixes = (".py", ".sql", ".tcss", ".typed")
    source = {path.relative_to(ROOT).as_posix() for path in (ROOT / package).rglob("*") if path.suffix in suffixes}
    assert source
    assert source <= names


def test_statements_and_styles_are_there(names: set[str]) -> None:
    assert any(name.startswith("queries/") and name.endswith(".sql") for name in names)
    assert any(name.startswith("explorer/") and name.endswith(".tcss") for name in names)


def test_nothing_else_is_there(names: set[str]) -> None:
    folders = {name.partition("/")[0] for name in names}
    assert folders <= {"explorer", "backend", "queries", "sample_data", "passk_explorer-0.1.0.dist-info"}
    assert not [name for name in names if name.endswith((".pyc", ".log")) or "/recipe/outputs/" in name]


def test_the_wheel_is_small(wheel: Path) -> None:
    assert wheel.stat().st_size <= LARGEST


def test_the_core_needs_no_engine(metadata: Message) -> None:
    core = [entry for entry in metadata.get_all("Requires-Dist", []) if "extra ==" not in entry]
    assert any(entry.startswith("textual") for entry in core)
    assert not [entry for entry in core if entry.lower().startswith(ENGINES)]


def test_metadata(metadata: Message) -> None:
    assert metadata["Name"] == "passk-explorer"
    assert metadata["Requires-Python"] == ">=3.11"
    assert metadata["License-Expression"] == "Apache-2.0"


def test_entry_points_lead_somewhere(wheel: Path, unpacked: Path) -> None:
    entries = ConfigParser()
    entries.read_string(read(wheel, "entry_points.txt"))
    assert entries["console_scripts"]["passk"] == "explorer.commands.main:main"
    for section in entries.sections():
        for value in entries[section].values():
            module, _, name = value.partition(":")
            place = run_in(unpacked, f"import {module} as m; m.{name}; print(m.__file__)")
            assert Path(place.strip()).is_relative_to(unpacked)


def test_statements_load_from_the_wheel(unpacked: Path) -> None:
    program = "import queries; print(queries.__file__); print(queries.load('reads/runs'))"
    place, _, sql = run_in(unpacked, program).partition("\n")
    assert Path(place).is_relative_to(unpacked)
    assert "SELECT" in sql


def test_constraints_name_no_address_and_pin_every_requirement(metadata: Message) -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    assert not [line for line in pins if line.count("==") != 1 or "/" in line or line.startswith("-")]
    pinned = {line.partition("==")[0].lower().replace("_", "-") for line in pins}
    required = {re.match(r"[\w.-]+", entry).group().lower() for entry in metadata.get_all("Requires-Dist", [])}
    assert required <= pinned
