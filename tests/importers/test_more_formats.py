"""The formats of other tools: each recognised by its content and by nobody else, each with its traps."""

from __future__ import annotations

import gzip
import json
import zipfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from backend import Options, RunOptions, import_files
from backend.errors import InputError, UsageError
from backend.importers.blocks import FAILED
from backend.importers.discovery import LAST, importers, importers_claiming
from backend.importers.source import SourceFile
from backend.records import Run
from backend.records.imports import ImportReport
from backend.records.samples import GivenVerdict
from backend.store.layout import StoreLayout
from backend.verification import verdicts_of
from tests.importers import examples as made
from tests.support import Passk, apart_from_copies, imported, jsonl, paths_of, runs_of, totals, verdicts, with_reader


def taken(store: StoreLayout, *paths: Path, options: Options | None = None, **said: Any) -> ImportReport:
    """Import with no more than what the user says."""
    return import_files(store, paths, run_options=RunOptions(**said), options=options)


def only_run(store: StoreLayout) -> Run:
    (run,) = runs_of(store).values()
    return run


def given(store: StoreLayout, run: str, problem: str, sample: int = 0) -> tuple[GivenVerdict, ...]:
    def read(reader: Any) -> tuple[GivenVerdict, ...]:
        found = reader.run(run)
        return verdicts_of(reader, found, reader.problem_key(found.benchmark, problem), sample)

    return with_reader(store, read)  # type: ignore[no-any-return]


# Recognition


def test_every_file_has_one_claimant(tmp_path: Path) -> None:
    """Formats of their own exclude each other; tables are asked for only when no format claims a file."""
    for name, path in made.each(tmp_path).items():
        source = SourceFile(path)
        own = [i.name for i in importers().values() if i.name not in LAST and i.recognise(source, Options())]
        wanted = name.split()[0]
        assert own == ([] if wanted in LAST else [wanted]), name
        assert [i.name for i in importers_claiming(source, Options())] == [wanted], name


def test_there_is_an_example_of_every_format(tmp_path: Path) -> None:
    """But for what passk itself exports, which the tests of exports write."""
    assert {name.split()[0] for name in made.each(tmp_path)} == set(importers()) - {"passk-counts"}


def test_a_folder_of_everything(store: StoreLayout, tmp_path: Path) -> None:
    folder = tmp_path / "results"
    folder.mkdir()
    files = made.each(folder)
    (folder / "train.log").write_text("step 1\n")
    made.json_file(folder / "references_mbpp.json", ["assert f()", "assert y"])
    with pytest.raises(UsageError, match="does not say which"):
        taken(store, folder)
    with pytest.raises(UsageError, match="would form one run"):
        imported(store, folder)
    for name, path in files.items():
        if "large" not in path.read_bytes().decode("latin-1"):
            found = imported(StoreLayout(tmp_path / f"{name}.passk"), path)
            assert [(f.status, f.format) for f in found.files] == [("imported", name.split()[0])], name


@pytest.mark.parametrize("packed", ["gz", "zst"])
def test_every_format_is_read_compressed(tmp_path: Path, packed: str) -> None:
    plain = made.each(tmp_path)
    for number, (name, path) in enumerate(plain.items()):
        data = path.read_bytes()
        beside = path.with_name(f"{path.name}.{packed}")
        beside.write_bytes(gzip.compress(data) if packed == "gz" else pa.compress(data, codec="zstd", asbytes=True))
        model = {} if name == "grade-school-math" else {"model": "m"}
        a, b = (
            taken(StoreLayout(tmp_path / f"{packed}{number}{kind}.passk"), file, benchmark="b", **model)
            for kind, file in (("plain", path), ("packed", beside))
        )
        assert a.runs == b.runs, name
        assert a.notes == b.notes, name


def test_a_file_and_its_compressed_twin_are_one(store: StoreLayout, tmp_path: Path) -> None:
    path = jsonl(tmp_path / "a.jsonl", [made.verl_row("What?", 1.0)])
    packed = tmp_path / "a.jsonl.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    imported(store, path)
    assert imported(store, packed).files[0].status == "already imported"


# lm-evaluation-harness


def test_lm_eval_two_filters_are_one_sample_with_two_verdicts(store: StoreLayout, tmp_path: Path) -> None:
    report = taken(store, made.lm_eval_file(tmp_path), model="m")
    run = only_run(store)
    assert (run.benchmark, totals(run)) == ("gsm8k", (3, 3, 1))
    assert run.parameters == {"temperature": 0.0, "max_tokens": 256}
    assert [(v.verifier, v.verdict, v.used) for v in given(store, run.name, "1")] == [
        (None, "wrong", True),
        ("flexible-extract", "correct", False),
    ]
    assert any("strict-match counts" in note for note in report.notes)
    problem = with_reader(store, lambda reader: reader.problem(reader.problem_key("gsm8k", "1")))
    assert problem.statement == "What is 1 + 1?", "without the examples of the prompt"


def test_lm_eval_the_user_chooses_the_filter(store: StoreLayout, tmp_path: Path) -> None:
    path = made.lm_eval_file(tmp_path)
    taken(store, path, model="m", options=Options(filter="flexible-extract"))
    run = only_run(store)
    assert totals(run) == (3, 3, 2)
    assert [(v.verifier, v.verdict) for v in given(store, run.name, "1")] == [
        (None, "correct"),
        ("strict-match", "wrong"),
    ]
    with pytest.raises(UsageError, match="--filter nope") as caught:
        taken(store, path, model="m", options=Options(filter="nope"))
    assert "strict-match, flexible-extract" in str(caught.value)


def test_the_filter_is_chosen_on_the_command_line_or_later(run_passk: Passk) -> None:
    made.lm_eval_file(run_passk.folder)

    def correct(run: str) -> int:
        (found,) = (entry for entry in run_passk("runs", "--format", "json").json if entry["run"] == run)
        return int(found["correct"])

    said = run_passk("import", ".", "--model", "m", "--filter", "flexible-extract").stderr
    assert "lm-eval, 3 samples" in said
    assert correct("m@gsm8k") == 2
    said = run_passk("import", ".", "--model", "m", "--run", "first").stderr
    assert "strict-match counts, the others are kept beside; --filter NAME chooses another" in said
    assert correct("first") == 1
    changed = run_passk("verify", "--run", "first", "--use", "flexible-extract", "--format", "json").json
    assert {(row["before"], row["now"]): row["samples"] for row in changed} == {
        ("correct", "correct"): 1,
        ("wrong", "correct"): 1,
        ("wrong", "wrong"): 1,
    }
    assert correct("first") == 2
    said = run_passk("verify", "--run", "first", "--use", "nobody", status=1).stderr
    assert "Known names: flexible-extract, imported" in said


def test_lm_eval_repeats_have_one_metric_for_many_texts(store: StoreLayout, tmp_path: Path) -> None:
    row = made.lm_eval_row(0, "", "0", 1.0, resps=[["a", "b", "c"]])
    report = taken(store, jsonl(tmp_path / "a.jsonl", [row]), model="m", benchmark="b")
    assert verdicts(store, "0") == ["unverified"] * 3
    assert [path.text for path in paths_of(store, "0")] == ["a", "b", "c"]
    assert any("several samples and one metric" in note for note in report.notes)


def test_lm_eval_metrics_that_are_no_verdict(store: StoreLayout, tmp_path: Path) -> None:
    row = made.lm_eval_row(0, "x", "x", 1.0, metrics=["bleu"], bleu=31.5)
    report = taken(store, jsonl(tmp_path / "a.jsonl", [row]), model="m", benchmark="b")
    assert verdicts(store, "0") == ["unverified"]
    assert any("bleu" in note for note in report.notes)


def test_lm_eval_log_likelihoods_have_no_text(store: StoreLayout, tmp_path: Path) -> None:
    row = made.lm_eval_row(0, "", "", 1.0, resps=[[["-1.5", "False"]], [["-0.5", "True"]]], metrics=["acc"], acc=1.0)
    taken(store, jsonl(tmp_path / "a.jsonl", [row]), model="m", benchmark="b")
    (path,) = paths_of(store, "0")
    assert (path.sample.verdict, path.text) == ("correct", None)


def test_lm_eval_appended_twice_is_more_samples(store: StoreLayout, tmp_path: Path) -> None:
    rows = made.lm_eval_rows()
    again = [row | {"resps": [[f"Again: {row['resps'][0][0]}"]]} for row in rows]
    report = taken(store, jsonl(tmp_path / "a.jsonl", rows + again), model="m", benchmark="b")
    assert totals(runs_of(store)["m@b"]) == (3, 6, 2)
    assert report.notes["documents that come again, taken as more samples of them"] == 3


# Inspect


@pytest.mark.parametrize("form", ["eval", "json"])
def test_inspect_epochs_are_samples(store: StoreLayout, tmp_path: Path, form: str) -> None:
    write = made.inspect_eval if form == "eval" else made.inspect_json
    taken(store, write(tmp_path / f"log.{form}", made.inspect_samples()))
    run = only_run(store)
    assert (run.name, totals(run), run.n_min) == ("openai/m-1@truths", (2, 4, 3), 2)
    assert run.parameters == {"temperature": 0.7, "max_tokens": 100, "top_p": 0.9}
    assert [(p.sample.index, p.sample.verdict, p.sample.tokens) for p in paths_of(store, "2", run.name)] == [
        (0, "correct", 4),
        (1, "wrong", 4),
    ]
    problem = with_reader(store, lambda reader: reader.problem(reader.problem_key("truths", "1")))
    assert problem.statement == "Which is true of 1?\n\nA) this\nB) that"
    assert problem.reference == "B"


@pytest.mark.parametrize(
    ("value", "verdict"),
    [("C", "correct"), ("I", "wrong"), ("P", "wrong"), ("N", "no_answer"), (1, "correct"), (0.5, "wrong"),
     (True, "correct"), (0, "wrong"), ("maybe", "unverified"), ([1, 0], "unverified"), (None, "unverified")],
)  # fmt: skip
def test_inspect_score_values(store: StoreLayout, tmp_path: Path, value: Any, verdict: str) -> None:
    """C is correct whatever the target letter: here the target is B."""
    taken(store, made.inspect_eval(tmp_path / "a.eval", [made.inspect_sample(1, 1, value)]))
    assert verdicts(store, "1", "openai/m-1@truths") == [verdict]


def test_inspect_several_scorers(store: StoreLayout, tmp_path: Path) -> None:
    scores = {"strict": {"value": "I"}, "parts": {"value": {"a": 1, "b": 0}, "answer": "B"}}
    path = made.inspect_eval(tmp_path / "a.eval", [made.inspect_sample(1, 1, scores=scores)])
    report = taken(store, path)
    found = given(store, "openai/m-1@truths", "1")
    assert [(v.verifier, v.verdict) for v in found] == [(None, "wrong"), ("parts/a", "correct"), ("parts/b", "wrong")]
    assert any("several scorers (strict, parts/a, parts/b)" in note for note in report.notes)
    taken(store, path, run="second", options=Options(filter="parts/a"))
    assert verdicts(store, "1", "second") == ["correct"]


def test_inspect_reasoning_attachments_and_truncation(store: StoreLayout, tmp_path: Path) -> None:
    content = [{"type": "reasoning", "reasoning": "attachment://a1"}, {"type": "text", "text": "ANSWER: A"}]
    output = {"choices": [{"message": {"role": "assistant", "content": content}, "stop_reason": "max_tokens"}]}
    sample = made.inspect_sample(1, 1, "I", output=output, attachments={"a1": "long thought"})
    taken(store, made.inspect_eval(tmp_path / "a.eval", [sample]))
    (path,) = paths_of(store, "1", "openai/m-1@truths")
    assert path.text == "<think>\nlong thought\n</think>\n\nANSWER: A"
    assert (path.sample.verdict, path.sample.finish_reason) == ("truncated", "length")


def test_inspect_samples_that_failed_are_unverified(store: StoreLayout, tmp_path: Path) -> None:
    failed = made.inspect_sample(2, 1, error={"message": "Connection reset", "traceback": ""}, scores=None, output={})
    header = made.inspect_header(status="error")
    report = taken(store, made.inspect_eval(tmp_path / "a.eval", [made.inspect_sample(1, 1), failed], header))
    assert verdicts(store, "2", "openai/m-1@truths") == ["unverified"]
    assert any("did not come to its end" in note for note in report.notes)


def test_inspect_chunked_samples_beside_whole_ones(store: StoreLayout, tmp_path: Path) -> None:
    shell = made.inspect_sample(2, 1, "I", metadata=None)
    shell["output"]["choices"][0]["message"]["content"] = "attachment://1"
    with zipfile.ZipFile(tmp_path / "a.eval", "w") as archive:
        archive.writestr("header.json", json.dumps(made.inspect_header(version=3)))
        archive.writestr("samples/1_epoch_1.json", json.dumps(made.inspect_sample(1, 1)))
        archive.writestr("samples/2_epoch_1/sample.json", json.dumps(shell))
        archive.writestr("samples/2_epoch_1/metadata.json", json.dumps({"level": 5}))
        archive.writestr("samples/2_epoch_1/attachments/0.json", json.dumps(["first"]))
        archive.writestr("samples/2_epoch_1/attachments/1.json", json.dumps(["the text"]))
        archive.writestr("samples/2_epoch_1/events/0.json", "[]")
    taken(store, tmp_path / "a.eval")
    run = only_run(store)
    assert totals(run) == (2, 2, 1)
    assert [path.text for path in paths_of(store, "2", run.name)] == ["the text"]
    assert with_reader(store, lambda reader: reader.problem(reader.problem_key("truths", "2"))).level == "5"


def test_inspect_the_last_member_of_a_name_counts(store: StoreLayout, tmp_path: Path) -> None:
    path = made.inspect_eval(tmp_path / "a.eval", [made.inspect_sample(1, 1, "I")])
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr("samples/1_epoch_1.json", json.dumps(made.inspect_sample(1, 1, "C")))
    taken(store, path)
    assert totals(only_run(store)) == (1, 1, 1)


def test_inspect_zstd_members(store: StoreLayout, tmp_path: Path) -> None:
    """Newer logs are compressed with zstd, which this Python's zipfile may not read."""
    plain = made.inspect_eval(tmp_path / "plain.eval", made.inspect_samples())
    path = tmp_path / "zstd.eval"
    with zipfile.ZipFile(plain) as archive, zipfile.ZipFile(path, "w") as target:
        for info in archive.infolist():
            data = archive.read(info)
            # Two frames, as in Inspect's largest members. Written as stored, then called zstd in both headers.
            packed = b"".join(
                pa.compress(piece, codec="zstd", asbytes=True) for piece in (data[:50], data[50:]) if piece
            )
            target.writestr(info.filename, packed)
            written = target.infolist()[-1]
            written.compress_type, written.file_size = 93, len(data)
            written.CRC = zipfile.crc32(data)
    taken(store, path)
    assert totals(only_run(store)) == (2, 4, 3)


def test_a_damaged_archive_says_so(store: StoreLayout, tmp_path: Path) -> None:
    data = made.inspect_eval(tmp_path / "a.eval", made.inspect_samples()).read_bytes()
    (tmp_path / "cut.eval").write_bytes(data[: len(data) // 2])
    with pytest.raises(InputError, match=r"cut\.eval: not recognised") as caught:
        taken(store, tmp_path / "cut.eval")
    assert "zip archive, damaged" in str(caught.value)
    place = data.index(b"samples/2_epoch_2.json") + 80
    (tmp_path / "flipped.eval").write_bytes(
        data[:place] + bytes(byte ^ 255 for byte in data[place : place + 9]) + data[place + 9 :]
    )
    with pytest.raises(InputError, match=r"not readable as zip: .*samples/2_epoch_2\.json"):
        taken(store, tmp_path / "flipped.eval")


@pytest.mark.parametrize("name", ["../evil.json", "/etc/passwd", "samples/../../x", "C:\\x", "a\\..\\b"])
def test_members_that_lead_outside_are_refused(store: StoreLayout, tmp_path: Path, name: str) -> None:
    path = made.inspect_eval(tmp_path / "a.eval", made.inspect_samples())
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(name, "{}")
    with pytest.raises(InputError, match="leads outside the archive"):
        taken(store, path)


def test_zip_bombs_are_refused(store: StoreLayout, tmp_path: Path) -> None:
    path = made.inspect_eval(tmp_path / "a.eval", made.inspect_samples())
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("samples/9_epoch_1.json", b" " * (300 << 20))
    assert path.stat().st_size < 1 << 20
    with pytest.raises(InputError, match="zip bomb"):
        taken(store, path)


def test_compressed_bombs_are_refused(store: StoreLayout, tmp_path: Path) -> None:
    row = json.dumps(made.verl_row("What?", 1.0)).encode() + b"\n"
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(gzip.compress(row + b" " * (300 << 20)))
    with pytest.raises(InputError, match="200 times its size"):
        imported(store, path)


def test_a_compressed_file_that_is_cut_off_says_so(store: StoreLayout, tmp_path: Path) -> None:
    data = gzip.compress(b"".join(json.dumps(made.verl_row(f"{i}?", 1.0)).encode() + b"\n" for i in range(5_000)))
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(InputError, match="not readable as gzip"):
        imported(store, path)


# lighteval


def test_lighteval_says_model_and_benchmark_by_its_place(store: StoreLayout, tmp_path: Path) -> None:
    taken(store, made.lighteval_file(tmp_path))
    run = only_run(store)
    assert (run.model.name, run.benchmark, totals(run)) == ("org/model", "aime24", (2, 2, 1))
    assert run.mean_tokens == 3
    problem = with_reader(store, lambda reader: reader.problem(reader.problem_key("aime24", "1")))
    assert problem.reference == " 1"


def test_lighteval_a_metric_of_several_samples_is_no_verdict(store: StoreLayout, tmp_path: Path) -> None:
    rows = [made.lighteval_row(0, ["a", "b", "c"], {"extractive_match": 1.0})]
    report = imported(store, made.parquet_file(tmp_path / "a.parquet", rows, made.LIGHTEVAL))
    assert verdicts(store, "0") == ["unverified"] * 3
    assert any("several samples" in note for note in report.notes)


def test_lighteval_reasoning_is_part_of_the_path(store: StoreLayout, tmp_path: Path) -> None:
    row = made.lighteval_row(0, ["4"], {"extractive_match": 1.0})
    row["model_response"]["reasonings"] = ["two and two"]
    imported(store, made.parquet_file(tmp_path / "a.parquet", [row], made.LIGHTEVAL))
    assert [path.text for path in paths_of(store, "0")] == ["<think>\ntwo and two\n</think>\n\n4"]


def test_lighteval_text_instead_of_structs_is_refused(store: StoreLayout, tmp_path: Path) -> None:
    rows = [{"doc": "{'query': 'x'}", "metric": "{}", "model_response": "{}"}]
    with pytest.raises(InputError, match="row 1: field doc or model_response: expected a struct, found a string"):
        imported(store, made.parquet_file(tmp_path / "a.parquet", rows))


# Code


def test_evalplus_plus_counts_and_base_is_kept(store: StoreLayout, tmp_path: Path) -> None:
    path = made.evalplus_results(tmp_path / "a.eval_results.json", made.STATUSES)
    imported(store, path)
    assert verdicts(store, "HumanEval/0") == ["correct", "wrong"]
    assert verdicts(store, "HumanEval/1") == ["wrong", "timeout"], "plus passes only where base passes"
    assert [(v.verifier, v.verdict) for v in given(store, "m@b", "HumanEval/0", 1)] == [
        (None, "wrong"),
        ("base", "correct"),
    ]
    taken(store, path, model="m", benchmark="b", run="base", options=Options(filter="base"))
    assert verdicts(store, "HumanEval/0", "base") == ["correct", "correct"]


def test_evalplus_without_plus(store: StoreLayout, tmp_path: Path) -> None:
    report = imported(store, made.evalplus_results(tmp_path / "a.json", {"T/0": [("pass", None)]}))
    assert verdicts(store, "T/0") == ["correct"]
    assert apart_from_copies(report.notes) == {}


def test_evalplus_a_list_of_solutions_is_refused(store: StoreLayout, tmp_path: Path) -> None:
    rows = [{"task_id": "T/0", "solution": "pass"}, {"task_id": "T/1", "solution": ["a", "b"]}]
    with pytest.raises(InputError, match="line 2: field solution: expected a string, found a list"):
        imported(store, jsonl(tmp_path / "a.jsonl", rows))


def test_a_folder_takes_the_samples_once(store: StoreLayout, tmp_path: Path) -> None:
    folder = tmp_path / "results"
    folder.mkdir()
    jsonl(folder / "a.jsonl", [{"task_id": "HumanEval/0", "solution": "pass"}])
    jsonl(folder / "a.raw.jsonl", [{"task_id": "HumanEval/0", "solution": "```pass```"}])
    made.evalplus_results(folder / "a_eval_results.json", made.STATUSES)
    jsonl(folder / "b.jsonl", [{"task_id": "HumanEval/0", "completion": "pass"}])
    passed = {"task_id": "HumanEval/0", "completion": "pass", "result": "passed", "passed": True}
    jsonl(folder / "b.jsonl_results.jsonl", [passed])
    made.json_file(folder / "c.json", [made.lcb_problem(0, None)])
    made.json_file(folder / "c_eval_all.json", [made.lcb_problem(0, [True, False])])
    report = imported(store, folder)
    left = {Path(file.path).name: file.reason for file in report.files if file.status == "left"}
    assert set(left) == {"a.jsonl", "a.raw.jsonl", "b.jsonl", "c.json"}
    assert left["b.jsonl"] == "its samples are in b.jsonl_results.jsonl, with more known about them"
    assert totals(runs_of(store)["m@b"])[1:] == (7, 3)


def test_live_code_bench(store: StoreLayout, tmp_path: Path) -> None:
    problems = [made.lcb_problem(0, [True, False]), made.lcb_problem(1, [False, False], code_list=["", "x"])]
    problems[1]["metadata"] = ["{}", "not json"]
    imported(store, made.json_file(tmp_path / "Scenario.codegeneration_2_0.2_eval_all.json", problems))
    assert verdicts(store, "q0") == ["correct", "timeout"]
    assert verdicts(store, "q1") == ["no_answer", "wrong"]
    assert [path.sample.detail for path in paths_of(store, "q0")] == [None, "Time Limit"]
    run = runs_of(store)["m@b"]
    assert run.parameters == {"temperature": 0.2}
    problem = with_reader(store, lambda reader: reader.problem(reader.problem_key("b", "q0")))
    assert (problem.statement, problem.level) == ("Print 0.", "easy")


def test_live_code_bench_before_its_evaluation(store: StoreLayout, tmp_path: Path) -> None:
    imported(store, made.json_file(tmp_path / "a.json", [made.lcb_problem(0, None)]))
    assert verdicts(store, "q0") == ["unverified"] * 2


def test_bigcode_knows_tasks_by_their_place(store: StoreLayout, tmp_path: Path) -> None:
    path = made.json_file(tmp_path / "generations_mbpp.json", [["a", "b"], ["c", "d"]])
    made.json_file(tmp_path / "references_mbpp.json", ["assert 1", "assert 2"])
    report = taken(store, path, model="m")
    run = only_run(store)
    assert (run.benchmark, run.problems, run.samples, run.unverified) == ("mbpp", 2, 4, 4)
    assert with_reader(store, lambda reader: reader.problem(reader.problem_key("mbpp", "1"))).reference == "assert 2"
    assert any("place alone" in note for note in report.notes)


def test_bigcode_references_that_do_not_fit_are_left(store: StoreLayout, tmp_path: Path) -> None:
    path = made.json_file(tmp_path / "generations_mbpp.json", [["a"], ["b"]])
    made.json_file(tmp_path / "references_mbpp.json", ["assert 1"])
    report = taken(store, path, model="m")
    assert report.notes["reference files that do not fit their generations, left"] == 1


def test_human_eval_samples_without_verdict(store: StoreLayout, tmp_path: Path) -> None:
    imported(store, jsonl(tmp_path / "a.jsonl", [{"task_id": "T/0", "completion": "x"}] * 3))
    assert verdicts(store, "T/0") == ["unverified"] * 3


# Training


def test_verl_the_prompt_is_the_problem(store: StoreLayout, tmp_path: Path) -> None:
    rows = [made.verl_row(f"What is {i // 2}?", [1.0, 0.0, 0.5, -1.0][i], gts=str(i // 2), pred="7") for i in range(4)]
    report = imported(store, jsonl(tmp_path / "1.jsonl", rows))
    run = runs_of(store)["m@b"]
    assert (totals(run), run.n_min, run.model.step) == ((2, 4, 1), 2, 1)
    assert report.notes["samples with a score between 0 and 1, which is not correct"] == 1
    assert [times for note, times in report.notes.items() if "without a finish reason" in note] == [4]


def test_verl_acc_goes_before_a_shaped_score(store: StoreLayout, tmp_path: Path) -> None:
    rows = [made.verl_row("A?", 1.3, acc=False), made.verl_row("A?", 0.2, acc=True)]
    imported(store, jsonl(tmp_path / "1.jsonl", rows))
    assert verdicts(store, "0") == ["wrong", "correct"]


def test_several_training_steps_are_checkpoints(store: StoreLayout, tmp_path: Path) -> None:
    folder = tmp_path / "rollouts"
    folder.mkdir()
    for step in (1, 2, 10):
        jsonl(folder / f"{step}.jsonl", [made.verl_row(f"{i}?", float(i < step), step) for i in range(4)])
    imported(store, folder, role="rl")
    runs = runs_of(store)
    assert {name: (run.model.step, run.correct) for name, run in runs.items()} == {
        "m-step1@b": (1, 1),
        "m-step2@b": (2, 2),
        "m-step10@b": (10, 4),
    }


def test_several_training_steps_in_one_file(store: StoreLayout, tmp_path: Path) -> None:
    text = 'a text that says {"step": 7}, "step": 8}'
    rows = [made.verl_row("A?", 1.0, step, output=text) for step in (1, 2)]
    imported(store, jsonl(tmp_path / "all.jsonl", rows))
    assert set(runs_of(store)) == {"m-step1@b", "m-step2@b"}


def test_trl(store: StoreLayout, tmp_path: Path) -> None:
    report = imported(store, made.parquet_file(tmp_path / "completions_00005.parquet", made.trl_rows(note="x")))
    run = runs_of(store)["m@b"]
    assert (totals(run), run.model.step) == ((2, 4, 2), 5)
    assert paths_of(store, "0")[0].sample.detail == "format_reward=0.5, advantage=0.1"
    assert any("accuracy_reward gives the verdict" in note for note in report.notes)
    assert "columns not kept: note" in report.notes


def test_trl_rewards_that_are_not_about_answers(store: StoreLayout, tmp_path: Path) -> None:
    rows = [{key: value for key, value in row.items() if key != "accuracy_reward"} for row in made.trl_rows()]
    path = made.parquet_file(tmp_path / "a.parquet", rows)
    report = imported(store, path)
    assert runs_of(store)["m@b"].unverified == 4
    assert any("none is clearly about correctness" in note for note in report.notes)
    taken(store, path, model="m", benchmark="b", run="r", options=Options(filter="format_reward"))
    assert runs_of(store)["r"].unverified == 0


def test_trl_conversations(store: StoreLayout, tmp_path: Path) -> None:
    rows = made.trl_rows()
    for row in rows:
        row["prompt"] = [{"role": "system", "content": "s"}, {"role": "user", "content": row["prompt"]}]
        row["completion"] = [{"role": "assistant", "content": row["completion"]}]
    imported(store, made.parquet_file(tmp_path / "a.parquet", rows))
    assert [path.text for path in paths_of(store, "1")] == ["completion 0", "completion 1"]


def test_verifiers_with_its_metadata(store: StoreLayout, tmp_path: Path) -> None:
    about = {"env_id": "gsm8k", "model": "org/m", "sampling_args": {"temperature": 0.8, "max_tokens": 64}}
    made.json_file(tmp_path / "metadata.json", about)
    rows = [
        made.verifiers_row(1, 1.0),
        made.verifiers_row(1, 0.5),
        made.verifiers_row(2, 0.0, is_truncated=True),
        made.verifiers_row(2, 0.0, error="boom"),
        made.verifiers_row(2, None),  # type: ignore[arg-type]
    ]
    report = taken(store, jsonl(tmp_path / "results.jsonl", rows))
    run = only_run(store)
    assert (run.name, run.parameters) == ("org/m@gsm8k", {"temperature": 0.8, "max_tokens": 64})
    assert verdicts(store, "1", run.name) == ["correct", "wrong"]
    assert verdicts(store, "2", run.name) == ["truncated", "unverified", "unverified"]
    problem = with_reader(store, lambda reader: reader.problem(reader.problem_key("gsm8k", "1")))
    assert (problem.statement, problem.reference) == ("What is 1?", "1")
    assert apart_from_copies(report.notes) == {
        "samples with a reward between 0 and the threshold, which is not correct": 1,
        FAILED: 1,
    }


def test_grade_school_math_has_a_model_in_each_column(store: StoreLayout, tmp_path: Path) -> None:
    rows = [made.grade_school_row(i, **{"6b_finetuning": i == 0, "175b_verification": True}) for i in range(3)]
    rows[1]["6b_finetuning"]["solution"] = "So it is cut o"
    path = jsonl(tmp_path / "example_model_solutions.jsonl", rows)
    taken(store, path, benchmark="gsm8k")
    runs = runs_of(store)
    assert {name: totals(run) for name, run in runs.items()} == {
        "6b_finetuning@gsm8k": (3, 3, 1),
        "175b_verification@gsm8k": (3, 3, 3),
    }
    assert verdicts(store, "1", "6b_finetuning@gsm8k") == ["no_answer"]
    problem = with_reader(store, lambda reader: reader.problem(reader.problem_key("gsm8k", "2")))
    assert problem.reference == "2"
    with pytest.raises(UsageError, match="more than one model goes to the run m@gsm8k"):
        taken(store, path, benchmark="gsm8k", model="m")
    taken(store, path, benchmark="other", options=Options(columns={"base": "6b_finetuning"}))
    assert "base@other" in runs_of(store)
