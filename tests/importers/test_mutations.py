"""Hundreds of damaged files: each is imported whole or refused in a sentence. `mutate` runs thousands."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backend.errors import InputError
from tests.importers.mutate import Wrong, change_bytes, check, mutated, seeds
from tests.support import imported, jsonl, long_rows

FILES = 400
SLOW = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    return seeds(tmp_path_factory.mktemp("seeds"))


def test_the_files_are_good_before_they_are_mutated(found: dict[str, bytes], tmp_path: Path) -> None:
    for name, data in found.items():
        path = tmp_path / "file"
        # A size that makes `check` name a model, or not where the file names several.
        path.write_bytes(data)
        if name in ("grade-school-math", "real qwen7b_math500_counts.csv"):
            continue
        assert check(path, tmp_path / "part") == "imported" or path.stat().st_size % 5 == 0, name


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_mutated_files(found: dict[str, bytes], tmp_path: Path) -> None:
    names = sorted(found)
    path, part = tmp_path / "file", tmp_path / "part"
    results = []
    for number in range(FILES):
        path.write_bytes(mutated(Random(number), found[names[number % len(names)]]))
        try:
            results.append(check(path, part))
        except Wrong as error:
            pytest.fail(f"file {number} of {names[number % len(names)]}: {error}")
    assert 0.1 < results.count("imported") / FILES < 0.6, "mutations that nobody notices, or that nothing survives"


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(data=st.data())
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_any_mutation_of_any_file(found: dict[str, bytes], tmp_path: Path, data: st.DataObject) -> None:
    content = found[data.draw(st.sampled_from(sorted(found)), label="file")]
    for _ in range(data.draw(st.integers(1, 3), label="times")):
        content = mutated(Random(data.draw(st.integers(0, 2**32), label="seed")), content)
    path = tmp_path / "file"
    path.write_bytes(content)
    check(path, tmp_path / "part")


@given(content=st.binary(max_size=300))
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    check(path, tmp_path / "part")


def test_the_check_would_find_an_importer_that_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from backend.importers.long_form import LongForm

    def fails(*_: object) -> object:
        raise KeyError("a bug")

    monkeypatch.setattr(LongForm, "read", fails)
    path = jsonl(tmp_path / "file", long_rows())
    with pytest.raises(Wrong, match="not foreseen: KeyError"):
        check(path, tmp_path / "part")


def test_a_person_gets_a_sentence_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from backend.importers.long_form import LongForm
    from backend.store.layout import StoreLayout

    def fails(*_: object) -> object:
        raise KeyError("a bug")

    monkeypatch.setattr(LongForm, "read", fails)
    with pytest.raises(InputError, match="cannot be read as long-form"):
        imported(StoreLayout(tmp_path / "s.passk"), jsonl(tmp_path / "a.jsonl", long_rows()))


def test_mutations_damage(found: dict[str, bytes]) -> None:
    data = found["verl"]
    assert sum(change_bytes(Random(seed), data) != data for seed in range(50)) > 40
