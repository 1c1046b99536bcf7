"""A bad line names file, line and field, and the store is byte for byte as before."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from backend.errors import InputError, PasskError
from backend.store.layout import StoreLayout
from tests.support import (
    Passk,
    apart_from_copies,
    contents,
    csv_file,
    gym_result,
    imported,
    jsonl,
    long_rows,
    qwen_line,
    reasoning_gym,
    runs_of,
    verdicts,
)

GOOD = qwen_line("Good?", [True, False])
LONG = {"id": "p", "text": "x", "correct": True}
HUMAN = {"task_id": "T/0", "completion": "x", "result": "passed", "passed": True}
CSV = "id,text,correct\np,x,1\n"


def line(value: object) -> bytes:
    return json.dumps(value).encode() + b"\n"


def without(record: dict[str, object], field: str) -> dict[str, object]:
    return {key: value for key, value in record.items() if key != field}


DEEP = b"[" * 100_000 + b"]" * 100_000
QWEN = {
    "cut last line": (line(GOOD)[:-20], ("line 3", "not JSON", "cut off")),
    "cut line": (line(GOOD)[:-20] + b"\n" + line(GOOD), ("line 3", "not JSON at its end", "cut off")),
    "no object": (b"[1, 2]\n", ("line 3", "expected a JSON object, found a list")),
    "not JSON": (b"{'a': 1}\n", ("line 3", "not JSON")),
    "not UTF-8": (line(GOOD).replace(b"Good", b"G\xf6\xf6d"), ("line 3", "not UTF-8")),
    "nested too deeply": (b'{"question": ' + DEEP + b"}\n", ("line 3", "nested too deeply")),
    "no question": (line(without(GOOD, "question")), ("line 3", "field question: expected a string, found nothing")),
    "question no string": (line(GOOD | {"question": 3}), ("line 3", "field question", "found a number")),
    "no texts": (line(without(GOOD, "code")), ("line 3", "field code")),
    "text no string": (line(GOOD | {"code": ["x", 5]}), ("line 3", "field code: expected strings, found a number")),
    "texts no list": (line(GOOD | {"code": "x"}), ("line 3", "field code: expected a list")),
    "fewer scores": (line(GOOD | {"score": [True]}), ("line 3", "field score: 1 entries for 2 samples")),
    "more answers": (line(GOOD | {"pred": ["1"] * 3}), ("line 3", "field pred: 3 entries for 2 samples")),
    "fewer reasons": (line(GOOD | {"finish_reason": ["stop"]}), ("line 3", "field finish_reason")),
    "a score in words": (line(GOOD | {"score": [True, "maybe"]}), ("line 3", "field score: entry 2")),
    "a number of many digits": (b'{"question": ' + b"9" * 5_000 + b"}\n", ("line 3", "not JSON")),
}
LONG_FORM = {
    "verdict in words": (line(LONG | {"correct": "perhaps"}), ("line 3", "field correct: 'perhaps' is no verdict")),
    "text no string": (line(LONG | {"text": {"a": 1}}), ("line 3", "field text: expected a string, found an object")),
    "huge tokens": (line(LONG | {"tokens": 10**30}), ("line 3", "field tokens")),
    "tokens beyond 32 bits": (line(LONG | {"tokens": 2**31}), ("line 3", "field tokens: 2147483648 is no whole")),
    "negative tokens": (line(LONG | {"tokens": -1}), ("line 3", "field tokens: -1 is no whole number from 0")),
    "half a token": (line(LONG | {"tokens": 1.5}), ("line 3", "field tokens: 1.5 is no")),
    "tokens of NaN": (line(LONG | {"tokens": float("nan")}), ("line 3", "field tokens: nan is no")),
    "infinite tokens": (line(LONG | {"tokens": float("inf")}), ("line 3", "field tokens: inf is no")),
    "tokens in words": (line(LONG | {"tokens": "many"}), ("line 3", "field tokens: 'many' is no whole number")),
    "a huge seed": (line(LONG | {"seed": 2**64}), ("line 3", "field seed")),
    "a huge step": (line(LONG | {"step": 2**40}), ("line 3", "field step")),
    "a huge index": (line(LONG | {"index": 2**40}), ("line 3", "field index")),
    "no index": (line(LONG | {"index": None}), ("line 3", "field index")),
    "no id": (line(LONG | {"id": None}), ("line 3", "neither a problem id nor a statement")),
    "an id that is a list": (line(LONG | {"id": [1]}), ("line 3", "field id: expected a single value, found a list")),
    "a temperature of NaN": (line(LONG | {"temperature": float("nan")}), ("line 3", "field temperature")),
    "a log probability in words": (line(LONG | {"logprob_sum": "low"}), ("line 3", "field logprob_sum: 'low'")),
    "an empty object": (b"{}\n", ("line 3", "neither a problem id nor a statement")),
}
HUMAN_EVAL = {
    "no completion": (line(without(HUMAN, "completion")), ("line 3", "field completion")),
    "passed in words": (line(HUMAN | {"passed": "yes"}), ("line 3", "field passed: expected true or false")),
    "a task that is a number": (line(HUMAN | {"task_id": 5}), ("line 3", "field task_id")),
}
CASES = [
    pytest.param(first, bad, words, id=f"{name}: {case}")
    for name, first, cases in (
        ("qwen-math", GOOD, QWEN),
        ("long-form", LONG, LONG_FORM),
        ("human-eval", HUMAN, HUMAN_EVAL),
    )
    for case, (bad, words) in cases.items()
]


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> tuple[StoreLayout, dict[str, str]]:
    """A store that holds something already."""
    folder = tmp_path_factory.mktemp("filled")
    layout = StoreLayout(folder / "s.passk")
    imported(layout, jsonl(folder / "a.jsonl", long_rows()))
    return layout, contents(layout)


def refused(filled: tuple[StoreLayout, dict[str, str]], path: Path, **more: object) -> str:
    layout, before = filled
    with pytest.raises(PasskError) as caught:
        imported(layout, path, **more)
    assert contents(layout) == before
    assert list(layout.unfinished.iterdir()) == []
    assert str(path) in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(("first", "bad", "words"), CASES)
def test_a_bad_line(
    filled: tuple[StoreLayout, dict[str, str]],
    tmp_path: Path,
    first: dict[str, object],
    bad: bytes,
    words: tuple[str, ...],
) -> None:
    path = tmp_path / "bad.jsonl"
    # Columns are those of the first line.
    more = {key: 1 for key in ("tokens", "seed", "step", "index", "temperature", "logprob_sum") if key.encode() in bad}
    path.write_bytes(line(first | more) + b"\n" + bad)
    said = refused(filled, path)
    for word in words:
        assert word in said


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (CSV + "p,x\n", "line 3: 2 fields where the header has 3"),
        (CSV + "p,x,1,2\n", "line 3: 4 fields where the header has 3"),
        (CSV + "p,x,maybe\n", "line 3: field correct: 'maybe' is no verdict"),
        (CSV + 'p,"x', "not CSV"),
        (CSV + 'p,"x"y,1\n', "line 3: not CSV"),
        ("problem,n,c\n1,4,5\n", "line 2: field c: 5 correct of only 4 samples"),
        ("problem,n,c\n1,4,2\n2,4,x\n", "line 3: field c: 'x' is no whole number"),
        ("problem,n,c\n1,4,2\n2,-4,0\n", "line 3: field n: '-4' is no whole number"),
        ("problem,n,c\n1,4,2\n2,,1\n", "line 3: field n: '' is no whole number"),
        ("problem,n,c\n1,4,2\n2,4.5,1\n", "line 3: field n: '4.5' is no whole number"),
        ("problem,n,c\n1,4,2\n,4,1\n", "line 3: no problem id"),
        ("problem,n,c\n1,999999999999,2\n", "line 2: field n: 999999999999 is more than 1,000,000"),
        ("problem,n,c,step\n1,4,2,soon\n", "line 2: field step: 'soon' is no whole number"),
    ],
)
def test_a_bad_row(filled: tuple[StoreLayout, dict[str, str]], tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "bad.csv"
    path.write_text(text)
    assert words in refused(filled, path)


def test_a_csv_that_is_not_utf8(filled: tuple[StoreLayout, dict[str, str]], tmp_path: Path) -> None:
    path = tmp_path / "bad.csv"
    path.write_bytes(CSV.encode() + "p,größer,1\n".encode("latin-1"))
    assert "not UTF-8" in refused(filled, path)


def broken_results(change: Callable[[dict[str, object]], object]) -> list[dict[str, object]]:
    result: dict[str, object] = gym_result("Q", [1.0, 0.0])
    change(result)
    return [gym_result("Good?", [1.0]), result]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda r: r.update(question=None), "result 2: field question: expected a string"),
        (lambda r: r.update(completions="x"), "result 2: field completions: expected a list"),
        (lambda r: r["completions"].append("x"), "result 2: completion 3: expected an object"),
        (lambda r: r["completions"][1].update(score="high"), "completion 2, field score: expected a number"),
        (lambda r: r["completions"][0].update(full_model_response=7), "completion 1, field full_model_response"),
    ],
)
def test_a_bad_result_of_reasoning_gym(
    filled: tuple[StoreLayout, dict[str, str]],
    tmp_path: Path,
    change: Callable[[dict[str, object]], object],
    words: str,
) -> None:
    assert words in refused(filled, reasoning_gym(tmp_path / "bad.json", broken_results(change)))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"metadata": {}, "categories": [{"datasets": ["x"]}]}', "expected objects, found a string"),
        ('{"metadata": {}, "categories": [{"datasets": 5}]}', "categories.datasets: expected a list"),
        ('{"metadata": {}, "categories": ["datasets"]}', "categories.datasets: expected a list"),
        ('{"metadata": {}, "categories": {"datasets": []}}', "field categories: expected a list"),
        ('{"metadata": {"temperature": [1]}, "categories": [{"datasets": [{}]}]}', "field metadata.temperature"),
        ('{"metadata": {}, "categories": [{"datasets": [{"name": "x", "results": []}]}]}', "holds no samples"),
        ('{"metadata": {}, "categories": [{"datasets": [{"name": "x", "resu', "not JSON"),
    ],
)
def test_a_broken_file_of_reasoning_gym(
    filled: tuple[StoreLayout, dict[str, str]], tmp_path: Path, text: str, words: str
) -> None:
    path = tmp_path / "bad.json"
    path.write_text(text)
    assert words in refused(filled, path)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "It is empty"),
        (b"\n \n", "It is empty"),
        (line(GOOD)[:-20], "Its first line is not a JSON object"),
        (line(GOOD).replace(b"Good", b"\xff"), "It is not UTF-8: line 1, byte"),
        (b"when,what\nnow,this\n", "Its columns: when, what."),
        (b'{"results": {"gsm8k": {"acc": 0.5}}, "configs": {}}', "scores of whole benchmarks (gsm8k), no samples"),
        (b'{"num_samples": 4, "num_scores": 16, "acc": 25.0}', "Import the jsonl file beside it"),
        (b'{\n "a": 1\n}', "one JSON object with the fields a"),
        (b'{"a": ' + DEEP + b"}\n", "nested too deeply"),
        (b"id,text,correct\n", "holds no samples"),
        (b"PAR1 and then nothing", "not readable as Parquet"),
        (bytes(range(256)) * 100, "It is not text"),
        (line(GOOD).decode().encode("utf-16"), "It is UTF-16 or UTF-32; convert it to UTF-8"),
    ],
)
def test_a_file_that_is_broken_from_its_beginning(
    filled: tuple[StoreLayout, dict[str, str]], tmp_path: Path, data: bytes, words: str
) -> None:
    path = tmp_path / "bad"
    path.write_bytes(data)
    assert words in refused(filled, path)


def test_a_named_format_says_more_of_a_broken_first_line(
    filled: tuple[StoreLayout, dict[str, str]], tmp_path: Path
) -> None:
    path = tmp_path / "bad"
    path.write_bytes(line(GOOD).replace(b"Good", b"\xff"))
    assert "line 1: not UTF-8 at byte" in refused(filled, path, form="qwen-math")


def test_one_bad_file_that_is_named_keeps_the_others_out(
    filled: tuple[StoreLayout, dict[str, str]], tmp_path: Path
) -> None:
    """All of an import or nothing, also when thousands of good lines came first."""
    folder = tmp_path / "files"
    folder.mkdir()
    jsonl(folder / "a.jsonl", [qwen_line(f"{i}?", [True] * 8, code=["x" * 500] * 8) for i in range(9_000)])
    (folder / "b.jsonl").write_bytes(line(GOOD) + b"{broken\n")
    layout, before = filled
    with pytest.raises(InputError, match=r"b\.jsonl, line 2: not JSON"):
        imported(layout, *sorted(folder.iterdir()))
    assert contents(layout) == before
    assert list(layout.unfinished.iterdir()) == []


@pytest.mark.parametrize("depth", [900, 985, 1_000, 1_020])
def test_a_line_that_one_json_reader_takes_and_another_not(store: StoreLayout, tmp_path: Path, depth: int) -> None:
    path = tmp_path / "deep.jsonl"
    nested = b"[" * depth + b"]" * depth
    path.write_bytes(line(GOOD) + line(GOOD)[:-2] + b', "subject": ' + nested + b"}\n")
    try:
        imported(store, path)
    except InputError as error:
        assert "line 2: JSON nested too deeply" in str(error)
        assert contents(store).keys() <= {"base.duckdb"}
    else:
        assert runs_of(store)["m@b"].samples == 4


def test_what_is_odd_but_no_error(store: StoreLayout, tmp_path: Path) -> None:
    rows = [
        LONG | {"logprob_sum": float("-inf"), "seed": -5, "tokens": "17"},
        LONG | {"logprob_sum": -1e300, "seed": 2**63 - 1, "tokens": 2.0},
    ]
    report = imported(store, jsonl(tmp_path / "a.jsonl", rows))
    assert apart_from_copies(report.notes) == {"log probabilities that are not finite, taken as unknown": 1}
    assert verdicts(store, "p") == ["correct", "correct"]
    assert runs_of(store)["m@b"].mean_tokens == 9.5


def test_a_failed_import_makes_no_run_and_says_why(run_passk: Passk) -> None:
    csv_file(run_passk.folder / "a.csv", ("problem", "n", "c"), [(1, 4, 5)])
    result = run_passk("import", "a.csv", "--model", "m", "--benchmark", "b", status=1)
    assert result.stdout == ""
    assert "a.csv, line 2: field c: 5 correct of only 4 samples" in result.stderr
    assert "no store" in run_passk("runs", "--store", "store.passk", status=1).stderr


def test_a_failed_first_import_leaves_no_store(run_passk: Passk) -> None:
    (run_passk.folder / "bad.jsonl").write_text('{"task_id": "a", "completion": "x", "passed": "maybe"}\n')
    run_passk("import", "bad.jsonl", "--model", "m", "--benchmark", "b", status=1)
    assert [path.name for path in run_passk.folder.iterdir()] == ["bad.jsonl"]
