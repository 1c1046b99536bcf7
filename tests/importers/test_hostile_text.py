"""Whatever a model wrote comes back from `passk paths` exactly; only what UTF-8 cannot hold becomes U+FFFD."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from backend.store.layout import StoreLayout
from tests.support import Passk, csv_file, imported, jsonl, paths_of, qwen_line, runs_of, with_reader

TEXTS = {
    "empty": "",
    "NUL": "before\x00after\x00",
    "ANSI": "\x1b[31mred\x1b[0m\x1b[2J\x1b[H",
    "OSC 52": "\x1b]52;c;cGFzc3dk\x07\x1b]0;title\x1b\\",
    "C1 controls": "\x85\x9b31m\x9d0;x\x9c",
    "right-to-left override": "abc\u202egnp.exe\u202c \u2066isolate\u2069",
    "Textual markup": "[bold]x[/bold] [/] [@click=app.quit]y[/] [link=x]\\[",
    "LaTeX": r"\boxed{[0,1)} \[ x \] $[a]$ {\bf [x]}",
    "long": "0123456789" * 50_000,
    "CJK and emoji": "数学の問題 👩‍👩‍👧‍👦 🇩🇪 é é",
    "line ends": "a\r\nb\rc\nd\u2028e\u2029f\x0bg\x0ch\n\n",
    "blanks": " \t leading and trailing \t ",
    "BOM": "\ufeffx\ufeff",
    "noncharacters": "\uffff\ufffe\U0010ffff",
    "quotes": "',''\"\"; DROP TABLE outcomes; -- $1 {texts} %s",
}


def test_texts_come_back_exactly(run_passk: Passk) -> None:
    lines = [qwen_line(f"{name}: {text[:50]}", [True], code=[text], idx=name) for name, text in TEXTS.items()]
    jsonl(run_passk.folder / "a.jsonl", lines)
    run_passk("import", "a.jsonl", "--model", "m", "--benchmark", "b")
    for name, text in TEXTS.items():
        if name in ("empty", "NUL", "long", "OSC 52", "line ends", "noncharacters"):
            (path,) = run_passk("paths", "--run", "m@b", "--problem", name).lines
            assert path["text"] == text, name
    store = StoreLayout(run_passk.folder / "store.passk")
    for name, text in TEXTS.items():
        (found,) = paths_of(store, name)
        assert found.text == text, name
        assert found.sample.characters == len(text), name
        problem = with_reader(store, lambda reader, key=found.problem_key: reader.problem(key))
        assert problem.statement == f"{name}: {text[:50]}"


@pytest.mark.parametrize("form", ["jsonl", "csv", "parquet"])
def test_every_kind_of_table_keeps_texts(store: StoreLayout, tmp_path: Path, form: str) -> None:
    path = tmp_path / "a"
    rows = [{"id": name, "text": text, "correct": 1, "answer": text[:9]} for name, text in TEXTS.items()]
    if form == "jsonl":
        jsonl(path, rows)
    elif form == "csv":
        csv_file(path, list(rows[0]), [row.values() for row in rows])
    else:
        pq.write_table(pa.Table.from_pylist(rows), path)
    imported(store, path)
    assert {name: paths_of(store, name)[0].text for name in TEXTS} == TEXTS


def test_lone_surrogates_become_replacement_characters_and_are_reported(run_passk: Passk) -> None:
    line = qwen_line("question \ud800?", [True, False], code=["a\ud83dz", "good \U0001f600"], pred=["\udc00", "x"])
    (run_passk.folder / "a.jsonl").write_text(json.dumps(line) + "\n")
    said = run_passk("import", "a.jsonl", "--model", "m\ud800".encode("utf-8", "replace").decode(), "--benchmark", "b")
    assert "note: 3 strings with lone surrogates, kept as U+FFFD" in said.stderr
    first, second = run_passk("paths", "--run", "m?@b", "--problem", "0").lines
    assert first["text"] == "a\ufffdz"
    assert first["answer"] == "\ufffd"
    assert second["text"] == "good \U0001f600", "a pair of surrogates is one character"


def test_names_with_surrogates(store: StoreLayout, tmp_path: Path) -> None:
    path = jsonl(tmp_path / "a.jsonl", [{"id": "p", "text": "x", "correct": True, "model": "m\ud800", "x\ud800": 1}])
    imported(store, path, model=None)
    again = imported(store, path, model=None)
    assert again.files[0].status == "already imported"
    assert list(runs_of(store)) == ["m\ufffd@b"]


def test_a_file_whose_name_is_not_utf8(run_passk: Passk) -> None:
    name = b"results-\xff.jsonl"
    jsonl(run_passk.folder / "a.jsonl", [qwen_line("A?", [True])])
    try:
        (run_passk.folder / "a.jsonl").rename(Path(str(run_passk.folder)) / name.decode("utf-8", "surrogateescape"))
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    run_passk("import", ".", "--model", "m", "--benchmark", "b")
    (path,) = run_passk("paths", "--run", "m@b", "--problem", "0").lines
    assert path["source"].endswith("results-\ufffd.jsonl")


def test_ids_and_names_with_anything_in_them(store: StoreLayout, tmp_path: Path) -> None:
    names = [text[:100] for text in TEXTS.values() if text.strip()]
    rows = [{"id": name, "text": "x", "correct": True, "model": f"m{name}"} for name in names]
    imported(store, jsonl(tmp_path / "a.jsonl", rows), model=None)
    assert {run.model.name for run in runs_of(store).values()} == {f"m{name}" for name in names}
    for name in names:
        assert len(paths_of(store, name, f"m{name}@b")) == 1
