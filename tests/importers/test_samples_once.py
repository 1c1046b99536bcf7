"""A sample comes once, whatever row, file or command brings it; see `backend.importers.duplicates`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from backend import ImportReport, Options, RunOptions, import_files
from backend.errors import InputError
from backend.store.layout import StoreLayout
from tests.importers import examples as made
from tests.support import Passk, contents, jsonl, paths_of, qwen_line, runs_of, totals, verdicts, with_reader

Row = dict[str, Any]


def rows_of(problems: int = 4, samples: int = 4, **fields: Any) -> list[Row]:
    """Rows without indices; sample i of problem p is correct when i < p."""
    return [
        {
            "problem_id": f"q{problem}",
            "question": f"How much is {problem} times 17?",
            "response": f"We compute; after attempt {sample} at {problem} we are done.",
            "correct": sample < problem,
            **fields,
        }
        for problem in range(problems)
        for sample in range(samples)
    ]


def without(rows: list[Row], field: str) -> list[Row]:
    return [{name: value for name, value in row.items() if name != field} for row in rows]


def taken(store: StoreLayout, *paths: Path, **options: Any) -> ImportReport:
    return import_files(store, paths, run_options=RunOptions(model="m", benchmark="b"), options=Options(**options))


def counts(store: StoreLayout) -> tuple[int, int, int]:
    return totals(runs_of(store)["m@b"])


ONCE = (4, 16, 6)
"""Problems, samples and correct ones of `rows_of()`."""


# Rows that a resumed job wrote again


def resumed(rows: list[Row], again: slice) -> list[Row]:
    return [*rows, *rows[again]]


@pytest.mark.parametrize("again", [slice(0, 16), slice(8, 16), slice(14, 16)], ids=["all", "half", "two"])
def test_a_stretch_of_rows_written_again_is_there_once(store: StoreLayout, tmp_path: Path, again: slice) -> None:
    report = taken(store, jsonl(tmp_path / "a.jsonl", resumed(rows_of(), again)))
    assert counts(store) == ONCE
    (note,) = [note for note in report.notes if "texts and all" in note]
    assert report.notes[note] == len(range(16)[again])
    assert "--on-duplicate keep-all" in note


def test_lines_with_lists_written_again_are_there_once(store: StoreLayout, tmp_path: Path) -> None:
    lines = [qwen_line(f"{i}?", [True, False, False], idx=i) for i in range(5)]
    taken(store, jsonl(tmp_path / "a.jsonl", [*lines, *lines[3:]]))
    assert counts(store) == (5, 15, 5)


def test_rows_written_again_can_be_kept_or_refused(store: StoreLayout, tmp_path: Path) -> None:
    path = jsonl(tmp_path / "a.jsonl", resumed(rows_of(), slice(8, 16)))
    with pytest.raises(InputError, match="line 17: this sample of problem q2 stands in the file before"):
        taken(store, path, on_duplicate="error")
    taken(store, path, on_duplicate="keep-all")
    assert counts(store) == (4, 24, 11)


def test_answers_that_repeat_by_themselves_are_samples(store: StoreLayout, tmp_path: Path) -> None:
    """A, B, A, B of one problem looks like two rows written again; that others say A twice in a row tells that not."""
    said = {0: "ABAB", 1: "AABA", 2: "BBBB"}
    rows = [
        {"id": problem, "question": f"{problem}?", "response": f"\\boxed{{{letter}}}", "correct": letter == "A"}
        for problem, letters in said.items()
        for letter in letters
    ]
    report = taken(store, jsonl(tmp_path / "a.jsonl", rows))
    assert counts(store) == (3, 12, 5)
    assert next(times for note, times in report.notes.items() if "exact copies" in note) == 7


def test_one_index_with_two_texts(store: StoreLayout, tmp_path: Path) -> None:
    rows = [row | {"sample_idx": place % 4} for place, row in enumerate(rows_of())]
    changed = rows[3] | {"response": "Something else.", "correct": True}
    path = jsonl(tmp_path / "a.jsonl", [*rows, changed])
    with pytest.raises(InputError, match=r"line 17: sample 3 of problem q0 .* in line 4") as refused:
        taken(store, path)
    assert "--on-duplicate keep-last" in refused.value.next_step
    taken(store, path, on_duplicate="keep-last")
    assert counts(store) == (4, 16, 7)
    assert [path.text for path in paths_of(store, "q0") if path.sample.source_row == 17] == ["Something else."]


# Files that hold the rows of others


@pytest.mark.parametrize(
    ("all_of_them", "some"),
    [("all_samples.jsonl", "correct_samples.jsonl"), ("rollouts.jsonl", "checkpoints/at_9.jsonl")],
)
def test_a_file_with_some_of_anothers_rows_adds_nothing(
    store: StoreLayout, tmp_path: Path, all_of_them: str, some: str
) -> None:
    """Whichever of the two is read first."""
    folder = tmp_path / "out"
    (folder / "checkpoints").mkdir(parents=True)
    jsonl(folder / all_of_them, rows_of())
    jsonl(folder / some, [row for row in rows_of() if row["correct"]])
    report = taken(store, folder)
    assert counts(store) == ONCE
    assert next(times for note, times in report.notes.items() if "another file has too" in note) == 6
    assert any(file.reason and "6" in file.reason for file in report.files)


def test_a_copy_of_a_file_in_a_folder_below_adds_nothing(store: StoreLayout, tmp_path: Path) -> None:
    (tmp_path / "out" / "backup").mkdir(parents=True)
    for name in ("all.jsonl", "backup/all.jsonl"):
        jsonl(tmp_path / "out" / name, rows_of())
    taken(store, tmp_path / "out")
    assert counts(store) == ONCE


def test_equal_files_of_seeds_stay_two_sources(store: StoreLayout, tmp_path: Path) -> None:
    for seed in range(2):
        jsonl(tmp_path / f"seed{seed}.jsonl", rows_of(ours=seed))
    taken(store, tmp_path)
    assert counts(store) == (4, 32, 12)


@pytest.mark.parametrize("at_once", [True, False])
def test_answers_of_a_letter_are_not_taken_for_those_of_another_file(
    store: StoreLayout, tmp_path: Path, at_once: bool
) -> None:
    rows = [
        {"id": problem, "question": f"{problem}?", "response": letter, "correct": letter == "A"}
        for problem in range(6)
        for letter in "AABC"
    ]
    many, one = jsonl(tmp_path / "a.jsonl", rows), jsonl(tmp_path / "b.jsonl", rows[::4])
    for paths in ([many, one],) if at_once else ([many], [one]):
        taken(store, *paths)
    assert counts(store) == (6, 30, 18)


# The same in a later command


def test_a_file_that_has_grown_brings_its_new_rows(store: StoreLayout, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    taken(store, jsonl(path, rows_of()[:10]))
    report = taken(store, jsonl(path, rows_of()))
    assert (counts(store), report.files[0].samples) == (ONCE, 6)
    before = contents(store)
    assert taken(store, path).files[0].status == "already imported"
    assert contents(store) == before


def test_a_file_that_was_changed_is_refused(store: StoreLayout, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    taken(store, jsonl(path, rows_of()))
    before = contents(store)
    changed = [row | {"response": f"{row['response']}!"} if place % 2 else row for place, row in enumerate(rows_of())]
    with pytest.raises(InputError, match="changed since") as refused:
        taken(store, jsonl(path, changed))
    assert "8 of the 16 samples" in refused.value.detail and "passk undo" in refused.value.next_step
    assert contents(store) == before


def test_the_same_rows_in_another_file_later(store: StoreLayout, tmp_path: Path) -> None:
    taken(store, jsonl(tmp_path / "a.jsonl", rows_of()))
    before = contents(store)
    report = taken(store, jsonl(tmp_path / "b.jsonl", rows_of(worker=1)))
    assert (report.files[0].status, report.part) == ("left", None)
    assert "16 of them in" in report.files[0].reason and "a.jsonl" in report.files[0].reason
    assert contents(store) == before


@pytest.mark.parametrize("later", [False, True])
def test_a_log_and_its_retry(store: StoreLayout, tmp_path: Path, later: bool) -> None:
    samples = made.inspect_samples()
    for place, sample in enumerate(samples):
        sample["uuid"] = f"u{place}"
    logs = [made.inspect_json(tmp_path / f"{name}.json", some) for name, some in (("a", samples[:3]), ("b", samples))]
    for paths in [[log] for log in logs] if later else [logs]:
        import_files(store, paths)
    (run,) = runs_of(store).values()
    assert run.samples == len(samples)


@pytest.mark.parametrize("later", [False, True])
def test_two_evaluations_with_equal_texts_and_ids_of_their_own(store: StoreLayout, tmp_path: Path, later: bool) -> None:
    for name in "ab":
        samples = made.inspect_samples()
        for place, sample in enumerate(samples):
            sample["uuid"] = f"{name}{place}"
        made.inspect_json(tmp_path / f"{name}.json", samples)
    for paths in [[tmp_path / "a.json"], [tmp_path / "b.json"]] if later else [[tmp_path]]:
        import_files(store, paths)
    (run,) = runs_of(store).values()
    assert run.samples == 2 * len(samples)


def test_a_log_that_is_scored_later_gives_its_samples_their_verdicts(store: StoreLayout, tmp_path: Path) -> None:
    samples = made.inspect_samples()
    for place, sample in enumerate(samples):
        sample["uuid"] = f"u{place}"
    scored = made.inspect_json(tmp_path / "scored.json", samples)
    import_files(store, [made.inspect_json(tmp_path / "plain.json", [{**one, "scores": {}} for one in samples])])
    (run,) = runs_of(store).values()
    assert (run.samples, run.unverified) == (len(samples), len(samples))
    import_files(store, [scored])
    (run,) = runs_of(store).values()
    assert run.samples == len(samples)
    alone = StoreLayout(tmp_path / "alone.passk")
    import_files(alone, [scored])
    (expected,) = runs_of(alone).values()
    assert (run.correct, run.unverified) == (expected.correct, expected.unverified)


def test_an_identity_of_two_texts_is_refused(store: StoreLayout, tmp_path: Path) -> None:
    first, second = made.inspect_samples()[:2]
    first["uuid"] = second["uuid"] = "u"
    import_files(store, [made.inspect_json(tmp_path / "a.json", [first])])
    with pytest.raises(InputError, match="the sample u exists already, and differs"):
        import_files(store, [made.inspect_json(tmp_path / "b.json", [second])])


# Verdicts that come later


@pytest.mark.parametrize("later", [False, True])
def test_a_file_without_verdicts_and_then_its_results(store: StoreLayout, tmp_path: Path, later: bool) -> None:
    files = [jsonl(tmp_path / "a.jsonl", without(rows_of(), "correct")), jsonl(tmp_path / "b.jsonl", rows_of())]
    for paths in [[file] for file in files] if later else [files]:
        report = taken(store, *paths)
    run = runs_of(store)["m@b"]
    assert (totals(run), run.unverified, run.n_min) == (ONCE, 0, 4)
    assert report.runs[0].judged == 16
    assert verdicts(store, "q2") == ["correct", "correct", "wrong", "wrong"]
    again = taken(store, *files)
    assert [file.status for file in again.files] == ["already imported"] * 2
    assert with_reader(store, lambda reader: reader.run("m@b").correct) == 6


def test_another_verdict_on_the_same_response(store: StoreLayout, tmp_path: Path) -> None:
    taken(store, jsonl(tmp_path / "a.jsonl", rows_of()))
    rows = rows_of()
    rows[0]["correct"] = True
    path = jsonl(tmp_path / "b.jsonl", rows)
    with pytest.raises(InputError, match=r"line 1: this sample is correct, but wrong in .*a\.jsonl, line 1"):
        taken(store, path)
    taken(store, path, on_duplicate="keep-last")
    assert counts(store) == (4, 16, 7)


def test_the_command(run_passk: Passk) -> None:
    jsonl(run_passk.folder / "a.jsonl", resumed(rows_of(), slice(8, 16)))
    said = run_passk("import", "a.jsonl", "--model", "m", "--benchmark", "b").stderr
    assert "a.jsonl: long-form, 16 samples; 8 more are there already" in said
    refused = run_passk("import", "a.jsonl", "--run", "r2", "--model", "m", "--benchmark", "b",
                        "--on-duplicate", "error", status=1)  # fmt: skip
    assert "line 17" in refused.stderr


# Where copies and other sampling parameters are shown


def test_copies_are_shown_with_the_run(run_passk: Passk) -> None:
    for worker in range(3):
        jsonl(run_passk.folder / f"gpu{worker}.jsonl", rows_of())
    run_passk("import", "gpu0.jsonl", "gpu1.jsonl", "gpu2.jsonl", "--model", "m", "--benchmark", "b")
    assert "m@b: 32 of 48 are copies: same seed on several workers?" in run_passk("runs").stderr
    assert run_passk("runs", "--format", "json").json[0]["copies"] == 32


def test_runs_that_were_sampled_otherwise_say_so_where_they_are_compared(run_passk: Passk) -> None:
    for name, temperature in (("x", 0.0), ("y", 1.0)):
        jsonl(run_passk.folder / f"{name}.jsonl", rows_of(temperature=temperature, top_p=0.9))
        role = "base" if name == "x" else "rl"
        run_passk("import", f"{name}.jsonl", "--model", name, "--benchmark", "b", "--role", role)
    said = "Sampled with other parameters: temperature 0 (x) and 1 (y)."
    for command in (("curves",), ("curves", "--bands", "problems"), ("curves", "--format", "json"), ("sets",),
                    ("difference",)):  # fmt: skip
        assert said in run_passk(*command).stderr, command
    run_passk("export", "sets", "--to", "sets.md")
    assert "temperature 0 (x) and 1 (y)" in (run_passk.folder / "sets.md").read_text(encoding="utf-8")
