"""From a key in the explorer and from the command line comes the same file, byte for byte."""

from __future__ import annotations

import asyncio
import os
import shlex
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest
from textual.widgets import Input, Static

from backend.records.exports import FORMS
from backend.store.layout import StoreLayout
from explorer.commands.main import main
from explorer.location import ExportContext, Location
from explorer.render.export_form import FIGURES, export_choices, set_selector, with_ending
from explorer.screens.curves import CurvesScreen
from explorer.screens.export import ExportDialog
from explorer.screens.path import PathScreen
from explorer.screens.perplexity import PerplexityScreen
from explorer.screens.problem import ProblemScreen
from explorer.screens.search import SearchScreen
from explorer.screens.sets import SetsScreen
from explorer.screens.statistics import VIEWS, StatisticsScreen
from explorer.widgets.fields import Choice
from tests.explorer.driving import SIZES, Driver, explorer, until
from tests.exporters.conftest import BASE, RL, SFT, reading
from tests.support import imported, jsonl, long_rows

PAIR = Location("sums", (BASE, RL))
MISSING = {
    *(() if find_spec("matplotlib") else ("svg", "pdf")),
    *(() if find_spec("datasets") else ("folder",)),
}
"""Forms whose libraries are not installed here."""


async def dialog(driver: Driver) -> None:
    await driver.press("e")
    await until(lambda: isinstance(driver.screen, ExportDialog) and driver.screen.query(Choice))
    await driver.idle()


async def written(driver: Driver) -> None:
    await until(lambda: not isinstance(driver.screen, ExportDialog), said=driver.shown)
    await driver.idle()


def command_shown(driver: Driver) -> list[str]:
    return shlex.split(str(driver.find(Static, "command").content))


async def run_command(words: list[str]) -> int:
    """In a thread, as the explorer's own loop goes on."""
    return await asyncio.to_thread(main, words[1:])


def key_of(store: StoreLayout, label: str) -> int:
    with reading(store) as reader:
        return reader.problem_key("sums", label)


PLACES: dict[str, Callable[[StoreLayout], object]] = {
    "home": lambda store: None,
    "sets": lambda store: SetsScreen(PAIR.to(min_correct=2, filter="level<3")),
    "problem": lambda store: ProblemScreen(PAIR.to(problem=key_of(store, "s3"), run=BASE), "s3"),
    "path": lambda store: PathScreen(PAIR.to(problem=key_of(store, "s3"), run=BASE, sample=7), "s3"),
    "search": lambda store: SearchScreen(PAIR.to(find="/about s[34], attempt [67]/", filter="level=1")),
    "perplexity": lambda store: PerplexityScreen(PAIR),
}


@pytest.mark.parametrize("where", PLACES)
async def test_every_choice_writes_what_its_command_writes(
    judged: StoreLayout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    monkeypatch.chdir(tmp_path)
    async with explorer(judged, (120, 40)) as driver:
        if (screen := PLACES[where](judged)) is not None:
            driver.app.push_screen(screen)  # type: ignore[call-overload]
            await driver.idle()
        if where == "search":
            await driver.press("tab")
        await dialog(driver)
        choices = driver.find(Choice, "what").options
        await driver.press("escape")
        for place in range(len(choices)):
            # The figures are the same everywhere, but for the one that is looked at.
            if where != "home" and place and choices[place] in FIGURES.values():
                continue
            await dialog(driver)
            await driver.press(*["right"] * place)
            name = driver.find(Input, "to").value
            if Path(name).suffix.removeprefix(".") in MISSING or (not Path(name).suffix and "folder" in MISSING):
                await driver.press("escape")
                continue
            words = command_shown(driver)
            await driver.press("enter")
            await written(driver)
            first = contents(tmp_path / name)
            assert await run_command([*words, "--force"]) == 0
            assert contents(tmp_path / name) == first, words
    assert not [path for path in tmp_path.rglob("*") if "unfinished" in path.name]


async def test_curves_export_what_they_show(judged: StoreLayout) -> None:
    async with explorer(judged, (120, 40)) as driver:
        driver.app.push_screen(CurvesScreen(PAIR))
        await driver.idle()
        for key, words in (
            ("", "curves"),
            ("b", "curves --bands samples"),
            ("d", "difference --bands samples"),
            ("c", "cover --bands samples"),
            ("V", "cot"),
        ):
            await driver.press(*key)
            await dialog(driver)
            what, *options = words.split()
            shown = command_shown(driver)
            assert shown[2] == what and " ".join(options) in " ".join(shown)
            assert options or "--bands" not in shown
            await driver.press("escape")


async def test_statistics_export_the_view_that_is_shown(judged: StoreLayout) -> None:
    async with explorer(judged, (120, 40)) as driver:
        driver.app.push_screen(StatisticsScreen(PAIR, [RL]))
        await driver.idle()
        for view in VIEWS:
            await dialog(driver)
            shown = command_shown(driver)
            assert shown[2] == {"accuracy": "histogram"}.get(view.name, view.name)
            runs = [shown[place + 1] for place, word in enumerate(shown) if word == "--run"]
            assert runs[0] == (RL if view.name not in ("efficiency", "steps", "temperature") else BASE)
            await driver.press("escape", "right")


async def test_marked_problems_can_be_exported(judged: StoreLayout) -> None:
    async with explorer(judged, (120, 40)) as driver:
        driver.app.push_screen(SetsScreen(PAIR.to(solved=None)))
        await driver.idle()
        await driver.press("space", "down", "space")
        await dialog(driver)
        assert driver.find(Choice, "what").options[:2] == (
            "the 2 marked problems",
            "the paths of the 2 marked problems",
        )
        assert "id=s3,s4" in command_shown(driver)


async def test_a_search_in_the_whole_store_can_be_exported(judged: StoreLayout) -> None:
    async with explorer(judged, (120, 40)) as driver:
        driver.app.push_screen(SearchScreen(Location(find="about s4")))
        await driver.idle()
        await driver.press("tab")
        await dialog(driver)
        assert driver.find(Choice, "what").options == ("the paths found: about s4",)
        assert "--find=about s4" in command_shown(driver)


def contents(path: Path) -> dict[str, bytes]:
    files = path.rglob("*") if path.is_dir() else [path]
    found = {str(file.relative_to(path.parent)): file.read_bytes() for file in files if file.is_file()}
    assert found
    return found


@pytest.mark.parametrize("form", FORMS["sets"])
async def test_every_form_of_a_comparison_is_the_same(
    sums: StoreLayout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    monkeypatch.chdir(tmp_path)
    async with explorer(sums) as driver:
        driver.app.push_screen(SetsScreen(PAIR))
        await driver.idle()
        await dialog(driver)
        await driver.press("down", *["right"] * FORMS["sets"].index(form))
        assert driver.find(Input, "to").value == f"sums-sets.{form}"
        await driver.press("enter")
        await written(driver)
    assert main(["export", "sets", "--base", BASE, "--rl", RL, "--store", str(sums.root), "--to", f"other.{form}"]) == 0
    assert Path(f"other.{form}").read_bytes() == Path(f"sums-sets.{form}").read_bytes()


@pytest.mark.parametrize("size", SIZES)
async def test_the_dialog_shows_the_command_and_fits(sums: StoreLayout, size: tuple[int, int]) -> None:
    async with explorer(sums, size) as driver:
        await dialog(driver)
        assert "passk export sets" in driver.flat() and "esc closes" in driver.flat()
        assert command_shown(driver)[:3] == ["passk", "export", "sets"]
        await driver.press("escape")
        assert driver.name == "HomeScreen"


async def test_the_dialog_can_be_closed_before_it_knows_what_there_is(sums: StoreLayout) -> None:
    async with explorer(sums) as driver:
        for _ in range(5):
            await driver.pilot.press("e", "escape")
        await driver.idle()
        assert driver.name == "HomeScreen"


async def test_the_ending_chooses_the_form_while_typing(sums: StoreLayout) -> None:
    async with explorer(sums) as driver:
        await dialog(driver)
        await driver.press("down", "down", "end", *["backspace"] * 4)
        await driver.type(".tex")
        assert driver.find(Choice, "form").options[driver.find(Choice, "form").chosen] == "tex"
        await driver.type("t")
        assert "The ending chooses the form" in driver.flat()


async def test_a_file_is_overwritten_only_when_asked(
    sums: StoreLayout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("sums-sets.csv").write_text("mine")
    async with explorer(sums) as driver:
        await dialog(driver)
        await driver.press("enter")
        await until(lambda: "already exists" in driver.flat())
        assert Path("sums-sets.csv").read_text() == "mine"
        await driver.press("ctrl+o")
        await written(driver)
    assert Path("sums-sets.csv").read_text().startswith("benchmark,")


async def test_escape_stops_an_export_and_leaves_nothing(
    tmp_path: Path, store: StoreLayout, monkeypatch: pytest.MonkeyPatch
) -> None:
    imported(store, jsonl(tmp_path / "rows.jsonl", long_rows(500, 4)))
    place = tmp_path / "place"
    place.mkdir()
    monkeypatch.chdir(place)
    # A stretch a problem: the export takes some seconds, and can be stopped five hundred times.
    monkeypatch.setattr("backend.exporters.samples.STRETCH", 1)
    async with explorer(store) as driver:
        await dialog(driver)
        choices = driver.find(Choice, "what").options
        await driver.press(*["right"] * choices.index("every path"))
        await driver.pilot.press("enter")
        await until(lambda: "esc stops" in driver.flat())
        await driver.pilot.press("escape")
        await until(lambda: "Stopped. No file was written" in driver.flat())
        await until(lambda: os.listdir(place) == [])
        await driver.press("escape")
        assert driver.name == "HomeScreen"
    assert os.listdir(place) == []


def test_a_set_is_a_selector() -> None:
    assert set_selector(PAIR.to(solved=(True, False))) == "set:base_only"
    assert set_selector(PAIR.to(solved=(True, False), min_correct=2)) == f"{BASE}.c>=2 {RL}.c<2"
    three = Location("sums", (BASE, RL, SFT), solved=(False, True, False))
    assert set_selector(three) == f"{BASE}.c<1 {RL}.c>=1 {SFT}.c<1"
    assert set_selector(PAIR) == ""


def test_what_is_nearest_stands_first() -> None:
    path = PAIR.to(problem=1, run=BASE, sample=7)
    assert export_choices("path", path, "s3", [BASE, RL], ExportContext())[0].request.sample == 7
    assert export_choices("sets", PAIR, None, [BASE, RL], ExportContext())[0].request.what == "sets"
    assert export_choices("curves", PAIR, None, [BASE, RL, SFT], ExportContext())[0].request.what == "curves"
    cover = export_choices("curves", PAIR, None, [BASE, RL, SFT], ExportContext(figure="cover", bands="off"))[0].request
    assert (cover.what, cover.bands) == ("cover", "off")


def test_every_choice_has_a_name_of_its_own() -> None:
    for place, label in ((PAIR.to(problem=1, run=BASE, sample=7), "s3"), (PAIR.to(solved=(True, False)), None)):
        shown = ExportContext(marked=("s1",), find="x")
        choices = export_choices("path", place, label, [BASE, RL, SFT], shown)
        names = [choice.file_name(choice.forms[0]) for choice in choices]
        assert len(set(names)) == len(names)


def test_names_of_files() -> None:
    assert with_ending("a.csv", "html") == "a.html"
    assert with_ending("a.verl.parquet", "jsonl") == "a.jsonl"
    assert with_ending("a.jsonl", "verl") == "a.verl.parquet"
    assert with_ending("v1.2-run.csv", "svg") == "v1.2-run.svg"
