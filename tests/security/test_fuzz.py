"""Manifests, plans, configurations and place lines with anything in them: read, or refused in a sentence."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from backend.configuration import read_configuration
from backend.errors import InputError, StoreError, UsageError
from backend.jobs.job import Job
from backend.store.database import open_store
from backend.store.layout import StoreLayout
from backend.store.parts import Manifest, NewerPart, Stray, read_manifest
from explorer.location import SCREENS, parse_permalink, permalink
from tests.support import ROOT, Attempt, write_part

LAST = ROOT / "tests" / "last_version"
SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30) | st.sampled_from(["", "\0", "../x"])
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4)
)
ROUGH = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


def places_in(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place of a JSON document."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, part in inner for place in places_in(part, (*path, key)))]


def changed(document: Any, place: tuple[Any, ...], how: str, value: Any) -> Any:
    """A copy with something else at a place, with nothing there, or with one thing more."""
    if not place:
        return value if how == "replace" else document
    copy = json.loads(json.dumps(document))
    inner = copy
    for key in place[:-1]:
        inner = inner[key]
    if how == "replace":
        inner[place[-1]] = value
    elif how == "remove":
        del inner[place[-1]]
    elif isinstance(inner, dict):
        inner["more"] = value
    return copy


@st.composite
def mutants(draw: st.DrawFn, document: Any) -> str:
    """Texts near a JSON document: fields of other kinds, missing and added; cut off; with other bytes."""
    for _ in range(draw(st.integers(0, 3))):
        place = draw(st.sampled_from(places_in(document)))
        document = changed(document, place, draw(st.sampled_from(["replace", "remove", "add"])), draw(VALUES))
    text = json.dumps(document, indent=1)
    if draw(st.booleans()):
        text = text[: draw(st.integers(0, len(text)))]
    return text


def documents(pattern: str) -> list[Any]:
    return [json.loads(path.read_text(encoding="utf-8")) for path in sorted(LAST.glob(pattern))]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> StoreLayout:
    layout = StoreLayout(tmp_path_factory.mktemp("fuzz") / "s.passk")
    write_part(layout, "0010-samples", [Attempt("p", 0)])
    write_part(layout, "0020-samples", [Attempt("p", 1)])
    return layout


@ROUGH
@given(data=st.data())
def test_manifests(shared: StoreLayout, data: st.DataObject) -> None:
    whole = json.loads((shared.parts / "0010-samples" / "manifest.json").read_text(encoding="utf-8"))
    document = data.draw(st.sampled_from([whole, *documents("store.passk/parts/*/manifest.json")]))
    path = shared.parts / "0020-samples" / "manifest.json"
    path.write_bytes(data.draw(mutants(document)).encode("utf-8", "surrogatepass"))
    try:
        found = read_manifest(shared, "0020-samples")
        assert found is None or isinstance(found, Manifest)
    except (Stray, NewerPart) as error:
        assert "0020-samples" in str(error)


@settings(ROUGH, max_examples=25)
@given(data=st.data())
def test_a_store_with_any_manifest_opens(shared: StoreLayout, data: st.DataObject) -> None:
    whole = json.loads((shared.parts / "0010-samples" / "manifest.json").read_text(encoding="utf-8"))
    whole["part"] = "0020-samples"
    path = shared.parts / "0020-samples" / "manifest.json"
    path.write_bytes(data.draw(mutants(whole)).encode("utf-8", "surrogatepass"))
    try:
        database = open_store(shared, merging=False)
    except NewerPart:
        return
    try:
        cursor = database.cursor()
        assert cursor.execute("SELECT count(*) FROM outcomes WHERE sample = 0").fetchone() == (1,)
        cursor.close()
    finally:
        database.close()


@ROUGH
@given(data=st.data())
def test_plans(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    document = data.draw(st.sampled_from(documents("store.passk/jobs/*/plan.json")))
    job = Job(tmp_path_factory.getbasetemp() / "jobs" / "a-job")
    with suppress(StoreError):
        job.parse_plan(data.draw(mutants(document)).encode("utf-8", "surrogatepass"))


@ROUGH
@given(text=st.text(max_size=200), number=st.integers(0, 10_000), cut=st.integers(0, 3))
@example(text="[engines.x]\nkind = 7\n", number=0, cut=0)
@example(text="sampling = 7\n", number=0, cut=0)
@example(text="engines = []\n", number=0, cut=0)
def test_configurations(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, number: int, cut: int) -> None:
    """Any text, alone and in the midst of a configuration with every key."""
    path = tmp_path / "config.toml"
    monkeypatch.setattr("backend.configuration.configuration_path", lambda: path)
    every = (LAST / "config.toml").read_text(encoding="utf-8")
    at = number % (len(every) + 1)
    whole = text if cut == 0 else every[:at] + text + every[at + (number % 7) * (cut - 1) :]
    path.write_text(whole, encoding="utf-8", errors="surrogatepass")
    with suppress(InputError):
        read_configuration()


FIELD = st.sampled_from(
    ["benchmark", "runs", "k", "solved", "problem", "run", "sample", "problems", "find", "at", "min_correct", "x", ""]
)


@ROUGH
@given(
    screen=st.sampled_from([*SCREENS, "nowhere", ""]) | st.text(max_size=9),
    fields=st.lists(st.tuples(FIELD, st.text(max_size=20) | st.integers().map(str)), max_size=5),
)
def test_place_lines(screen: str, fields: list[tuple[str, str]]) -> None:
    line = ",".join([f"@{screen}", *(f"{name}={value}" for name, value in fields)])
    try:
        found, location = parse_permalink(line)
    except UsageError as error:
        assert error.title
        return
    assert parse_permalink(permalink(found, location))[0] == found, "what it is written as is a place again"
