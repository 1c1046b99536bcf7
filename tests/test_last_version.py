"""What a user of the last version has, still works: a store, jobs, exports, configuration, places and marks.

`last_version/` was written by that version; its README says how. Everything here goes through the installed command and
the files that it reads and writes, never through a module, since modules move.
"""

from __future__ import annotations

import csv
import fcntl
import json
import math
import shutil
import sys
from collections.abc import Iterator
from importlib.metadata import entry_points
from io import StringIO
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pyarrow.parquet as pq
import pytest

from tests.explorer.terminal import Terminal, needs_tmux
from tests.support import ROOT, Passk

LAST = Path(__file__).parent / "last_version"
OUTPUTS = json.loads((LAST / "commands.json").read_text(encoding="utf-8"))
EXPORTS = json.loads((LAST / "exports.json").read_text(encoding="utf-8"))
JOBS = json.loads((LAST / "output" / "jobs.json").read_text(encoding="utf-8"))
PLACES = (LAST / "places.txt").read_text(encoding="utf-8").splitlines()

TEXTS_FOR_PEOPLE = ("method", "passk")
"""Keys whose value may be said otherwise: how an interval was made, and the version."""
FORECASTS = ("expected", "expected_mean")
"""Of replications: they were too narrow, and are wider now."""


# Stores


def parts(store: Path) -> dict[str, dict[str, Any]]:
    """Manifest of every part that waits, by name."""
    found = (store / "parts").glob("*/manifest.json")
    return {path.parent.name: json.loads(path.read_text(encoding="utf-8")) for path in found}


def copy_to(folder: Path) -> Path:
    """A folder with a copy of the store, the files that went into it, and the models where its plans say they lie."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copytree(LAST / "store.passk", folder / "store.passk")
    shutil.copytree(LAST / "sources", folder / "sources")
    (folder / "models").symlink_to(ROOT / "sample_data" / "models")
    return folder


@pytest.fixture(scope="module")
def merged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the store, of which all that can be merged is merged."""
    folder = copy_to(tmp_path_factory.mktemp("merged"))
    passk = Passk(folder, folder)
    passk("runs", "--store", "store.passk")
    return folder


@pytest.fixture(scope="module")
def waiting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with the store as it was left: somebody else reads it, so that nobody can merge."""
    folder = copy_to(tmp_path_factory.mktemp("waiting"))
    before = set(parts(folder / "store.passk"))
    with open(folder / "store.passk" / "base.duckdb", "rb") as base:
        fcntl.flock(base, fcntl.LOCK_SH)
        yield folder
        assert set(parts(folder / "store.passk")) == before, "a store that somebody reads was merged"


@pytest.fixture
def last(tmp_path: Path) -> Passk:
    """`passk` in a folder with a store of this test's own."""
    home = tmp_path / "home"
    home.mkdir()
    # One thread: models this small get no faster by more, and slower where others want the cores too.
    more = {"PASSK_AUTHOR": "ada", "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    return Passk(copy_to(tmp_path / "here"), home, more)


class InProcess:
    """The installed command without a process of its own: there are some two hundred outputs to look at."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.monkeypatch, self.capsys = monkeypatch, capsys
        [self.command] = {point.value: point for point in entry_points(group="console_scripts", name="passk")}.values()

    def __call__(self, folder: Path, arguments: list[str]) -> str:
        self.monkeypatch.chdir(folder)
        self.monkeypatch.setenv("PASSK_STORE", "store.passk")
        self.monkeypatch.setenv("PASSK_AUTHOR", "ada")
        self.monkeypatch.setattr(sys, "argv", ["passk", *arguments])
        self.capsys.readouterr()
        status = self.command.load()()
        printed = self.capsys.readouterr()
        assert not status, printed.err
        return printed.out

    def data(self, folder: Path, *arguments: object) -> Any:
        """What a command prints as JSON."""
        return json.loads(self(folder, [*map(str, arguments), "--format", "json"]))


@pytest.fixture
def in_process(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> InProcess:
    return InProcess(monkeypatch, capsys)


# Comparing


def assert_still(recorded: Any, now: Any, where: str) -> None:
    """Every key that was there is there, with the value that it had; there may be more keys."""
    if isinstance(recorded, dict):
        assert isinstance(now, dict), where
        assert recorded.keys() <= now.keys(), f"{where}: {sorted(recorded.keys() - now.keys())} missing"
        for key, value in recorded.items():
            if key in TEXTS_FOR_PEOPLE:
                assert isinstance(now[key], str) and now[key], f"{where}.{key}"
            elif key in FORECASTS:
                assert now[key].keys() == value.keys(), f"{where}.{key}"
            else:
                assert_still(value, now[key], f"{where}.{key}")
    elif isinstance(recorded, list):
        assert isinstance(now, list) and len(now) == len(recorded), f"{where}: {recorded} != {now}"
        for place, (before, after) in enumerate(zip(recorded, now, strict=True)):
            assert_still(before, after, f"{where}[{place}]")
    elif isinstance(recorded, float) and isinstance(now, int | float) and not isinstance(now, bool):
        assert math.isclose(recorded, now, rel_tol=1e-6, abs_tol=1e-9), f"{where}: {recorded} != {now}"
    else:
        assert recorded == now and type(recorded) is type(now), f"{where}: {recorded!r} != {now!r}"


def cell(text: str) -> Any:
    """What a cell of a csv says: a number, JSON, or a text."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def content(form: str, text: str) -> Any:
    """A printed or written text as data."""
    if form == "json":
        return json.loads(text)
    if form == "jsonl":
        return [json.loads(line) for line in text.split("\n") if line]
    assert form == "csv"
    return [{column: cell(value) for column, value in row.items()} for row in csv.DictReader(StringIO(text))]


def table(path: Path) -> dict[str, Any]:
    """A Parquet file: its rows, and what its columns are by name."""
    read = pq.read_table(path)
    types = {field.name: str(field.type).replace("large_", "") for field in read.schema}
    return {"columns": types, "rows": read.to_pylist()}


def written(path: Path) -> Any:
    """A file that `passk export` wrote, as data; of those for people, that they are there and of their kind."""
    if path.is_dir():
        return {str(file.relative_to(path)): table(file) for file in sorted(path.rglob("*.parquet"))}
    if path.suffix == ".parquet":
        return table(path)
    text = path.read_text(encoding="utf-8")
    if path.suffix in (".csv", ".jsonl"):
        return content(path.suffix.removeprefix("."), text)
    begins = {".html": "<!doctype html", ".svg": "<?xml"}.get(path.suffix, "")
    assert text.strip() and text.lower().startswith(begins)
    return {name: name in text for name in ("countdown-base", "countdown-rl-200", "c000", "c005", "reader")}


# What was there


def test_the_fixtures_hold_what_a_store_can_hold() -> None:
    """A fixture that lost a kind of part, or a state of a job, would prove nothing."""
    manifests = parts(LAST / "store.passk").values()
    kinds = {manifest["kind"] for manifest in manifests}
    assert kinds == {"import", "benchmark", "samples", "verdicts", "scores", "judgements"}
    superseded = {part for manifest in manifests for part in manifest["supersedes"]}
    for kind in ("samples", "scores", "judgements"):
        assert any(entry["part"] in superseded for entry in manifests if entry["kind"] == kind), kind
    assert any(entry["provisional"] and entry["part"] not in superseded for entry in manifests), "a draw that was cut"
    assert {job["state"] for job in JOBS} == {"prepared", "gone", "finished", "failed", "cancelled"}
    assert (LAST / "store.passk" / "base.duckdb").stat().st_size


@pytest.mark.parametrize("entry", OUTPUTS, ids=lambda entry: entry["output"])
@pytest.mark.parametrize("state", ["waiting", "merged"])
def test_every_command_prints_what_it_printed(
    state: str, entry: dict[str, Any], in_process: InProcess, request: pytest.FixtureRequest
) -> None:
    folder = request.getfixturevalue(state)
    file = LAST / "output" / entry["output"]
    form = file.suffix.removeprefix(".")
    printed = in_process(folder, entry["arguments"])
    recorded = file.read_text(encoding="utf-8")
    if form == "csv":
        assert set(next(csv.reader(StringIO(recorded)))) <= set(next(csv.reader(StringIO(printed))))
    assert_still(content(form, recorded), content(form, printed), entry["output"])


@pytest.mark.parametrize("form", ["json", "csv"])
def test_verifying_again_gives_the_verdicts_that_it_gave(last: Passk, form: str) -> None:
    command = ("verify", "--store", "store.passk", "--run", "reader@sums", "--again", "--verifier", "number")
    printed = last(*command, "--format", form).stdout
    recorded = (LAST / "output" / f"verify.{form}").read_text(encoding="utf-8")
    assert_still(content(form, recorded), content(form, printed), form)


def test_everything_merges_but_what_a_job_has_not_finished(merged: Path) -> None:
    left = parts(merged / "store.passk")
    assert left
    assert all(manifest["provisional"] for manifest in left.values())
    assert {manifest["job"] for manifest in left.values()} == {job["job"] for job in JOBS if job["state"] == "gone"}


def test_files_that_are_in_the_store_are_known_again(last: Passk, in_process: InProcess) -> None:
    before = in_process.data(last.folder, "runs")
    of_benchmark = ["--question", "statement", "--answer", "reference", "--id", "id", "--verifier", "expression"]
    for command in (
        ["import", "sources/sums.jsonl", "--benchmark", "sums", "--model", "reader"],
        ["import", "sources/late.jsonl", "--benchmark", "sums", "--model", "writer"],
        ["import", "sources/counts.csv", "--benchmark", "sums", "--n", "8", "--column", "tutor=tutor_correct"],
        ["benchmark", "add", "countdown", "sources/countdown.jsonl", *of_benchmark],
        ["benchmark", "add", "letters", "sources/letters.csv", "--id", "id", "--verifier", "choice"],
    ):
        in_process(last.folder, command)
    assert in_process.data(last.folder, "runs") == before
    recorded = json.loads((LAST / "output" / "benchmarks.json").read_text(encoding="utf-8"))
    assert_still(recorded, in_process.data(last.folder, "benchmark", "list"), "benchmarks")


# Jobs


def plan_of(store: Path, job: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((store / "jobs" / job / "plan.json").read_text(encoding="utf-8"))
    return found


def drawn(passk: Passk, run: str, problems: list[str]) -> dict[tuple[str, int], dict[str, Any]]:
    """The samples of these problems, by problem and index; none where there is no such run yet."""
    lines = []
    for problem in problems:
        wanted = ("--run", run, "--problem", problem)
        lines += passk("paths", "--store", "store.passk", *wanted, status=None).lines
    found = {(line["problem"], line["index"]): line for line in lines}
    assert len(found) == len(lines), "no sample twice"
    return found


UNFINISHED = [job for job in JOBS if job["state"] in ("prepared", "gone")]


@pytest.mark.slow
@pytest.mark.parametrize("job", UNFINISHED, ids=lambda job: f"{job['state']}-{job['run']}")
def test_an_unfinished_job_is_worked_on_to_its_end(last: Passk, models: Path, job: dict[str, Any]) -> None:
    """Of sampling and of scoring, not yet begun or with a worker that was killed: each sample once, none again."""
    store = last.folder / "store.passk"
    plan = plan_of(LAST / "store.passk", job["job"])
    problems = {problem["label"]: problem["indices"] for problem in plan.get("problems", ())}
    run = plan["target"]["run"] if "target" in plan else None
    before = {} if run is None else drawn(last, run, list(problems))
    assert bool(before) == (job["state"] == "gone"), "a worker that was killed had drawn something"

    worker = last.start("work", store / "jobs" / job["job"])
    said = worker.communicate(timeout=280)
    assert worker.returncode == 0, said

    after = {entry["job"]: entry for entry in last("jobs", "--store", "store.passk", "--format", "json").json}
    assert (after[job["job"]]["state"], after[job["job"]]["samples"]) == ("finished", job["wanted"])
    if run is not None:
        found = drawn(last, run, list(problems))
        assert set(found) == {(problem, index) for problem, indices in problems.items() for index in indices}
        assert {place: found[place] for place in before} == before, "what was drawn before stays as it was"
        return
    groups = last("perplexity", "--store", "store.passk", "--benchmark", "countdown", "--format", "json").json
    pair = (plan["texts"][0]["run"], plan["scorer"])
    [group] = [group for group in groups if (group["responses"], group["under"]) == pair]
    assert group["n"] == sum(len(texts["indices"]) for texts in plan["texts"])


def test_what_jobs_have_promised_is_not_planned_again(last: Passk) -> None:
    """The indices of prepared and cut jobs are theirs; those of a cancelled one are free again."""
    drawn_by = ("--engine", "transformers", "--template", "sources/template.txt")
    settings = (*drawn_by, "--temperature", 1, "--top-p", 1, "--max-tokens", 200)
    new = ("--benchmark", "countdown", "--role", "rl", "--from-model", "countdown-base", "--prepare")
    [taken] = [job for job in JOBS if job["run"] == "countdown-rl-50@countdown"]
    n = max(max(problem["indices"]) for problem in plan_of(LAST / "store.passk", taken["job"])["problems"]) + 1
    # So that it is named as the plan has it: what is a folder here would be named from the root on.
    (last.folder / "models").unlink()
    words = ("--model", "models/countdown-rl-50", "--name", "countdown-rl-50", "--step", 50, "--n", n)
    last("sample", "--store", "store.passk", *words, *new, *settings)
    [made, *_] = last("jobs", "--store", "store.passk", "--format", "json").json
    assert made["run"] == taken["run"]
    assert made["wanted"] == n * (6 - taken["problems"]), "only problems that the prepared job does not ask"
    [free] = [job for job in JOBS if job["state"] == "cancelled"]
    last("sample", "--store", "store.passk", "--run", free["run"], "--add", 1, "--problems", "c003", "--prepare")
    [made, *_] = last("jobs", "--store", "store.passk", "--format", "json").json
    assert (made["run"], made["wanted"]) == (free["run"], 1)


# Configuration


@pytest.fixture
def configured(last: Passk) -> Passk:
    """With the config.toml of the last version, which has every key."""
    shutil.copy(LAST / "config.toml", last.folder / "config.toml")
    return Passk(last.folder, last.home, {**last.more, "PASSK_CONFIG": str(last.folder / "config.toml")})


def test_the_configuration_reads(configured: Passk) -> None:
    configured("config")
    [row] = [
        row for row in configured("doctor", "--format", "json", status=None).json if row["what"] == "configuration"
    ]
    assert (row["status"], row["found"]) == ("ok", str(configured.folder / "config.toml"))


@pytest.mark.parametrize(
    ("engine", "kind", "options"),
    [
        (None, "transformers", {"batch": 16, "device": "cpu", "dtype": "float32"}),
        ("small", "transformers", {"batch": 16, "device": "cpu", "dtype": "float32"}),
        ("node", "vllm", {"tensor_parallel_size": 2, "dtype": "bfloat16", "gpu_memory_utilization": 0.9}),
        (
            "cluster",
            "server",
            {
                "base_url": ["http://gpu1:8000/v1", "http://gpu2:8000/v1"],
                "concurrency": 8,
                "timeout": 60.0,
                "retries": 2,
                "backoff": 0.5,
                "eos_token_id": 3,
            },
        ),
    ],
)
def test_engines_and_models_of_the_configuration_are_used(
    configured: Passk, engine: str | None, kind: str, options: dict[str, Any]
) -> None:
    named = () if engine is None else ("--engine", engine)
    folder = configured(
        "sample", "--store", "store.passk", "--run", "reader@sums", "--add", 1, "--prepare", *named
    ).stdout.strip()  # fmt: skip
    plan = json.loads((Path(folder) / "plan.json").read_text(encoding="utf-8"))
    [made, *_] = configured("jobs", "--store", "store.passk", "--format", "json").json
    assert made["engine"] == kind
    for name, value in options.items():
        assert json.dumps({name: value})[1:-1] in json.dumps(plan), name
    assert "models/countdown-base" in json.dumps(plan), "[models] says where the imported run's model lies"


# Exports


DATA = (".csv", ".jsonl", ".parquet")


@pytest.mark.parametrize("entry", EXPORTS, ids=lambda entry: entry["file"])
def test_every_export_has_the_columns_and_values_that_it_had(
    entry: dict[str, Any], waiting: Path, in_process: InProcess
) -> None:
    if entry["file"] == "dataset":
        pytest.importorskip("datasets", reason="datasets is not installed (extra datasets)")
    if entry["file"].endswith(".svg"):
        pytest.importorskip("matplotlib", reason="matplotlib is not installed (extra figures)")
    target = waiting / entry["file"]
    # What people have judged is told by these tables only where it is asked for, so that one judgement changes nothing.
    told = ["--with-judgements"] if entry["arguments"][1] in ("sets", "problems") and target.suffix in DATA else []
    in_process(waiting, [*entry["arguments"], *told])
    assert_still(written(LAST / "exports" / entry["file"]), written(target), entry["file"])


def recorded_runs() -> dict[str, dict[str, Any]]:
    return {run["run"]: run for run in json.loads((LAST / "output" / "runs.json").read_text(encoding="utf-8"))}


KEPT = (
    "model",
    "role",
    "from_model",
    "step",
    "algorithm",
    "benchmark",
    "problems",
    "samples",
    "correct",
    "n_min",
    "n_max",
)


@pytest.mark.parametrize(
    ("file", "keys", "names"),
    [
        ("paths.jsonl", (*KEPT, "paths", "unverified"), {"reader@sums", "grader@gsm8k"}),
        ("paths.parquet", (*KEPT, "paths", "unverified", "parameters"), {"reader@sums", "grader@gsm8k"}),
        ("paths-drawn.parquet", KEPT[:7], {"countdown-base@countdown", "countdown-rl-200@countdown"}),
        ("sets.parquet", KEPT, {"countdown-base@countdown", "countdown-rl-200@countdown"}),
        ("dataset", KEPT, {"reader@sums", "tutor@sums", "writer@sums"}),
    ],
)
def test_exports_come_back(
    tmp_path: Path, in_process: InProcess, file: str, keys: tuple[str, ...], names: set[str]
) -> None:
    in_process(tmp_path, ["import", str(LAST / "exports" / file)])
    back = {run["run"]: run for run in in_process.data(tmp_path, "runs")}
    assert set(back) == names
    for name, run in back.items():
        recorded = recorded_runs()[name]
        assert_still({key: recorded[key] for key in keys}, run, name)


def test_exported_texts_come_back_exactly(tmp_path: Path, in_process: InProcess) -> None:
    in_process(tmp_path, ["import", str(LAST / "exports" / "paths.parquet")])
    back = content("jsonl", in_process(tmp_path, ["paths", "--run", "reader@sums", "--problem", "s1"]))
    recorded = content("jsonl", (LAST / "output" / "paths.jsonl").read_text(encoding="utf-8"))
    of_source = ("format", "source", "source_row")
    assert_still([{k: v for k, v in line.items() if k not in of_source} for line in recorded], back, "paths")


def test_exported_sets_are_the_same_sets(tmp_path: Path, in_process: InProcess) -> None:
    in_process(tmp_path, ["import", str(LAST / "exports" / "sets.parquet")])
    pair = ("--base", "countdown-base@countdown", "--rl", "countdown-rl-200@countdown")
    recorded = json.loads((LAST / "output" / "sets.json").read_text(encoding="utf-8"))
    assert_still(recorded, in_process.data(tmp_path, "sets", *pair), "sets")


@pytest.mark.parametrize("file", ["problems.jsonl", "problems.parquet"])
def test_exported_problems_are_a_benchmark(tmp_path: Path, in_process: InProcess, file: str) -> None:
    in_process(tmp_path, ["benchmark", "add", "again", str(LAST / "exports" / file)])
    [benchmark] = in_process.data(tmp_path, "benchmark", "list")
    rows = written(LAST / "exports" / file)
    assert benchmark["problems"] == len(rows["rows"] if isinstance(rows, dict) else rows)


# The explorer


@pytest.fixture
def explore(last: Passk) -> Iterator[Any]:
    """Starts explorers in terminals, with the marks of the last version's reader."""
    state = last.home / "state" / "passk" / "store.passk.jsonl"
    state.parent.mkdir(parents=True)
    shutil.copy(LAST / "marks.jsonl", state)
    started: list[Terminal] = []

    def start(*arguments: str, **more: str) -> Terminal:
        passk = Passk(last.folder, last.home, {**last.more, **more, "XDG_STATE_HOME": str(last.home / "state")})
        started.append(Terminal(passk, *arguments, size=(120, 40)))
        return started[-1]

    yield start
    for terminal in started:
        terminal.close()


def copied(terminal: Terminal, line: str) -> None:
    """Until `Y` copies this line: only then the screen is the one that the line names."""
    deadline = monotonic() + 30
    found = ""
    while found != line:
        assert monotonic() < deadline, f"{found}\n{terminal.screen()}"
        terminal.keys("Y")
        sleep(0.3)
        try:
            found = terminal.clipboard().strip()
        except AssertionError:  # nothing has been copied yet
            found = ""


@needs_tmux
@pytest.mark.terminal
@pytest.mark.parametrize("line", PLACES, ids=range(len(PLACES)))
def test_a_copied_place_opens(explore: Any, line: str) -> None:
    program, place = line.split(" ")
    assert program == "passk"
    copied(explore("store.passk", place), line)


@needs_tmux
@pytest.mark.terminal
def test_bookmarks_and_what_was_read_are_known(explore: Any, last: Passk) -> None:
    state = last.home / "state" / "passk" / "store.passk.jsonl"
    before = state.read_text(encoding="utf-8")
    marks = [json.loads(line) for line in before.splitlines()]
    removed = {mark["without"] for mark in marks if "without" in mark}
    kept = [mark for mark in marks if "bookmark" in mark and mark["bookmark"] not in removed]
    gone = [mark for mark in marks if mark.get("bookmark") in removed]
    terminal = explore("store.passk", kept[0]["bookmark"])
    copied(terminal, f"passk {kept[0]['bookmark']}")
    assert state.read_text(encoding="utf-8") == before, "what has been read is not read for the first time"
    terminal.keys("B")
    screen = terminal.wait(*(mark["title"] for mark in kept))
    assert not any(mark["title"] in screen for mark in gone)
    terminal.keys("Enter")
    copied(terminal, f"passk {kept[-1]['bookmark']}")
    terminal.keys("q")
    terminal.wait("STATUS 0")
    after = state.read_text(encoding="utf-8")
    assert after.startswith(before), "nothing that was kept is lost"


@needs_tmux
@pytest.mark.terminal
def test_the_dialog_proposes_what_the_configuration_says(explore: Any, last: Passk) -> None:
    shutil.copy(LAST / "config.toml", last.folder / "config.toml")
    [line] = [line for line in PLACES if "@sets" in line]
    terminal = explore("store.passk", line.split(" ")[1], PASSK_CONFIG=str(last.folder / "config.toml"))
    copied(terminal, line)
    behind = terminal.screen()
    terminal.keys("r")
    shown = terminal.wait("small", until=lambda screen: screen != behind)
    words = shown.split()
    assert "3" in words and "64" not in words
