"""Jobs as a user has them: prepared, worked, killed, resumed, cancelled; real models, real processes."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import time
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from backend import Job, describe, find_job, jobs_of, rebuild_tallies, running_jobs
from backend.jobs.work import plan_from_json, plan_to_json
from backend.store.identity import run_key
from backend.store.layout import StoreLayout
from tests.support import Finished, Passk, everything_in, runs_of, wait_while

ONE_THREAD = {"OMP_NUM_THREADS": "1"}
"""As workers that passk starts: two threads on a busy machine are slower than one."""
KILLS = 30
DRAW = ("--temperature", "1", "--max-tokens", "60", "--option", "device=cpu")


def new_run(passk: Passk, models: Path, n: int, *more: str, status: int = 0) -> Finished:
    chosen = ("--model", str(models / "countdown-base"), "--benchmark", "countdown", "--n", str(n), "--role", "base")
    return passk("sample", *chosen, *DRAW, *more, status=status)


def drawn(passk: Passk, run: str = "countdown-base@countdown") -> dict[tuple[str, int], tuple[int, str]]:
    """(problem, index) -> (seed, text) of every sample; a sample that is there twice fails."""
    found: dict[tuple[str, int], tuple[int, str]] = {}
    for problem in passk("sets", "--base", run, "--rl", "nobody", "--format", "json").json["problems"]:
        for line in passk("paths", "--run", run, "--problem", problem["problem"]).lines:
            key = line["problem"], line["index"]
            assert key not in found
            found[key] = line["seed"], line["text"]
    return found


def test_a_new_run_is_drawn_verified_and_known(asked: Passk, models: Path) -> None:
    asked = replace(asked, forker=None)
    done = new_run(asked, models, 4, "--wait")
    assert "finished" in done.stderr
    run = next(r for r in asked("runs", "--format", "json").json if r["run"] == "countdown-base@countdown")
    assert (run["role"], run["problems"], run["samples"], run["n_min"], run["n_max"]) == ("base", 6, 24, 4, 4)
    assert run["parameters"]["temperature"] == 1
    samples = drawn(asked)
    assert {index for _, index in samples} == {0, 1, 2, 3}
    assert len({seed for seed, _ in samples.values()}) == 24
    again = new_run(asked, models, 4, "--wait")
    assert "nothing to draw" in again.stderr
    job = asked("jobs", "--format", "json").json[0]
    assert (job["state"], job["samples"], job["wanted"]) == ("finished", 24, 24)
    assert list(StoreLayout(asked.folder / "store.passk").unfinished.iterdir()) == []


def test_the_job_made_last_is_the_newest_also_within_a_second(asked: Passk, models: Path) -> None:
    layout = StoreLayout(asked.folder / "store.passk")
    (layout.jobs / "20261127-073549-f288").mkdir(parents=True)  # a name of the last version
    made = []
    for n in range(1, 6):
        plan = ("--model", models / "countdown-base", "--benchmark", "countdown", "--n", n, "--run", f"r{n}")
        made.append(Path(asked("sample", *map(str, plan), "--prepare").stdout.strip()).name)
    assert [job.name for job in jobs_of(layout)][: len(made)] == made[::-1]
    assert find_job(layout, "last").name == made[-1]
    assert find_job(layout, "073549-f288").name == "20261127-073549-f288"


def test_nothing_that_passk_starts_takes_modules_from_the_working_folder(asked: Passk, models: Path) -> None:
    """A worker and the processes that judge, in a folder whose modules carry the names of ours and of Python's own."""
    pytest.importorskip("math_verify")
    mark = asked.folder / "foreign"
    foreign = f"open({str(mark)!r}, 'a').write(__file__ + '\\n')\nraise SystemExit('foreign code')\n"
    for package in ("explorer", "backend", "queries", "sample_data"):
        (asked.folder / package).mkdir()
        (asked.folder / package / "__init__.py").write_text(foreign, encoding="utf-8")
    for module in ("json", "pickle", "socket", "duckdb", "torch", "math_verify"):
        (asked.folder / f"{module}.py").write_text(foreign, encoding="utf-8")
    done = new_run(asked, models, 1, "--verifier", "math", "--wait")
    assert "finished" in done.stderr
    judged = asked("verify", "--run", "countdown-base@countdown", "--verifier", "math", "--again", "--format", "json")
    assert sum(row["samples"] for row in judged.json) == 6
    assert not mark.exists(), mark.read_text(encoding="utf-8")


def test_adding_keeps_the_parameters_and_changing_one_makes_a_new_run(asked: Passk, models: Path) -> None:
    new_run(asked, models, 2, "--wait")
    before = drawn(asked)
    asked("sample", "--run", "countdown-base", "--add", "3", "--problems", "c000,c002", "--wait")
    after = drawn(asked)
    assert before.items() <= after.items()
    assert {key for key in after if key not in before} == {(p, i) for p in ("c000", "c002") for i in (2, 3, 4)}

    run = "countdown-base@countdown"
    more = ("--run", run, "--add", "2", "--problems", "c001", "--wait")
    other = f"{run}+temperature=0.3"
    changed = asked("sample", *more, "--temperature", "0.3")
    assert f"temperature 1.0 becomes 0.3. So the new samples form the run {other}" in changed.stderr
    assert "--pool" not in changed.stderr
    again = asked("sample", "--run", other, "--add", "1", "--problems", "c001", "--temperature", "0.3", "--wait")
    assert "becomes" not in again.stderr
    same_name = new_run(asked, models, 3, "--temperature", "0.2", status=1)
    assert "What is to be drawn does not belong to the run countdown-base@countdown" in same_name.stderr
    assert "temperature 1 and 0.2" in same_name.stderr.replace("1.0 and", "1 and")
    assert "Give it a run of its own: --run NAME" in same_name.stderr
    templated = asked("sample", *more, "--template", "plain")
    assert "prompt template becomes another" in templated.stderr
    assert f"{run}+template=plain" in templated.stderr
    asked("sample", "--run", "countdown-base", *more[2:], "--temperature", "1", "--max-tokens", "60")

    runs = runs_of(StoreLayout(asked.folder / "store.passk"))
    stored = runs[run].parameters
    assert runs[other].parameters == {**stored, "temperature": 0.3}
    assert {name: run.samples for name, run in runs.items() if run.model.name == "countdown-base"} == {
        run: 20,
        other: 3,
        f"{run}+template=plain": 2,
    }
    assert drawn(asked).items() >= after.items()


def test_an_imported_run_gets_a_run_of_its_own_unless_pooling_is_confirmed(asked: Passk, models: Path) -> None:
    unknown = asked("sample", "--run", "nobody", "--add", "1", status=1)
    assert "Where is the model nobody?" in unknown.stderr
    model = ("--model", models / "countdown-base")
    more = ("--run", "nobody@countdown", "--add", "1", *model, "--problems", "c001", "--wait")
    added = asked("sample", *more)
    assert "its temperature, top p, max tokens is not known" in added.stderr
    assert "form the run nobody@countdown+resampled" in added.stderr
    assert "--pool" in added.stderr
    store = StoreLayout(asked.folder / "store.passk")
    assert runs_of(store)["nobody@countdown"].samples == 6
    pooled = asked("sample", *more, "--pool")
    assert "form the run" not in pooled.stderr
    assert runs_of(store)["nobody@countdown"].samples == 7


def test_no_two_jobs_plan_the_same_indices(asked: Passk, models: Path) -> None:
    """Eight processes prepare at once; a cancelled job gives its indices back and, resumed, draws what is left."""
    new_run(asked, models, 1, "--wait")
    more = ("sample", "--run", "countdown-base", "--add", "2", "--problems", "c000,c001", "--prepare")
    started = [asked.start(*more) for _ in range(8)]
    assert [process.wait() for process in started] == [0] * 8
    store = StoreLayout(asked.folder / "store.passk")
    jobs = [job for job in jobs_of(store) if job.status().state == "prepared"]
    planned = [index for job in jobs for problem in job.plan()[0].problems for index in problem.indices]
    assert sorted(planned) == sorted([*range(1, 17)] * 2)

    first, last = (choose(jobs, key=lambda job: min(job.plan()[0].problems[0].indices)) for choose in (min, max))
    asked("jobs", "cancel", first.name)
    asked("jobs", "cancel", last.name)
    asked("work", last.folder)
    assert last.status().state == "finished", "begun again, it is cancelled no more"
    refill = new_run(asked, models, 3, "--problems", "c000,c001", "--wait")
    assert "4 samples of 2 problems" in refill.stderr, "the indices of the cancelled job, and no others"
    asked("work", first.folder)
    assert (first.status().state, first.status().samples) == ("finished", 4), "another job has drawn them all"
    for job in jobs:
        if job != first:
            asked("work", job.folder)
    assert {key for key in drawn(asked) if key[0] in ("c000", "c001")} == {
        (problem, index) for problem in ("c000", "c001") for index in range(17)
    }


def test_a_new_run_of_some_problems(asked: Passk, models: Path) -> None:
    """Without a run what can be said of the problems themselves, and of other runs, chooses them."""
    one = new_run(asked, models, 1, "--run", "one", "--problems", "c003", "--prepare")
    assert "1 sample of 1 problem into one" in one.stderr
    those = new_run(
        asked, models, 2, "--run", "those", "--problems", "level=usual nobody.c=0 id=c000,c004", "--prepare"
    )
    assert "4 samples of 2 problems into those" in those.stderr
    assert "no samples yet" in new_run(asked, models, 1, "--run", "none", "--problems", "c=0", status=1).stderr
    assert "No problem of countdown" in new_run(asked, models, 1, "--problems", "level=none", status=1).stderr


def test_killed_between_prepare_and_start_a_job_can_be_started(asked: Passk, models: Path) -> None:
    """What is written and was never begun is `prepared`; resume begins it."""
    folder = Path(new_run(asked, models, 2, "--prepare").stdout.strip())
    job = find_job(StoreLayout(asked.folder / "store.passk"), "last")
    assert (job.folder, job.status().state, job.status().wanted) == (folder, "prepared", 12)
    again = new_run(asked, models, 2)
    assert "nothing to draw" in again.stderr
    assert f"Job {job.name} is prepared" in again.stderr
    asked("jobs", "resume", "last")
    wait_while(lambda: job.status().state != "finished")
    assert len(drawn(asked)) == 12


LAST_VERSION = sorted((Path(__file__).parent.parent / "last_version" / "store.passk" / "jobs").glob("*/plan.json"))


@pytest.mark.parametrize("file", LAST_VERSION, ids=lambda file: file.parent.name)
def test_a_plan_of_the_last_version_says_the_same(file: Path) -> None:
    plan, engine = Job(file.parent).plan()
    written = json.loads(file.read_text(encoding="utf-8"))
    assert plan.kind == written.pop("kind", "samples")
    assert written.pop("version") == 1
    assert asdict(engine) == {"configured": "", "model_named": False, **written.pop("engine")}
    assert json.loads(json.dumps(asdict(plan))) == written  # type: ignore[call-overload]
    assert plan_from_json(plan_to_json(plan, engine)) == (plan, engine)


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        ("plan.json", "", "plan.json: "),
        ("plan.json", '{"kind": "dreams", "engine": {}}', "dreams"),
        (
            "plan.json",
            '{"engine": {"name": "server", "model": ""}, "target": 3}',
            "plan.json: Expected `object`, got `int`",
        ),
        ("status.json", '{"samples": "many"}', "status.json: Expected `int`, got `str` - at `$.samples`"),
    ],
)
def test_a_damaged_job_says_where(tmp_path: Path, file: str, text: str, said: str) -> None:
    job = Job(tmp_path / "job")
    shutil.copytree(LAST_VERSION[0].parent, job.folder)
    (job.folder / file).write_text(text, encoding="utf-8")
    assert describe(job)["state"] == "damaged"
    assert said in describe(job)["error"]


def test_a_list_of_jobs_calls_a_run_as_it_is_called_now(run_passk: Passk) -> None:
    """Its files keep the name of when it was made."""
    store = run_passk.folder / "store.passk"
    shutil.copytree(LAST_VERSION[0].parent.parent.parent, store)
    plans = {file: file.read_bytes() for file in store.glob("jobs/*/plan.json")}
    base = "countdown-base@countdown"
    before = [job["run"] for job in run_passk("jobs", "--store", store, "--format", "json").json]
    assert base in before and f"{base} under countdown-rl-200" in before
    run_passk("run", "rename", base, "first", "--yes", "--store", store)
    after = [job["run"] for job in run_passk("jobs", "--store", store, "--format", "json").json]
    other = f"{base}+temperature"
    assert after == [run if run.startswith(other) else run.replace(base, "first") for run in before]
    assert plans == {file: file.read_bytes() for file in plans}


def test_prepared_here_worked_there(asked: Passk, models: Path) -> None:
    prepared = new_run(asked, models, 2, "--prepare")
    folder = Path(prepared.stdout.strip())
    assert find_job(StoreLayout(asked.folder / "store.passk"), "last").folder == folder
    assert asked("jobs", "--format", "json").json[0]["state"] == "prepared"
    asked("work", folder)
    assert len(drawn(asked)) == 12


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_killed_at_any_moment_a_job_ends_with_exactly_its_samples(asked: Passk, models: Path) -> None:
    """30 kills with -9 while workers start, draw and end; afterwards the samples of a job that nobody disturbed."""
    store, calm = (StoreLayout(asked.folder / f"{name}.passk") for name in ("store", "calm"))
    shutil.copytree(store.root, calm.root)
    chance = random.Random(7)
    killed = wanted = held = 0
    job = None
    while killed < KILLS:
        if job is None or job.status().state == "finished":
            wanted += 100
            job = Job(Path(new_run(asked, models, wanted, "--prepare", "--option", "batch=16").stdout.strip()))
        worker = asked.start("work", job.folder, **ONE_THREAD)
        drawn_before = job.status().drawn
        # Every third while it starts, whatever that takes here; the others while it draws.
        while killed % 3 and worker.poll() is None:
            if (status := job.status()).pid == worker.pid and status.drawn > drawn_before:
                break
            time.sleep(0.02)
        try:
            worker.wait(chance.uniform(0, 1.5))
        except subprocess.TimeoutExpired:
            worker.send_signal(signal.SIGKILL)
            worker.wait()
            killed += 1
        run = runs_of(store).get("countdown-base@countdown")
        assert held <= (held := run.samples if run else 0), "nothing that was there is lost"
    asked("work", job.folder, **ONE_THREAD)
    new_run(asked, models, wanted, "--wait", "--store", str(calm.root))

    found, undisturbed = everything_in(store, merging=True), everything_in(calm, merging=True)
    # What was half written lies in `unfinished`, where nobody looks, and is swept away after a day.
    assert list(store.parts.iterdir()) == [], "whole parts only: all are merged"
    for view in ("outcomes", "texts"):
        # Run, problem, index.
        assert [row[:3] for row in found[view]] == [row[:3] for row in undisturbed[view]], view
    mine = run_key("countdown-base@countdown")
    assert sum(row[0] == mine for row in found["texts"]) == 6 * wanted
    # The other batches that a worker makes which goes on can move a token: very seldom in float32.
    differing = sum(one != other for one, other in zip(found["texts"], undisturbed["texts"], strict=True))
    assert differing <= 6 * wanted / 100
    rebuild_tallies(store)
    assert everything_in(store) == found, "the statistics are those of the outcomes"


def test_sigterm_writes_what_is_finished_and_resume_goes_on(asked: Passk, models: Path) -> None:
    prepared = new_run(asked, models, 2_000, "--prepare", "--option", "batch=16")
    folder = Path(prepared.stdout.strip())
    worker = asked.start("work", folder, **ONE_THREAD)
    job = find_job(StoreLayout(asked.folder / "store.passk"), "last")
    wait_while(lambda: job.status().samples < 32)
    worker.terminate()
    assert worker.wait() == 1
    status = job.status()
    assert status.state == "cancelled"
    assert runs_of(StoreLayout(asked.folder / "store.passk"))["countdown-base@countdown"].samples >= 32


def test_a_worker_that_is_gone_shows_as_gone(asked: Passk, models: Path) -> None:
    prepared = new_run(asked, models, 2_000, "--prepare")
    folder = Path(prepared.stdout.strip())
    worker = asked.start("work", folder)
    job = find_job(StoreLayout(asked.folder / "store.passk"), "last")
    wait_while(lambda: job.status().state != "running")
    os.kill(worker.pid, signal.SIGKILL)
    worker.wait()
    assert job.status().state == "gone"
    assert asked("jobs", "--format", "json").json[0]["state"] == "gone"
    asked("jobs", "cancel", "last")
    assert job.status().state == "cancelled"


def test_a_damaged_job_hides_no_other(asked: Passk, models: Path) -> None:
    whole, broken = (Path(new_run(asked, models, 1, "--run", run, "--prepare").stdout.strip()) for run in "ab")
    (broken / "plan.json").write_text("{", encoding="utf-8")
    listed = asked("jobs", "--format", "json")
    assert {job["job"]: job["state"] for job in listed.json} == {whole.name: "prepared", broken.name: "damaged"}
    assert f"The job {broken.name} is damaged" in listed.stderr
    assert "is damaged" in asked("jobs", "show", broken.name, status=1).stderr
    assert running_jobs(StoreLayout(asked.folder / "store.passk")) == []


def test_what_is_done_is_neither_cancelled_nor_resumed(asked: Passk, models: Path) -> None:
    new_run(asked, models, 1, "--prepare")
    asked("jobs", "cancel", "last")
    assert "is cancelled" in asked("jobs", "cancel", "last", status=1).stderr
    asked("work", find_job(StoreLayout(asked.folder / "store.passk"), "last").folder)
    for action in ("cancel", "resume"):
        assert "is finished" in asked("jobs", action, "last", status=1).stderr


def test_what_is_wrong_is_said_and_nothing_is_lost(asked: Passk, models: Path) -> None:
    missing = asked("sample", "--model", "/nowhere/model", "--benchmark", "countdown", "--n", "2", "--wait", status=1)
    assert "could not be loaded" in missing.stderr
    assert asked("jobs", "--format", "json").json[0]["state"] == "failed"
    nonsense = new_run(asked, models, 1, "--wait", "--verifier", "nobody", status=1)
    assert "no verifier nobody" in nonsense.stderr
    unsure = asked("sample", "--n", "2", status=1)
    assert "What is to be drawn?" in unsure.stderr
    wrong = asked("sample", "--run", "nobody", "--add", "1", "--problems", "set:nonsense", status=1)
    assert "there is no such set" in wrong.stderr


def test_the_status_is_whole_at_every_moment(asked: Passk, models: Path) -> None:
    new_run(asked, models, 30)
    job = find_job(StoreLayout(asked.folder / "store.passk"), "last")
    while job.status().state in ("prepared", "running"):
        json.loads((job.folder / "status.json").read_text(encoding="utf-8"))
        time.sleep(0.005)
    assert job.status().state == "finished"
