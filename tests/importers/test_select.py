"""`--select`: a SELECT makes rows of the long form of any file; and what a refusal suggests works when it is used."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from backend import Options, RunOptions, import_files
from backend.errors import InputError, PasskError, UsageError
from backend.importers.discovery import not_recognised
from backend.importers.mapping import Select
from backend.importers.source import SourceFile
from backend.records.imports import ImportReport
from backend.store.layout import StoreLayout
from tests.importers import examples as made
from tests.support import Passk, csv_file, jsonl, paths_of, runs_of, totals, verdicts

NESTED: list[dict[str, Any]] = [
    {
        "q": {"key": "a", "asked": "1+1?", "on": "2024-01-01"},
        "tries": [{"said": "2", "good": 1}, {"said": "3", "good": 0}],
    },
    {"q": {"key": "b", "asked": "2+2?", "on": "2024-01-02"}, "tries": [{"said": "4", "good": 1}]},
]
STATEMENT = """
SELECT q.key AS problem, q.asked AS statement, q.on AS reference, try.said AS text, try.good AS verdict
FROM (SELECT *, unnest(tries) AS try FROM source)
"""


def selected(store: StoreLayout, path: Path, sql: str, **said: Any) -> ImportReport:
    options = Options(select=Select(sql, "mapping.sql"))
    return import_files(store, [path], run_options=RunOptions(model="m", benchmark="b", **said), options=options)


@pytest.mark.parametrize("form", ["jsonl", "json", "parquet", "gz"])
def test_nested_rows_of_any_form(store: StoreLayout, tmp_path: Path, form: str) -> None:
    path = tmp_path / "file"
    if form == "parquet":
        made.parquet_file(path, NESTED)
    elif form == "json":
        made.json_file(path, NESTED, indent=2)
    else:
        jsonl(path, NESTED)
        if form == "gz":
            path.write_bytes(pa.compress(path.read_bytes(), codec="gzip", asbytes=True))
    selected(store, path, STATEMENT)
    assert totals(runs_of(store)["m@b"]) == (2, 3, 2)
    assert verdicts(store, "a") == ["correct", "wrong"]
    (first, _) = paths_of(store, "a")
    assert first.text == "2"


def test_text_that_looks_like_a_date_or_a_number_stays_as_it_is(store: StoreLayout, tmp_path: Path) -> None:
    rows = [{"id": "007", "made": "2024-01-01", "uid": "550E8400-E29B-41D4-A716-446655440000", "t": "x"}]
    for name, path in (
        ("jsonl", jsonl(tmp_path / "a.jsonl", rows)),
        ("csv", csv_file(tmp_path / "a.csv", list(rows[0]), [rows[0].values()])),
    ):
        layout = StoreLayout(tmp_path / f"{name}.passk")
        selected(layout, path, "SELECT id AS problem, uid || ' ' || made AS text FROM source")
        (found,) = paths_of(layout, "007")
        assert found.text == "550E8400-E29B-41D4-A716-446655440000 2024-01-01"


def test_counts_and_messages(store: StoreLayout, tmp_path: Path) -> None:
    path = jsonl(tmp_path / "a.jsonl", [{"task": "t1", "hits": [1, 0, 1]}, {"task": "t2", "hits": [0, 0, 0]}])
    selected(store, path, "SELECT task AS problem, len(hits) AS n, list_sum(hits) AS c FROM source")
    assert totals(runs_of(store)["m@b"]) == (2, 6, 2)
    chat = [{"role": "user", "content": "Why?"}], [{"role": "assistant", "content": "Because."}]
    other = jsonl(tmp_path / "b.jsonl", [{"id": 1, "asked": chat[0], "said": chat[1]}])
    selected(store, other, "SELECT id AS problem, asked AS statement, said AS text FROM source", run="chat")
    (found,) = paths_of(store, "1", "chat")
    assert found.text == "Because."


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("SELECT q.key AS problem,\n  foo AS text\nFROM source", r"mapping\.sql, line 2, column 3: .*foo"),
        ("SELECT q.key AS problem\nFROM FROM", r"mapping\.sql, line 2, column 6: syntax error"),
        ("SELECT 1 AS problem; SELECT 2", "one SELECT is expected, found 2 statements"),
        ("", "one SELECT is expected, found no statement"),
        ("COPY (SELECT 1) TO '{path}'", "one SELECT is expected, found COPY"),
        ("ATTACH '{path}.db'", "one SELECT is expected, found ATTACH"),
        ("SET memory_limit = '90GB'", "one SELECT is expected, found SET"),
        ("SELECT content AS text, 1 AS problem FROM read_text('/etc/passwd')", "Cannot access file"),
        ("SELECT * FROM '{path}.other'", "does not exist"),
        ("SELECT * FROM NESTED", "does not exist"),
        ("SELECT q.key AS problem, tries AS text FROM source", "column text holds lists or objects"),
        ("SELECT q.key AS problem, q AS text FROM source", "column text holds lists or objects"),
        ("SELECT q.key AS name FROM source", "makes no samples"),
        ("SELECT q.key AS problem, 'x' AS text FROM source WHERE false", "holds no samples"),
        ("SELECT q.key AS problem, q.key AS problem, 'x' AS text FROM source", "two columns are called problem"),
        ("SELECT q.key AS problem, 85 AS verdict FROM source", "85 is no verdict"),
        (
            "SELECT q.key AS problem, CAST(q.asked AS INT) AS verdict FROM source",
            r"mapping\.sql: Could not convert",
        ),
        ("SELECT 1 AS problem, error('stop') AS text FROM source", r"mapping\.sql: stop"),
    ],
)
def test_what_is_wrong_with_a_statement_is_said_and_where(
    store: StoreLayout, tmp_path: Path, sql: str, said: str
) -> None:
    path = jsonl(tmp_path / "a.jsonl", NESTED)
    before = path.read_bytes()
    with pytest.raises(PasskError, match=said) as caught:
        selected(store, path, sql.format(path=path) if "{path}" in sql else sql)
    assert str(path) in str(caught.value) or str(caught.value).startswith("mapping.sql: ")
    assert path.read_bytes() == before
    assert sorted(entry.name for entry in tmp_path.iterdir() if entry.suffix == ".db") == []
    assert runs_of(store) == {}


def test_a_damaged_file_is_refused_not_padded(store: StoreLayout, tmp_path: Path) -> None:
    path = jsonl(tmp_path / "a.jsonl", NESTED)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(InputError, match=r"a\.jsonl: DuckDB cannot read it: Malformed JSON"):
        selected(store, path, STATEMENT)


def test_a_statement_that_never_ends_is_stopped(
    store: StoreLayout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backend.importers.mapping.LEAST_SECONDS", 0.3)
    path = jsonl(tmp_path / "a.jsonl", NESTED)
    endless = "SELECT count(*) AS problem, 'x' AS text FROM range(1000000000) a, range(1000000000) b, source"
    with pytest.raises(InputError, match=r"mapping\.sql takes too long"):
        selected(store, path, endless)


def test_the_command_reads_the_statement_from_a_file(run_passk: Passk) -> None:
    jsonl(run_passk.folder / "a.jsonl", NESTED)
    (run_passk.folder / "mapping.sql").write_text(STATEMENT)
    said = run_passk(
        "import", "a.jsonl", "--select", "mapping.sql", "--model", "m", "--benchmark", "b", "--store", "s.passk"
    ).stderr
    assert "2 problems, 3 samples" in said
    said = run_passk("import", "a.jsonl", "--select", "no.sql", "--store", "s.passk", status=1).stderr
    assert "no.sql" in said


# What a refusal suggests

PASSED = {"output": "a", "passed": True}, {"output": "b", "passed": False}
SCORED = {"text": "x", "score": 1.0}, {"text": "y", "score": 0.0}
UNKNOWN: dict[str, tuple[Any, tuple[int, int, int]]] = {
    "lists of objects in rows": ([{"case": i, "attempts": PASSED} for i in "ab"], (2, 4, 2)),
    "a document of rows": (
        {
            "config": {"k": 3},
            "rows": [{"question": "1?", "reply": {"response": "2"}, "correct": i == 1} for i in (1, 2)],
        },
        (1, 2, 1),
    ),
    "twice nested": ({"runs": [{"question": f"{i}?", "samples": SCORED} for i in (1, 2)]}, (2, 4, 2)),
    "a document of rows without a problem": ({"results": [{"output": "x", "label": True}] * 3}, (3, 3, 3)),
    "lists beside each other": (
        [{"qid": 1, "outputs_text": ["a"], "meta": {"question": "q?"}, "outputs": ["a", "b"], "rewards": [1.0, 0.0]}],
        (1, 2, 1),
    ),
    "objects in objects": (
        [
            {"in": {"prompt": f"{i}?"}, "out": {"completion": "x", "n": [1]}, "judge": {"passed": i == 1}}
            for i in (1, 2)
        ],
        (2, 2, 1),
    ),
    "rewards of another scale": ([{"in": {"prompt": "p?"}, "out": {"text": "x"}, "judge": {"score": 85}}], (1, 1, 0)),
    "nothing known": ([{"alpha": a, "beta": {"gamma": "y"}} for a in "xz"], (2, 2, 0)),
}


def suggested(path: Path) -> str:
    said = str(not_recognised(SourceFile(path)))
    assert '{"problem": "p1"' in said, "the line of the long form is always named"
    lines = said.splitlines()
    start = next(i for i, line in enumerate(lines) if "--select mapping.sql" in line) + 1
    return "\n".join(lines[start:])


@pytest.mark.parametrize("name", UNKNOWN)
def test_the_suggested_mapping_works_as_it_is(store: StoreLayout, tmp_path: Path, name: str) -> None:
    rows, wanted = UNKNOWN[name]
    path = jsonl(tmp_path / "a.jsonl", rows) if isinstance(rows, list) else made.json_file(tmp_path / "a.json", rows)
    with pytest.raises(InputError, match="not recognised") as caught:
        import_files(store, [path], run_options=RunOptions(model="m", benchmark="b"))
    sql = suggested(path)
    assert str(caught.value).endswith(sql)
    selected(store, path, sql)
    assert totals(runs_of(store)["m@b"]) == wanted, sql


def test_the_suggested_mapping_pads_no_list(store: StoreLayout, tmp_path: Path) -> None:
    rows = [{"x": {"question": "q?"}, "outputs": ["a", "b"], "rewards": [1.0, 0.0]}]
    sql = suggested(jsonl(tmp_path / "a.jsonl", rows))
    rows[0]["rewards"] = [1.0]
    with pytest.raises(UsageError, match="lists of unequal length"):
        selected(store, jsonl(tmp_path / "b.jsonl", rows), sql)


def test_a_refusal_names_the_columns_that_hold_lists_and_advises_what_helps(store: StoreLayout, tmp_path: Path) -> None:
    path = jsonl(tmp_path / "a.jsonl", [{"x": {"question": "q?"}, "outputs": ["a", "b"], "rewards": [1.0, 0.0]}])
    said = str(not_recognised(SourceFile(path)))
    assert "x holds objects." in said
    assert "outputs holds lists." in said
    assert "--column" not in said, "no column of single values could be named"


@pytest.mark.parametrize(
    "content", [b"step 1\nstep 2\n", b"\x89PNG\r\n\0\0", b"", b'{"a": [1, 2', b"# Title, by me\n\nA text\n"]
)
def test_what_is_no_table_gets_the_line_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    said = str(not_recognised(SourceFile(path)))
    line = next(line for line in said.splitlines() if "long form" in line and '{"' in line)
    json.loads(line[line.index("{") :])
    assert "SELECT" not in said
