"""What goes wrong while a job draws: each ends in a sentence, loses nothing, and the job can be resumed."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from backend import find_job, merge
from backend.store.layout import StoreLayout
from tests.engines import test_server as servers
from tests.support import Finished, Passk, everything_in, runs_of, wait_while

serve = servers.serve
"""The fixture that starts HTTP servers on loopback."""

DRAW = ("--temperature", "1", "--max-tokens", "40")
SERVER = ("--engine", "server", "--model", "tiny", *DRAW)


def sample(passk: Passk, *arguments: object, n: int = 4, benchmark: str = "countdown", status: int = 0) -> Finished:
    return passk("sample", "--benchmark", benchmark, "--n", n, *arguments, "--wait", status=status)


def served(local: servers.Local, **options: object) -> list[object]:
    """Options for a server, with little patience."""
    chosen = {"base_url": local.url, "concurrency": 2, "retries": 1, "backoff": 0.02, "timeout": 0.5} | options
    return [*SERVER, *(word for name, value in chosen.items() for word in ("--option", f"{name}={value}"))]


def store_of(passk: Passk) -> StoreLayout:
    return StoreLayout(passk.folder / "store.passk")


def failed(passk: Passk, *said: str, store: StoreLayout | None = None) -> dict[str, Any]:
    """The newest job, which failed with these words and left nothing half-done."""
    layout = store or store_of(passk)
    job: dict[str, Any] = passk("jobs", "show", "last", "--store", layout.root).json
    assert job["state"] == "failed"
    for text in (*said, f"go on with: passk jobs resume {job['job']}"):
        assert text in job["error"]
    assert "Traceback" not in job["error"]
    assert "Traceback" not in passk("jobs", "log", "last", "--store", layout.root).stdout
    assert list(layout.unfinished.iterdir()) == []
    assert all((part / "manifest.json").exists() for part in layout.parts.iterdir())
    assert not list((layout.jobs / job["job"]).glob("*.tmp"))
    return job


def resumed(passk: Passk, store: StoreLayout | None = None) -> dict[str, Any]:
    """The newest job, started again, when it has ended."""
    layout = store or store_of(passk)
    passk("jobs", "resume", "last", "--store", layout.root)
    job = find_job(layout, "last")
    before = job.status().updated
    wait_while(lambda: job.status().updated == before or job.status().state in ("prepared", "running"))
    return dict(passk("jobs", "show", "last", "--store", layout.root).json)


def indices(layout: StoreLayout, run: str) -> list[tuple[int, int]]:
    """(problem key, index) of every sample of the run; none may be there twice."""
    key = next(row[0] for row in everything_in(layout)["runs"] if run in row)
    found = [(row[1], row[2]) for row in everything_in(layout)["outcomes"] if row[0] == key]
    assert len(set(found)) == len(found)
    return found


def test_a_missing_model_folder(asked: Passk, models: Path) -> None:
    folder = asked.folder / "model"
    done = sample(asked, "--model", folder, *DRAW, n=2, status=1)
    assert f"The model at {folder} could not be loaded: there is no such folder" in done.stderr
    failed(asked, "there is no such folder")
    folder.symlink_to(models / "countdown-base")
    assert resumed(asked)["state"] == "finished"
    assert len(indices(store_of(asked), "model@countdown")) == 12


@pytest.mark.parametrize(
    ("broken", "said"),
    [(servers.failing, "answered 500: CUDA error: out of memory"), (servers.hanging, "gave no answer within")],
)
def test_a_server_that_does_not_work(asked: Passk, serve: servers.Serve, broken: servers.Behaviour, said: str) -> None:
    local = serve(broken)
    done = sample(asked, *served(local), status=1)
    assert said in done.stderr
    assert failed(asked, "No server is left", said)["samples"] == 0
    local.behaviour = servers.good
    assert resumed(asked)["samples"] == 24
    assert len(indices(store_of(asked), "tiny@countdown")) == 24


def test_a_server_that_stops_in_the_middle(asked: Passk, serve: servers.Serve) -> None:
    local = serve(servers.first(10, servers.closing_mid_body))
    sample(asked, *served(local), status=1)
    job = failed(asked, "No server is left", "stopped in the middle of an answer")
    assert (job["samples"], sum(job["verdicts"].values())) == (10, 10)
    kept = set(indices(store_of(asked), "tiny@countdown"))
    assert len(kept) == 10
    local.behaviour = servers.good
    local.asked.clear()
    job = resumed(asked)
    assert (job["state"], job["samples"], sum(job["verdicts"].values())) == ("finished", 24, 24)
    complete = indices(store_of(asked), "tiny@countdown")
    assert len(complete) == 24
    assert kept < set(complete)
    assert len(local.asked) == 14, "what was finished is not drawn again"


@pytest.mark.parametrize("how", ["cancel", "sigterm"])
def test_a_worker_that_waits_for_its_engine_can_be_stopped(asked: Passk, serve: servers.Serve, how: str) -> None:
    """No sample ever finishes, and yet the worker reports, listens and ends."""
    local = serve(servers.hanging)
    asked("sample", "--benchmark", "countdown", "--n", 4, *served(local, timeout=600))
    job = find_job(store_of(asked), "last")
    wait_while(lambda: not local.asked)
    seen = job.status()
    wait_while(lambda: job.status().updated == seen.updated)
    assert job.status().state == "running"
    if how == "cancel":
        asked("jobs", "cancel", "last")
    else:
        os.kill(job.status().pid, signal.SIGTERM)
    wait_while(lambda: job.status().state == "running")
    assert job.status().state == "cancelled"


def add_problem(passk: Passk, statement: str, benchmark: str, **fields: object) -> None:
    row = {"problem": "long", "statement": statement, "text": "?", "verdict": "wrong", "model": "nobody2"}
    path = passk.folder / "more.jsonl"
    path.write_text(json.dumps(row | {"benchmark": benchmark} | fields) + "\n", encoding="utf-8")
    passk("import", path)


def test_a_prompt_longer_than_the_context(asked: Passk, models: Path) -> None:
    add_problem(asked, "Numbers:" + " 3" * 300, "countdown", metadata={"numbers": [3], "target": 3})
    model = ("--model", models / "countdown-base", *DRAW, "--template", "plain")
    done = sample(asked, *model, n=2, status=1)
    assert "no room in the model's context of 256 tokens" in done.stderr
    assert failed(asked, "long (", "--problems")["samples"] == 12, "all others are drawn"
    again = resumed(asked)
    assert (again["state"], again["samples"]) == ("failed", 12)
    assert len(indices(store_of(asked), "countdown-base@countdown")) == 12


def test_temperature_0_draws_the_same_text_again_and_says_so(asked: Passk, models: Path) -> None:
    """Greedy decoding is a measurement too: allowed, but nobody shall take n equal texts for n samples."""
    model = ("--model", models / "countdown-base", "--temperature", 0, "--max-tokens", 40, "--problems", "c000,c001")
    done = sample(asked, *model, n=3)
    assert "At temperature 0 all samples of a problem are the same text" in done.stderr
    for problem in ("c000", "c001"):
        lines = asked("paths", "--run", "countdown-base@countdown", "--problem", problem).lines
        assert [line["index"] for line in lines] == [0, 1, 2]
        assert len({line["text"] for line in lines}) == 1
        assert len({line["seed"] for line in lines}) == 3
    assert "At temperature 0" not in sample(asked, *model, "--run", "once", n=1).stderr


def test_a_benchmark_without_answers(asked: Passk, serve: servers.Serve) -> None:
    add_problem(asked, "What is the meaning of life?", "open")
    done = sample(asked, *served(serve(servers.good)), benchmark="open")
    assert "finished: 4 unverified" in done.stderr
    assert "Unverified samples count into neither n nor c" in done.stderr
    run = runs_of(store_of(asked))["tiny@open"]
    assert (run.samples, run.unverified, run.correct) == (4, 4, 0)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 8 MB, which `more_room` makes larger."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = shutil.which("mount") and os.geteuid() == 0
    if mounted:
        command = ["mount", "-t", "tmpfs", "-o", "size=8m", "none", str(folder)]
        mounted = subprocess.run(command, capture_output=True).returncode == 0
    if not mounted:
        pytest.skip("mounting a small disk needs root and the right to mount")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk(asked: Passk, serve: servers.Serve, small_disk: Path) -> None:
    random = Random(0)

    def long(handler: servers.Handler, body: dict[str, Any], number: int) -> None:
        choice = {"text": random.randbytes(5_000).hex(), "finish_reason": "stop"}
        handler.answer(200, {"choices": [choice], "usage": {"completion_tokens": 9}})

    store = StoreLayout(small_disk / "s.passk")
    asked("import", "asked.jsonl", "--store", store.root)
    at = [*served(serve(long), concurrency=8, timeout=20), "--store", store.root]
    done = sample(asked, *at, n=200, status=1)
    assert "The samples could not be written" in done.stderr
    job = failed(asked, "The samples could not be written", "No space left", "Is there room", store=store)
    kept = indices(store, "tiny@countdown")
    assert 256 <= len(kept) == job["samples"] < 1_200

    # Not a byte is left, not even for a status.
    with open(small_disk / "filler", "wb", buffering=0) as file, pytest.raises(OSError, match="No space"):
        while True:
            file.write(bytes(4_096))
    job = resumed(asked, store)
    assert job["state"] == "failed"
    failed(asked, "The samples could not be written", store=store)
    assert indices(store, "tiny@countdown") == kept

    (small_disk / "filler").unlink()
    subprocess.run(["mount", "-o", "remount,size=96m", str(small_disk)], check=True)
    job = resumed(asked, store)
    assert (job["state"], job["samples"]) == ("finished", 1_200)
    complete = indices(store, "tiny@countdown")
    assert len(complete) == 1_200
    assert {index for _, index in complete} == set(range(200))
    assert set(kept) < set(complete)
    merge(store)
    assert list(store.parts.iterdir()) == []
    assert list(store.unfinished.iterdir()) == []
