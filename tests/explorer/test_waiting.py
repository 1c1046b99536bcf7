"""Questions that take long, answers that nobody wants any more, failures, and what others add meanwhile."""

from __future__ import annotations

import asyncio
import shutil
import threading
from pathlib import Path
from typing import Any

import duckdb
import pytest

from backend import Reader
from backend.errors import UsageError
from backend.store.connection import as_passk_error
from backend.store.layout import StoreLayout
from explorer.screens.base import DataScreen
from explorer.screens.dialogs import Dialog
from explorer.widgets.bars import PATIENCE as WAIT
from explorer.widgets.bars import Breadcrumbs
from tests.explorer.driving import Driver, explorer, import_into, many_rows, until
from tests.explorer.test_sets import open_sets
from tests.support import Attempt, Passk, jsonl, write_part


def endless(reader: Reader) -> Any:
    """A real query of some hours."""
    try:
        return reader._cursor.execute(
            "SELECT sum(a.range * b.range) FROM range(3000000) a, range(3000000) b"
        ).fetchall()
    except duckdb.Error as error:
        raise as_passk_error(error, "The endless query") from error


def screen_of(user: Driver) -> DataScreen:
    assert isinstance(user.screen, DataScreen)
    return user.screen


def at_work(user: Driver) -> int:
    return sum(worker.current is not None for worker in user.app.gateway._workers)


async def test_a_superseded_question_is_interrupted_and_its_answer_dropped(sums_store: StoreLayout) -> None:
    async with explorer(sums_store) as user:
        screen, shown = screen_of(user), list[Any]()
        screen.ask("slot", endless, shown.append)
        await until(lambda: at_work(user) == 1)
        screen.ask("slot", lambda _: "newest", shown.append)
        await user.idle()
        await until(lambda: not at_work(user), said="a question of some hours goes on")
        assert shown == ["newest"]


async def test_of_many_questions_only_the_last_is_answered(sums_store: StoreLayout) -> None:
    async with explorer(sums_store) as user:
        screen, shown = screen_of(user), list[Any]()
        # The interrupt may come before DuckDB has begun: no thread may be lost to a question of some hours.
        for number in range(30):
            screen.ask("slot", endless, shown.append)
            if number % 3 == 0:
                await asyncio.sleep(0)
        screen.ask("slot", lambda _: "newest", shown.append)
        await user.idle()
        await until(lambda: not at_work(user), said="a thread is lost")
        assert shown == ["newest"]


async def test_a_question_superseded_between_two_queries_is_interrupted_in_the_next(sums_store: StoreLayout) -> None:
    async with explorer(sums_store) as user:
        begun, superseded = threading.Event(), threading.Event()

        def two_queries(reader: Reader) -> Any:
            begun.set()
            superseded.wait(10)
            return endless(reader)

        screen_of(user).ask("slot", two_queries, lambda _: None)
        await asyncio.to_thread(begun.wait, 10)
        screen_of(user).ask("slot", lambda _: "newest", lambda _: None)
        superseded.set()
        await until(lambda: not at_work(user), said="a thread is lost to a question of some hours")


async def test_an_answer_that_is_already_on_its_way_is_dropped(sums_store: StoreLayout) -> None:
    async with explorer(sums_store) as user:
        screen, shown, done = screen_of(user), list[Any](), threading.Event()

        def first(_: Reader) -> str:
            done.set()
            return "old"

        screen.ask("slot", first, shown.append)
        done.wait(5)
        screen.ask("slot", lambda _: "new", shown.append)
        await user.idle()
        assert shown == ["new"]


async def test_questions_of_different_slots_are_both_answered(sums_store: StoreLayout) -> None:
    async with explorer(sums_store) as user:
        shown = list[Any]()
        screen_of(user).ask("one", lambda _: 1, shown.append)
        screen_of(user).ask("two", lambda _: 2, shown.append)
        await user.idle()
        assert sorted(shown) == [1, 2]


async def test_leaving_a_screen_interrupts_its_questions(sums_store: StoreLayout) -> None:
    async with explorer(sums_store) as user:
        await user.press("enter")
        screen_of(user).ask("slot", endless, lambda _: None)
        await until(lambda: at_work(user))
        await user.pilot.press("escape")
        await until(lambda: not at_work(user))
        await user.idle()
        assert user.name == "HomeScreen"


async def test_long_work_outside_the_store_is_interrupted_as_well(sums_store: StoreLayout) -> None:
    async with explorer(sums_store) as user:
        steps, shown = list[int](), list[Any]()

        def work(reader: Reader) -> None:
            for step in range(10_000):
                reader.go_on()
                steps.append(step)
                threading.Event().wait(0.01)

        def newest(reader: Reader) -> str:
            reader.go_on()
            return "newest"

        screen_of(user).ask("slot", work, shown.append)
        await until(lambda: steps)
        for _ in user.app.gateway._workers:
            # Every thread gets a question after the interrupted one, which the interrupt is not meant for.
            screen_of(user).ask("slot", newest, shown.append)
            await user.idle()
        await until(lambda: not at_work(user), said="a thread is lost to work of minutes")
        assert shown and set(shown) == {"newest"}


async def test_keys_work_while_something_is_read(sums_store: StoreLayout) -> None:
    async with explorer(sums_store) as user:
        screen_of(user).ask("slot", endless, lambda _: None)
        await user.pilot.press("j")
        await until(lambda: user.table.cursor_row == 1)
        user.app.gateway.cancel(user.screen, "slot")


async def test_quitting_while_something_is_read(sums_store: StoreLayout) -> None:
    async with explorer(sums_store) as user:
        screen_of(user).ask("slot", endless, lambda _: None)
        await until(lambda: at_work(user))
        threads = user.app.gateway._workers
        await user.pilot.press("q")
    assert user.app.return_code == 0
    assert not any(thread.is_alive() for thread in threads), "a question of some hours goes on"


async def test_the_spinner_comes_after_a_moment_and_goes_with_the_answer(sums_store: StoreLayout) -> None:
    async with explorer(sums_store) as user:
        screen, crumbs, answer = screen_of(user), user.find(Breadcrumbs), threading.Event()
        screen.ask("slot", lambda _: answer.wait(60), lambda _: None)
        # A timer has been set, and nothing is shown before it fires.
        assert crumbs._timer is not None and crumbs._timer._interval == WAIT
        assert crumbs.frame == -1
        await until(lambda: "reading…" in user.shown)
        answer.set()
        await user.idle()
        assert "reading…" not in user.shown
        assert user.lines()[0].startswith(" sums.passk › benchmarks")


async def test_a_turn_of_the_spinner_that_comes_late_does_not_start_it_again(sums_store: StoreLayout) -> None:
    async with explorer(sums_store) as user:
        crumbs = user.find(Breadcrumbs)
        crumbs.wait()
        crumbs.done()
        crumbs._turn()
        assert crumbs.frame == -1


# Failures


async def test_a_failure_opens_a_dialog_that_says_what_to_do(sums_store: StoreLayout) -> None:
    def fail(_: Reader) -> None:
        raise UsageError("It broke [/b]", "in the \x1b[31mmiddle", "Mend it.")

    async with explorer(sums_store, (120, 40)) as user:
        screen_of(user).ask("slot", fail, lambda _: None)
        await until(lambda: isinstance(user.screen, Dialog))
        await user.idle()
        for text in ("Something went wrong", "It broke [/b]", "in the ␛[31mmiddle", "Mend it."):
            assert text in user.shown
        await user.press("escape")
        assert user.name == "HomeScreen"
        assert screen_of(user).idle


async def test_a_fault_of_passk_itself_is_shown_with_its_cause(sums_store: StoreLayout) -> None:
    async with explorer(sums_store, (120, 40)) as user:
        screen_of(user).ask("slot", lambda _: [][1], lambda _: None)
        await until(lambda: isinstance(user.screen, Dialog))
        await user.idle()
        assert "Something went wrong in passk itself" in user.shown
        assert "IndexError" in user.shown
        assert "Please report it" in user.flat()


async def test_a_damaged_part_is_said_once(sums_store: StoreLayout, tmp_path: Path) -> None:
    layout = StoreLayout(Path(shutil.copytree(sums_store.root, tmp_path / "damaged.passk")))
    async with explorer(layout) as user:
        folder = write_part(layout, "20990101T000001-bad", [Attempt("x", 0)])
        for path in folder.rglob("*.parquet"):
            path.chmod(0o644)
            path.write_bytes(bytes(path.stat().st_size))
        await until(lambda: isinstance(user.screen, Dialog))
        looks = user.app.gateway._number
        await until(lambda: user.app.gateway._number >= looks + 2)
        await user.idle()
        assert sum(isinstance(screen, Dialog) for screen in user.app.screen_stack) == 1
        await user.press("escape")
        assert user.name == "HomeScreen"
        await user.press("enter")
        assert user.name == "CurvesScreen", "what is not damaged can still be read"


async def test_a_part_that_is_still_arriving_is_said_on_home_until_it_is_there(
    sums_store: StoreLayout, tmp_path: Path
) -> None:
    layout = StoreLayout(Path(shutil.copytree(sums_store.root, tmp_path / "shared.passk")))
    async with explorer(layout) as user:
        rows = user.table.total
        whole = write_part(StoreLayout(tmp_path / "other.passk"), "20990101T000001-new", [Attempt("x", 0)], run="new@b")
        part = layout.parts / whole.name
        part.mkdir()
        for path in sorted(whole.iterdir()):  # manifest.json comes before most of the rest
            shutil.copy(path, part)
            if path.name == "manifest.json":
                await until(lambda: "1 part not counted: 1 still arriving" in user.flat())
        await until(lambda: user.table.total > rows)
        await until(lambda: "not counted" not in user.flat())
        assert user.name == "HomeScreen", "no dialog: it is no fault"


async def test_a_conflicted_copy_is_said_once_and_adds_nothing(sums_store: StoreLayout, tmp_path: Path) -> None:
    layout = StoreLayout(Path(shutil.copytree(sums_store.root, tmp_path / "shared.passk")))
    async with explorer(layout) as user:
        rows = user.table.total
        part = write_part(layout, "20990101T000001-new", [Attempt("x", 0)], run="new@b", model="new")
        await until(lambda: user.table.total > rows)
        await user.press("G")
        before = user.cells()
        shutil.copytree(part, part.with_name(f"{part.name} (conflicted copy)"))
        await until(lambda: isinstance(user.screen, Dialog))
        await user.idle()
        assert "does not count" in user.flat()
        looks = user.app.gateway._number
        await until(lambda: user.app.gateway._number >= looks + 2)
        await user.idle()
        assert sum(isinstance(screen, Dialog) for screen in user.app.screen_stack) == 1
        await user.press("escape")
        assert user.cells() == before


# Live


async def test_what_others_import_appears_and_moves_nothing(tmp_path: Path, run_passk: Passk) -> None:
    layout = StoreLayout(tmp_path / "live.passk")
    rows = many_rows(300, 2)
    for role in ("base", "rl"):
        import_into(layout, [jsonl(tmp_path / f"{role}.jsonl", rows)], model=role, role=role, benchmark="live")
    more = jsonl(tmp_path / "more.jsonl", [row | {"completion": f"more {i}"} for i, row in enumerate(rows)])
    async with explorer(layout) as user:
        await open_sets(user)
        while user.crumbs[-1] != "all":
            await user.press("right")
        for _ in range(5):
            await user.press("pagedown")
        await user.press("k", "k", "k")
        before = user.state()
        assert before["scroll"].y > 60
        assert "2/2" in user.cells()
        process = await asyncio.to_thread(
            run_passk.start,
            "import",
            more,
            "--store",
            layout.root,
            "--model",
            "rl",
            "--role",
            "rl",
            "--benchmark",
            "live",
        )
        assert await asyncio.to_thread(process.wait) == 0, process.stderr and process.stderr.read()
        await until(lambda: "4/4" in user.cells(), said="the look-out takes in what was added")
        await user.idle()
        after = user.state()
        for what in ("cursor", "scroll", "location", "sort", "focus"):
            assert after[what] == before[what], what
        # The screens behind catch up when they come to the front.
        await user.press("escape")
        assert "rl: n = 4, 300 problems, 1,200 samples" in user.words("words")
        await user.press("escape")
        assert "n = 4, 1,200 samples" in user.words("details")


async def test_a_new_run_appears_at_home(sums_store: StoreLayout, tmp_path: Path, run_passk: Passk) -> None:
    layout = StoreLayout(Path(shutil.copytree(sums_store.root, tmp_path / "grows.passk")))
    rows = jsonl(tmp_path / "new.jsonl", many_rows(3, 2))
    async with explorer(layout, (120, 40)) as user:
        await user.press("j")
        cursor = user.table.cursor_key
        await asyncio.to_thread(
            run_passk, "import", rows, "--store", layout.root, "--model", "newcomer", "--benchmark", "a first one"
        )
        await until(lambda: "newcomer" in user.shown)
        await user.idle()
        assert user.table.cursor_key == cursor
        assert user.table.cursor_row == 2, "the new row is above"
        assert "tiny-base → tiny-sft" in user.words("details")


async def test_an_empty_store_fills(store: StoreLayout, tmp_path: Path, run_passk: Passk) -> None:
    rows = jsonl(tmp_path / "new.jsonl", many_rows(3, 2))
    async with explorer(store) as user:
        await asyncio.to_thread(
            run_passk, "import", rows, "--store", store.root, "--model", "newcomer", "--benchmark", "sums"
        )
        await until(lambda: "newcomer" in user.shown)
        await user.idle()
        assert "This store is empty" not in user.shown
        await user.press("enter")
        assert user.name == "CurvesScreen"


@pytest.mark.parametrize("key", ["escape", "q"])
async def test_dialogs_are_closed_by(sums_store: StoreLayout, key: str) -> None:
    async with explorer(sums_store) as user:
        await user.press("question_mark")
        assert isinstance(user.screen, Dialog)
        await user.press(key)
        assert user.name == "HomeScreen"
