"""A job's folder may be written by others: what its plan, its links and its odd files can reach."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from backend import Job, JobStatus, describe, expected_changes, find_job, jobs_of, resampling_outcome, work
from backend.configuration import Configuration
from backend.errors import PasskError, StoreError, UsageError
from backend.jobs.trust import engine_for_work
from backend.jobs.work import EngineChoice
from backend.store.layout import StoreLayout
from backend.store.shared_files import NotPlain
from tests.engines import test_server as servers
from tests.support import Passk, with_reader, without_rights

serve = servers.serve
"""The fixture that starts HTTP servers on loopback."""

SECRET = "sk-of-the-victim"
KEYS = {"AWS_SECRET_ACCESS_KEY": SECRET, "PASSK_API_KEY": SECRET}
NOBODY = 65_534
QUICK = {"retries": 0, "backoff": 0.02, "timeout": 5.0, "concurrency": 2}


def written(path: Path) -> None:
    """As if somebody else had written it: another owner, or rights for everybody where only root can give it away."""
    if os.geteuid() == 0:
        os.chown(path, NOBODY, -1)
    else:
        path.chmod(0o666)


@pytest.fixture
def calm(asked: Passk) -> Passk:
    """A real process for each command: forks would share what was imported, and the environment of the first."""
    return replace(asked, forker=None)


@pytest.fixture
def prepared_once(calm: Passk) -> Job:
    """A job that nobody answers."""
    return prepared(calm, "http://127.0.0.1:9/v1")


def prepared(passk: Passk, url: str, **options: object) -> Job:
    """A job that draws 6 samples from a server."""
    words = [word for name, value in (QUICK | options).items() for word in ("--option", f"{name}={value}")]
    server = ("--engine", "server", "--model", "tiny", "--option", f"base_url={url}")
    passk("sample", "--benchmark", "countdown", "--n", 1, *server, *words, "--temperature", "1", "--prepare")
    return find_job(StoreLayout(passk.folder / "store.passk"), "last")


def altered(job: Job, **engine: Any) -> Job:
    """The job with another engine in its plan, written by somebody else."""
    path = job.folder / "plan.json"
    plan = json.loads(path.read_text(encoding="utf-8"))
    plan["engine"] |= engine
    path.write_text(json.dumps(plan), encoding="utf-8")
    written(path)
    return job


def test_a_colleagues_job_is_shown_and_not_worked_on(calm: Passk, serve: servers.Serve) -> None:
    local = serve(servers.good)
    job = prepared(calm, local.url)
    altered(job, options={**QUICK, "base_url": local.url, "api_key_env": "AWS_SECRET_ACCESS_KEY"})
    done = calm("work", job.folder, status=1, **KEYS)
    for said in ("was prepared by", "tiny@countdown: 6 samples of 6 problems", f"base_url={local.url}", "--trust"):
        assert said in done.stderr
    assert "was prepared by" in calm("jobs", "resume", "last", status=1, **KEYS).stderr
    assert (local.asked, job.status().state) == ([], "prepared")


def test_a_plan_chooses_no_key_and_its_host_gets_none(calm: Passk, serve: servers.Serve) -> None:
    local = serve(servers.good)
    job = prepared(calm, local.url)
    altered(job, options={**QUICK, "base_url": local.url, "api_key_env": "AWS_SECRET_ACCESS_KEY"})
    done = calm("work", job.folder, "--trust", **KEYS)
    assert (len(local.asked), local.keys) == (6, {None})
    assert f"No API key is sent to {local.url}: only the job's plan names it" in done.stderr


def test_an_own_plan_gets_no_key_for_its_host_either(calm: Passk, serve: servers.Serve) -> None:
    local = serve(servers.good)
    job = prepared(calm, local.url, api_key_env="AWS_SECRET_ACCESS_KEY")
    assert "AWS_SECRET" not in (job.folder / "plan.json").read_text(encoding="utf-8")
    calm("work", job.folder, **KEYS)
    assert local.keys == {None}


@pytest.mark.parametrize("way", ["command line", "configuration"])
def test_a_key_goes_where_the_worker_says(calm: Passk, serve: servers.Serve, way: str, tmp_path: Path) -> None:
    local = serve(servers.good)
    job = altered(prepared(calm, local.url), configured="cluster")
    config = tmp_path / "config.toml"
    named = f'[engines]\ncluster = {{ kind = "server", base_url = "{local.url}", api_key_env = "MINE" }}\n'
    config.write_text(named if way == "configuration" else "", encoding="utf-8")
    given = ("--option", f"base_url={local.url}", "--option", "api_key_env=MINE") if way == "command line" else ()
    calm("work", job.folder, "--trust", *given, **KEYS, MINE="mine", PASSK_CONFIG=str(config))
    assert local.keys == {"Bearer mine"}


def test_sampling_sends_the_key_to_the_host_that_the_user_named(calm: Passk, serve: servers.Serve) -> None:
    local = serve(servers.good)
    words = [word for name, value in QUICK.items() for word in ("--option", f"{name}={value}")]
    server = ("--engine", "server", "--model", "tiny", "--option", f"base_url={local.url}")
    calm("sample", "--benchmark", "countdown", "--n", 1, *server, *words, "--wait", **KEYS)
    assert local.keys == {f"Bearer {SECRET}"}


@pytest.mark.parametrize(
    "options",
    [
        {"trust_remote_code": True},
        {"worker_cls": "os.system"},
        {"hf_overrides": {"architectures": ["Evil"]}},
        {"logits_processors": ["evil:hook"]},
        {"distributed_executor_backend": "evil.Executor"},
        {"dtype": "x; import os"},
        {"tensor_parallel_size": [1]},
    ],
    ids=lambda options: next(iter(options)),
)
def test_nothing_in_a_plan_is_code(options: dict[str, Any]) -> None:
    [name] = options
    choice = EngineChoice("vllm", "/models/m", options)
    with pytest.raises(UsageError, match=f"The plan wants {name}, which only you can say"):
        engine_for_work(choice, Configuration(Path("config.toml")), {}, mine=True)
    given, _ = engine_for_work(replace(choice, model_named=True), Configuration(Path("c")), options, mine=True)
    assert given.options == options, "the worker's own command line may say it"


def test_code_of_a_folder_that_only_the_store_names_does_not_run() -> None:
    configuration = Configuration(Path("c"), engines={"node": {"kind": "vllm", "trust_remote_code": True}})
    choice = EngineChoice("vllm", "/shared/evil", {}, configured="node")
    with pytest.raises(UsageError, match="code of the model's folder would run"):
        engine_for_work(choice, configuration, {}, mine=True)
    known = replace(configuration, models={"m": "/shared/evil"})
    assert engine_for_work(choice, known, {}, mine=True)[0].options == {"trust_remote_code": True}


def test_a_plan_that_is_exchanged_after_it_was_confirmed(calm: Passk, serve: servers.Serve) -> None:
    local = serve(servers.good)
    job = altered(prepared(calm, local.url))
    done = calm("work", job.folder, "--confirmed", "0" * 32, status=1)
    assert "no longer the one that was confirmed" in done.stderr
    assert local.asked == []


def test_another_user_works_on_no_job_of_ours_unasked(calm: Passk, serve: servers.Serve) -> None:
    """A real second user, in a store that both may write."""
    if os.geteuid() != 0 or not shutil.which("setpriv"):
        pytest.skip("needs root and setpriv, to be two users")
    local = serve(servers.good)
    for folder, _, files in os.walk(calm.folder):
        for name in ("", *files):
            os.chmod(os.path.join(folder, name), 0o777 if not name else 0o666)
    job = prepared(calm, local.url)
    other = without_rights()

    def work(*more: str) -> subprocess.CompletedProcess[str]:
        command = [*other, sys.executable, "-m", "explorer.commands.main", "work", str(job.folder), *more]
        return subprocess.run(command, env=calm.environment | KEYS, capture_output=True, encoding="utf-8")

    done = work()
    assert done.returncode == 1
    assert "was prepared by root" in done.stderr
    assert local.asked == []


# Links, FIFOs and files with a second name


@pytest.fixture
def victim(tmp_path: Path) -> Iterator[Path]:
    """A file of the user's that must stay as it is."""
    file = tmp_path / "bashrc"
    file.write_text("# mine\n", encoding="utf-8")
    before = file.stat().st_mtime_ns
    yield file
    assert file.read_text(encoding="utf-8") == "# mine\n"
    assert file.stat().st_mtime_ns == before


def placed(kind: str, path: Path, victim: Path) -> None:
    """Something else where a file of the job was."""
    path.unlink(missing_ok=True)
    if kind == "link":
        path.symlink_to(victim)
    elif kind == "hard link":
        os.link(victim, path)
    elif kind == "dangling":
        path.symlink_to(victim.with_name("made"))
    else:
        os.mkfifo(path)


def in_folder(path: Path) -> set[str]:
    return {entry.name for entry in path.iterdir()}


def uses(job: Job) -> Iterator[Callable[[], object]]:
    """Everything that reads or writes a file of a job's folder."""
    yield job.plan
    yield job.status
    yield job.log_text
    yield job.cancel
    yield lambda: job.say(JobStatus(error="pwned"))
    yield lambda: job.start().wait()
    yield lambda: work(job.folder)
    yield lambda: describe(job)
    yield lambda: expected_changes(job)


@pytest.mark.parametrize("kind", ["link", "hard link", "dangling", "fifo"])
def test_what_lies_in_a_job_reaches_no_other_file(
    prepared_once: Job, victim: Path, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PASSK_CONFIG", str(tmp_path / "none.toml"))
    before = in_folder(victim.parent)
    for name in ("log", "lock", "cancel", "status.json", "plan.json", "watch.json"):
        job = Job(prepared_once.folder.with_name(f"{kind}-{name}".replace(" ", "-")))
        shutil.copytree(prepared_once.folder, job.folder)
        placed(kind, job.folder / name, victim)
        for use in uses(job):
            if name in ("log", "lock", "plan.json") or use.__name__ != "<lambda>":
                with suppress(PasskError, NotPlain):
                    use()
    assert in_folder(victim.parent) == before


@pytest.mark.parametrize("level", ["job", "jobs"])
def test_a_folder_of_a_job_that_is_a_link(calm: Passk, tmp_path: Path, level: str) -> None:
    job = prepared(calm, "http://127.0.0.1:9/v1")
    moved = job.folder if level == "job" else job.folder.parent
    away = tmp_path / "elsewhere"
    moved.rename(away)
    moved.symlink_to(away)
    before = {path: path.stat().st_mtime_ns for path in away.rglob("*")}
    done = calm("work", job.folder, status=1)
    assert "it is a link, not a plain file of the store" in done.stderr
    if level == "job":
        assert jobs_of(StoreLayout(calm.folder / "store.passk")) == []
    assert {path: path.stat().st_mtime_ns for path in away.rglob("*")} == before


NONSENSE = ('{"kind": []}', '{"kind": {}, "engine": 1}', "[" * 100_000, "null", '{"engine": null}', "\xff")


def test_a_plan_that_is_none_is_a_damaged_job(prepared_once: Job) -> None:
    for text in NONSENSE:
        (prepared_once.folder / "plan.json").write_bytes(text.encode("latin-1"))
        with pytest.raises(StoreError, match="is damaged"):
            prepared_once.plan()
        with pytest.raises(StoreError, match="is damaged"):
            work(prepared_once.folder)
        assert describe(prepared_once)["state"] == "damaged"


def test_what_a_job_watches_may_be_nonsense(calm: Passk, prepared_once: Job) -> None:
    for text in (*NONSENSE, '{"runs": 3}', '{"runs": ["a", "b"], "sets": {"c000": [true]}}'):
        (prepared_once.folder / "watch.json").write_bytes(text.encode("latin-1"))
        moved = with_reader(StoreLayout(prepared_once.root), lambda reader: resampling_outcome(reader, prepared_once))
        assert moved.moved == ()


# A group shares a store


@pytest.mark.parametrize("umask", [0o022, 0o077])
def test_files_are_shared_as_the_folder_is_whatever_the_umask(calm: Passk, umask: int) -> None:
    store = calm.folder / "store.passk"
    shutil.rmtree(store)
    store.mkdir()
    store.chmod(0o2770)
    before = os.umask(umask)
    try:
        calm("import", "asked.jsonl", "--store", store)
        job = prepared(calm, "http://127.0.0.1:9/v1")
        calm("jobs", "cancel", "last")
    finally:
        os.umask(before)
    for path in store.rglob("*"):
        mode = stat.S_IMODE(path.stat().st_mode)
        if path == job.folder / "plan.json":
            assert mode == 0o640, "who can alter a plan is its author"
        elif path.is_dir():
            assert mode == 0o2770, path
        else:
            assert mode == 0o660, path
