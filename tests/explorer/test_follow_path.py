"""`passk PATH`: results are opened where they lie, what no file says is asked, and what is written later appears."""

from __future__ import annotations

import json
import os
import stat
import time
from pathlib import Path

import pytest

from backend import FollowedPath, RunOptions, Said, look_over
from backend.errors import StoreError
from tests.explorer.terminal import Start, needs_tmux
from tests.support import Passk


def dump(path: Path, step: int, rows: int = 8) -> None:
    """A rollout dump as verl writes it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "a", encoding="utf-8") as file:
        for row in range(rows):
            said = {"input": f"What is {row % 4} + 1?", "output": f"try {row} of step {step}", "gts": str(row % 4 + 1)}
            file.write(json.dumps({**said, "score": float((row + step) % 3 == 0), "step": step}) + "\n")


def plain(path: Path, *texts: str, **more: str) -> None:
    with open(path, "a", encoding="utf-8") as file:
        for text in texts:
            file.write(json.dumps({"problem": "p", "text": text, "verdict": True, **more}) + "\n")


def cache_of(passk: Passk) -> Path:
    return passk.home / ".cache" / "passk" / "followed"


def stores_in_cache(passk: Passk) -> list[Path]:
    return list(cache_of(passk).glob("*/*.passk"))


@pytest.mark.terminal
@needs_tmux
def test_a_training_is_watched_from_its_first_dump(start: Start, run_passk: Passk) -> None:
    dumps = run_passk.folder / "Qwen2.5-7B-GRPO-math500" / "rollouts"
    dump(dumps / "10.jsonl", 10)
    terminal = start(dumps.parent)
    terminal.wait("What are these results of?", "1 file (verl)")
    terminal.wait("model Qwen2.5-7B-GRPO", "benchmark math500", "‹ rl ›")
    terminal.keys("Enter")
    terminal.wait("Qwen2.5-7B-GRPO-step10@math500", "following Qwen2.5-7B-GRPO-math500: 1 file, 8 samples")
    # Another file while Home is open, another while Curves are.
    dump(dumps / "20.jsonl", 20)
    began = time.monotonic()
    terminal.wait("2 files, 16 samples")
    assert time.monotonic() - began < 5
    terminal.keys("Enter")
    terminal.wait("pass@k", "step20")
    terminal.keys("a")
    dump(dumps / "30.jsonl", 30)
    terminal.wait("step30")
    terminal.keys("Escape")
    terminal.wait("3 files, 24 samples")
    terminal.keys("q")
    terminal.wait("STATUS 0")
    # Only this user may look into the cache, and the process that followed is no more.
    assert stat.S_IMODE(cache_of(run_passk).stat().st_mode) == 0o700
    (store,) = stores_in_cache(run_passk)
    assert run_passk("runs", "--store", store, "--format", "json").json
    # What came meanwhile is there when it is opened again, and nothing is asked.
    dump(dumps / "40.jsonl", 40)
    again = start(dumps.parent)
    again.wait("4 files, 32 samples")
    assert "What are these" not in again.screen()


@pytest.mark.terminal
@needs_tmux
def test_leaving_the_form_leaves_nothing(start: Start, run_passk: Passk) -> None:
    path = run_passk.folder / "import"
    plain(path, "a")
    terminal = start("./import", size=(120, 40))
    terminal.wait("What are these results of?", "Type the name of the benchmark")
    terminal.keys("Enter")
    terminal.wait("What are these results of?")
    terminal.keys("Escape")
    terminal.wait("STATUS 0")
    assert list(cache_of(run_passk).iterdir()) == []


@pytest.mark.terminal
@needs_tmux
def test_what_cannot_be_used_is_said_and_the_rest_is_shown(start: Start, run_passk: Passk) -> None:
    folder = run_passk.folder / "mixed"
    folder.mkdir()
    plain(folder / "good.jsonl", "a", "b", model="m", benchmark="b")
    (folder / "bad.jsonl").write_text('{"problem": "p", "text": 3, "verdict": 1, "model": "m", "benchmark": "b"}\n')
    (folder / "notes.txt").write_text("nothing")
    for path in folder.iterdir():
        os.utime(path, (1, 1))
    terminal = start(folder, "--store", "kept.passk")
    terminal.wait("m@b", "following mixed: 1 file, 2 samples; 2 left (w): bad.jsonl: line 1")
    terminal.keys("w")
    terminal.wait("notes.txt: not recognised as a result file", "field text")
    terminal.keys("Escape")
    plain(folder / "more.jsonl", "c", model="m", benchmark="b")
    terminal.wait("2 files, 3 samples")
    terminal.keys("q")
    terminal.wait("STATUS 0")
    assert (run_passk.folder / "kept.passk").is_dir() and stores_in_cache(run_passk) == []


@pytest.mark.terminal
@needs_tmux
def test_a_file_that_is_none_is_refused_with_the_ways_out_and_waits(start: Start, run_passk: Passk) -> None:
    path = run_passk.folder / "strange.json"
    path.write_text('{"runs": [{"prompt": "What?", "tries": [{"output": "x", "ok": true}]}]}')
    terminal = start("strange.json", size=(120, 50))
    terminal.wait("Something went wrong", "lines of the long form", "Save this as mapping.sql")
    terminal.keys("Escape")
    terminal.wait("following strange.json: no samples yet; 1 left")
    path.unlink()
    plain(path, "a", model="m", benchmark="b")
    terminal.wait("1 file, 1 sample")


@pytest.mark.terminal
@needs_tmux
def test_what_an_option_must_say_is_told_by_a_dialog(start: Start, run_passk: Passk) -> None:
    folder = run_passk.folder / "several"
    folder.mkdir()
    for name in ("alpha.jsonl", "beta.jsonl"):
        plain(folder / name, name)
    terminal = start(folder, "--model", "M", "--benchmark", "B")
    terminal.wait("would form one run", "--model-from")
    terminal.keys("Escape")
    terminal.wait("several is not followed any more")


def test_words_that_are_nothing(run_passk: Passk) -> None:
    for word, said in (
        ("improt", "improt is no command, and there is no file or folder of that name here\nKnown commands: import"),
        ("nowhere.jsonl", "nowhere.jsonl: no such file or folder"),
    ):
        done = run_passk(word, status=1)
        assert said in done.stderr


# What is asked, and what names suggest


def looked(path: Path, **said: str) -> tuple[tuple[str, ...], str, str, str]:
    found = look_over(path, Said(run_options=RunOptions(**said)))
    return found.needs, found.model, found.benchmark, found.role


@pytest.mark.parametrize(
    ("name", "model", "benchmark", "role"),
    [
        ("Qwen3-8B-Base_gsm8k.jsonl", "Qwen3-8B-Base", "gsm8k", "base"),
        ("llama-3.1-8b-instruct.aime24.jsonl", "llama-3.1-8b-instruct", "aime24", "instruct"),
        ("outputs/Qwen2.5-7B-GRPO/aime_2024/seed0.jsonl", "Qwen2.5-7B-GRPO", "aime_2024", "rl"),
        ("x/DeepSeek-R1-Distill-Qwen-7B/step_100/amc23.jsonl", "DeepSeek-R1-Distill-Qwen-7B", "amc23", "distill"),
        ("outputs/0.jsonl", "", "", ""),
    ],
)
def test_names_suggest(tmp_path: Path, name: str, model: str, benchmark: str, role: str) -> None:
    path = tmp_path / "of" / name
    path.parent.mkdir(parents=True)
    plain(path, "a")
    assert looked(path) == (("model", "benchmark"), model, benchmark, role)


def test_only_what_no_file_says_is_asked(tmp_path: Path) -> None:
    plain(tmp_path / "one.jsonl", "a", model="m", benchmark="b")
    assert looked(tmp_path)[0] == ()
    plain(tmp_path / "two.jsonl", "a", model="m")
    assert looked(tmp_path)[0] == ("benchmark",)
    assert looked(tmp_path, benchmark="b")[0] == ()
    found = look_over(tmp_path, Said())
    assert (found.files, found.lacking, found.formats) == (2, 1, ("long-form",))


def test_the_beginning_of_a_file_tells(tmp_path: Path) -> None:
    """A large file is not read to its end, where a row is torn."""
    path = tmp_path / "large.jsonl"
    plain(path, *(f"{number} " * 200 for number in range(2_000)), model="m", benchmark="b")
    with open(path, "a") as file:
        file.write('{"problem": "p", "te')
    began = time.process_time()
    assert looked(path)[0] == ()
    assert time.process_time() - began < 1


def test_a_cache_that_others_may_write_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    one = FollowedPath.of(tmp_path / "a")
    assert one.folder != FollowedPath.of(tmp_path / "b").folder != FollowedPath.of(tmp_path / "b", "s.passk").folder
    one.keep(["--model", "m"])
    assert FollowedPath.of(tmp_path / "a").said() == ["--model", "m"]
    (tmp_path / "passk" / "followed").chmod(0o777)
    with pytest.raises(StoreError, match="can be written by others"):
        FollowedPath.of(tmp_path / "a")
