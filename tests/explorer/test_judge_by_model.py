"""A language model started from the judging queue, and what its judgements come to where CoT-pass@k is shown."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from backend import JudgementBook, NewJudgement, Reader, jobs_of, open_store
from backend.store.layout import StoreLayout
from explorer.widgets.plain import Plain
from tests.explorer.driving import SIZES, Driver, explorer, import_into, until
from tests.explorer.test_sets import open_sets
from tests.judgements.judge_server import Judging, is_sound, serving
from tests.support import Passk, jsonl

N = 40
RIGHT = {"base": [1, 20, 0], "rl": [1, 40, 1]}


@pytest.fixture
def store(tmp_path: Path) -> StoreLayout:
    """Every third path adds wrongly."""
    layout = StoreLayout(tmp_path / "stores" / "store.passk")
    layout.root.parent.mkdir(exist_ok=True)
    for run, correct in RIGHT.items():
        rows = [
            {
                "problem_id": f"p{problem}",
                "question": f"Question {problem}",
                "completion": f"2 + 2 = {4 if sample % 3 else 5}. Answer: {sample}",
                "is_correct": sample < c,
                "model": run,
                "role": run,
                "benchmark": "sums",
            }
            for problem, c in enumerate(correct)
            for sample in range(N)
        ]
        import_into(layout, [jsonl(tmp_path / f"{run}.jsonl", rows)])
    return layout


@pytest.fixture
def judging(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Judging]:
    """A server that config.toml names as the engine `node`."""
    with serving(Judging()) as server:
        config = tmp_path / "config.toml"
        config.write_text(
            f'[sampling]\nengine = "node"\n[engines]\nnode = {{ kind = "server", base_url = "{server.url}" }}\n'
            '[prices]\n"checker" = [1, 2]\n'
        )
        monkeypatch.setenv("PASSK_CONFIG", str(config))
        monkeypatch.setenv("PASSK_AUTHOR", "ann")
        yield server


def dialog_says(user: Driver) -> str:
    return " ".join(str(user.app.screen.query_one("#state", Plain).render()).split())


async def to_dialog(user: Driver) -> None:
    await open_sets(user)
    await user.press("Q", "m")
    await user.idle()
    assert user.name == "JudgeDialog"


@pytest.mark.parametrize("size", SIZES)
async def test_the_dialog_says_what_it_takes_and_starts_it(
    store: StoreLayout, judging: Judging, size: tuple[int, int], run_passk: Passk, tmp_path: Path
) -> None:
    copy = tmp_path / "copy.passk"
    shutil.copytree(store.root, copy)
    async with explorer(store, size) as user:
        await to_dialog(user)
        assert "Which model judges?" in dialog_says(user)
        await user.type("checker")
        await user.idle()
        said = dialog_says(user)
        assert "63 paths of 3 problems, 3 votes each: 189 prompts" in said
        assert "at the prices of config.toml" in said and "at most" in said
        assert judging.asked == []
        await user.press("enter")
        await until(lambda: len(jobs_of(store)) == 1)
        await until(lambda: jobs_of(store)[0].status().state == "finished")
    (job,) = jobs_of(store)
    assert job.status().verdicts == {"valid": 39, "invalid": 24}
    folder = run_passk(
        "judge", "--store", copy, "--run", "base@sums", "--run", "rl@sums", "--checker", "llm", "--model", "checker",
        "--prepare", PASSK_CONFIG=str(tmp_path / "config.toml"),
    ).stdout.strip()  # fmt: skip
    assert (Path(folder) / "plan.json").read_bytes() == job.read("plan.json"), "dialog and command write the same plan"


async def test_the_dialog_refuses_what_the_command_refuses(
    store: StoreLayout, judging: Judging, tmp_path: Path
) -> None:
    (tmp_path / "bad.jinja").write_text("Is it sound?")
    async with explorer(store, (120, 40)) as user:
        await to_dialog(user)
        await user.type("checker")
        await user.press("down", "down", "down")
        await user.type(str(tmp_path / "bad.jinja"))
        await user.idle()
        assert "leaves the path out" in dialog_says(user)
        await user.press("enter")
        await user.idle()
        assert user.name == "JudgeDialog" and jobs_of(store) == []


@pytest.mark.parametrize("size", SIZES)
async def test_judges_stand_beside_people_and_figures_are_corrected(
    store: StoreLayout, judging: Judging, size: tuple[int, int], run_passk: Passk, tmp_path: Path
) -> None:
    more = (
        "--run",
        "base@sums",
        "--run",
        "rl@sums",
        "--checker",
        "llm",
        "--model",
        "checker",
        "--votes",
        "1",
        "--wait",
    )
    run_passk("judge", "--store", store.root, *more, PASSK_CONFIG=str(tmp_path / "config.toml"))
    async with explorer(store, size) as user:
        await open_sets(user)
        await user.press("V")
        await user.idle()
        assert "not corrected for llm:checker" in user.flat() and "no path was judged by people" in user.flat()
    database = open_store(store)
    with Reader(database) as reader:
        run, key = reader.run("rl@sums"), reader.problem_key("sums", "p1")
        said = [
            NewJudgement(run.key, key, sample, "valid" if is_sound(f"2 + 2 = {4 if sample % 3 else 5}") else "invalid")
            for sample in range(20)
        ]
        JudgementBook(store, "ann").say(said)
    database.close()
    async with explorer(store, size) as user:
        await open_sets(user)
        await user.press("V")
        await user.idle()
        assert "corrected for the errors of llm:checker" in user.flat() and "expected:" in user.flat()
        await user.press("Q", "c")
        await user.idle()
        assert user.name == "Dialog"
        assert "agreement 100.0 %" in user.flat() and "kappa 100.0 %" in user.flat()
        await user.press("escape", "escape", "escape", "V")
        await user.idle()
        assert "corrected for llm:checker" in user.flat()
