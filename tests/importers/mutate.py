"""Mutated result files: each is imported whole, or refused with file and reason. `python -m tests.importers.mutate`.

Real files (where ../shared/data is there) and one of every format are cut, flipped, doubled, given values of other
types, huge and deep ones, other encodings and compressions. Whatever an importer raises but a sentence for the person
is a bug, and so is a sentence that says no more than that something was not foreseen.
"""

from __future__ import annotations

import argparse
import gzip
import io
import json
import shutil
import sys
import tempfile
import time
import traceback
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from backend.errors import PasskError
from backend.importers.importing import fill_part
from backend.importers.protocol import Options, Unexpected
from backend.importers.run_spec import RunOptions, RunResolver
from backend.importers.session import ImportSession
from backend.store.layout import StoreLayout
from backend.store.part_writer import PartWriter
from tests.importers import examples
from tests.support import SHARED_DATA

VALUES: tuple[Callable[[Random], Any], ...] = (
    lambda r: None,
    lambda r: r.choice([True, False]),
    lambda r: r.choice([0, 1, -1, 2**31 - 1, 2**31, 2**63, -(2**63) - 1, 10**30, 10**400]),
    lambda r: r.choice([0.0, 0.5, 1.0, -1.5, 1e308, 5e-324, float("nan"), float("inf"), float("-inf")]),
    lambda r: r.choice(["", " ", "C", "1", "true", "nan", "\ud800", "\0", "\x1b[2J", "\u202e", "x" * 50, "é" * 9]),
    lambda r: "huge " * r.choice([10, 100_000]),
    lambda r: [],
    lambda r: {},
    lambda r: [r.choice([None, 1, "a", {}, []]) for _ in range(r.randint(1, 3))],
    lambda r: {r.choice(["value", "text", "content", "a"]): r.choice([None, 1, "a", {}, []])},
)
FIRST_LINES = 8
"""Lines of a real file that are mutated: more of them are more of the same."""


# Values


def _nodes(value: Any, found: list[tuple[Any, Any]]) -> list[tuple[Any, Any]]:
    """Every place in a JSON value, as its container and key."""
    if isinstance(value, dict):
        for key, inner in value.items():
            found.append((value, key))
            _nodes(inner, found)
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            found.append((value, place))
            _nodes(inner, found)
    return found


def change_value(random: Random, value: Any) -> Any:
    """The value with something inside it replaced, removed, renamed, doubled or nested."""
    nodes = _nodes(value, [])
    if not nodes:
        return random.choice(VALUES)(random)
    container, key = random.choice(nodes)
    match random.randrange(7):
        case 0 | 1 | 2:
            container[key] = random.choice(VALUES)(random)
        case 3:
            del container[key]
        case 4 if isinstance(container, dict):
            container[random.choice(["", "id", "x", str(key).upper(), "run", "model", "step"])] = container.pop(key)
        case 5:
            for _ in range(random.choice([1, 3, 900, 1_100, 3_000])):
                container[key] = [container[key]] if random.random() < 0.5 else {"a": container[key]}
        case _ if isinstance(container, list):
            container.extend(container[key : key + 1] * random.randint(1, 3))
        case _:
            container[key] = str(container[key])
    return value


def _dumps(value: Any) -> bytes:
    # Half of all files are written as orjson likes them; lone surrogates must be escaped.
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(20_000)
    try:
        return json.dumps(value).encode()
    finally:
        sys.setrecursionlimit(limit)


def change_json(random: Random, data: bytes) -> bytes:
    """A JSON document, or one line of several, with a value inside it changed."""
    try:
        return _dumps(change_value(random, json.loads(data)))
    except (ValueError, RecursionError):
        pass
    lines = data.splitlines(keepends=True)
    place = random.randrange(len(lines)) if lines else 0
    try:
        lines[place] = _dumps(change_value(random, json.loads(lines[place]))) + b"\n"
    except (ValueError, IndexError, RecursionError):
        return change_bytes(random, data)
    return b"".join(lines)


# Bytes


def _cut(random: Random, data: bytes) -> bytes:
    return data[: random.randrange(len(data) + 1)]


def _flip(random: Random, data: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(random.choice([1, 1, 3, 30])):
        if changed:
            changed[random.randrange(len(changed))] = random.randrange(256)
    return bytes(changed)


def _remove(random: Random, data: bytes) -> bytes:
    start = random.randrange(len(data) + 1)
    return data[:start] + data[start + random.choice([1, 10, 500]) :]


def _insert(random: Random, data: bytes) -> bytes:
    place = random.randrange(len(data) + 1)
    more = [b"\0", b"\n", b"\xff\xfe", b'"', b"{", b"]", b"," * 3, random.randbytes(20), b"[" * 50_000, b"9" * 6_000]
    return data[:place] + random.choice(more) + data[place:]


def _lines(random: Random, data: bytes) -> bytes:
    lines = data.splitlines(keepends=True)
    if lines:
        place = random.randrange(len(lines))
        lines.insert(random.randrange(len(lines) + 1), lines[place])
        if random.random() < 0.5:
            random.shuffle(lines)
    return b"".join(lines)


def _encode(random: Random, data: bytes) -> bytes:
    text = data.decode("utf-8", "replace")
    encoding = random.choice(["latin-1", "utf-16", "utf-32", "utf-8-sig", "utf-7", "cp1252"])
    return (text + "é").encode(encoding, "replace")


def change_bytes(random: Random, data: bytes) -> bytes:
    """The bytes, damaged."""
    return random.choice((_cut, _flip, _flip, _remove, _insert, _lines, _encode))(random, data)


def change_zip(random: Random, data: bytes) -> bytes:
    """An archive with a member changed, doubled, renamed or lost; the archive itself is whole."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        members = source.infolist()
        chosen = random.choice(members).filename
        for info in members:
            name, content = info.filename, source.read(info)
            if name == chosen:
                match random.randrange(5):
                    case 0:
                        continue
                    case 1:
                        name = random.choice(
                            ["../x.json", "/x.json", "samples/x_epoch_1.json", "a\\b", "", "header.json"]
                        )
                    case 2:
                        content = change_bytes(random, content)
                    case _:
                        content = change_json(random, content)
            if name:
                target.writestr(zipfile.ZipInfo(name), content)
    return out.getvalue()


def change_parquet(random: Random, data: bytes) -> bytes:
    """A table with a column of another type, renamed, lost, or with rows doubled; the file itself is whole."""
    table = pq.read_table(io.BytesIO(data))
    column = random.choice(table.column_names)
    place = table.column_names.index(column)
    match random.randrange(5):
        case 0:
            table = table.drop_columns([column])
        case 1:
            table = table.rename_columns(
                [n if n != column else random.choice(["x", "text", "step"]) for n in table.column_names]
            )
        case 2:
            table = pa.concat_tables([table, table])
        case 3:
            table = table.set_column(place, column, pa.nulls(len(table), random.choice([pa.string(), pa.int64()])))
        case _:
            rows = change_value(random, table.column(column).to_pylist())[: len(table)]
            rows += [None] * (len(table) - len(rows))
            try:
                table = table.set_column(place, column, pa.array(rows))
            except (pa.ArrowException, OverflowError, UnicodeError, RecursionError):
                table = table.set_column(
                    place, column, pa.array([str(row) if row else "" for row in rows[:0]] or [""] * len(table))
                )
    out = io.BytesIO()
    pq.write_table(table, out)
    return out.getvalue()


def mutated(random: Random, data: bytes) -> bytes:
    """The file, changed once or twice, and perhaps compressed and then damaged again."""
    for _ in range(random.choice([1, 1, 2])):
        if data.startswith(b"PK\x03\x04") and random.random() < 0.7:
            try:
                data = change_zip(random, data)
            except (zipfile.BadZipFile, zlib.error, OSError, ValueError, IndexError, EOFError, NotImplementedError):
                data = change_bytes(random, data)
        elif data.startswith(b"PAR1") and random.random() < 0.6:
            try:
                data = change_parquet(random, data)
            except (pa.ArrowException, OSError, ValueError, IndexError, MemoryError):
                data = change_bytes(random, data)
        elif random.random() < 0.6:
            data = change_json(random, data)
        else:
            data = change_bytes(random, data)
    packing = random.random()
    if packing < 0.15:
        data = gzip.compress(data, 1)
    elif packing < 0.3:
        data = pa.compress(data, codec="zstd", asbytes=True)
    if packing < 0.3 and random.random() < 0.3:
        data = change_bytes(random, data)
    return data


# Seeds


def seeds(folder: Path) -> dict[str, bytes]:
    """The files that are mutated, small: one of each format, and the beginnings of other people's."""
    found = {name: path.read_bytes() for name, path in examples.each(folder).items()}
    if SHARED_DATA.is_dir():
        for path in sorted(set(SHARED_DATA.rglob("*")) - set((SHARED_DATA / "cases").rglob("*"))):
            if path.suffix == ".jsonl":
                lines = path.read_bytes().splitlines(keepends=True)
                found[f"real {path.parent.name}/{path.name}"] = b"".join(lines[:FIRST_LINES])[:60_000]
            elif path.suffix == ".csv":
                found[f"real {path.name}"] = path.read_bytes()
        found["real gym"] = _small_gym(SHARED_DATA / "reasoning_gym_llama3b" / "llama3b_step400_aime24.json")
        found["real inspect"] = _small_eval(SHARED_DATA / "inspect" / "mmlu_gpt4.eval")
    return found


def _small_gym(path: Path) -> bytes:
    data = json.loads(path.read_bytes())
    for category in data["categories"]:
        for dataset in category["datasets"]:
            dataset["results"] = dataset["results"][:2]
            for result in dataset["results"]:
                result["completions"] = result["completions"][:2]
    return json.dumps(data).encode()


def _small_eval(path: Path) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        for name in ("_journal/start.json", "samples/1_epoch_1.json", "samples/2_epoch_1.json", "header.json"):
            target.writestr(name, source.read(name))
    return out.getvalue()


# The check


class Wrong(AssertionError):
    """A file that was neither imported whole nor refused with file and reason."""


def check(path: Path, folder: Path) -> str:
    """Import one file into a part of its own: "imported" or "refused".

    Raises:
        Wrong: neither.
    """
    shutil.rmtree(folder, ignore_errors=True)
    options = RunOptions(benchmark="b") if path.stat().st_size % 5 == 0 else RunOptions(model="m", benchmark="b")
    session = ImportSession(RunResolver(options, []), Options(), {}, None, lambda *_: None)
    layout = StoreLayout(folder)
    manifest = None
    try:
        with PartWriter(layout, "import", name="part") as part:
            runs = fill_part(part, session, [(path, True)])
            if runs:
                manifest = part.publish(runs=runs)
        report = session.report(dry_run=False, part="part")
    except Unexpected as error:
        raise Wrong(f"not foreseen: {error.__cause__!r}") from error
    except PasskError as error:
        if str(path) not in str(error):
            raise Wrong(f"which file? {error}") from error
        if not (error.detail or error.title.rpartition(str(path))[2].strip(" :,")):
            raise Wrong(f"why? {error}") from error
        return "refused"
    except Exception as error:
        raise Wrong(repr(error)) from error
    if manifest is None:
        raise Wrong("neither imported nor refused")
    outcomes = layout.parts / "part" / "outcomes.parquet"
    written = pq.read_table(outcomes, columns=["sample"]).num_rows if outcomes.exists() else 0
    counts = sum(run.samples for run in report.runs if run.counts_only)
    if written + counts != sum(run.samples for run in report.runs) or written != manifest.outcomes:
        raise Wrong(f"{written} samples written, {manifest.outcomes} in the manifest")
    return "imported"


def main() -> int:
    """See --help."""
    parser = argparse.ArgumentParser(prog="python -m tests.importers.mutate", description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, default=10_000, help="how many (default: 10,000)")
    parser.add_argument("--seed", type=int, default=0, help="of the first file; the others follow")
    parser.add_argument("--keep", type=Path, help="folder for the files that are wrong")
    arguments = parser.parse_args()
    outcomes: Counter[str] = Counter()
    slowest = 0.0, ""
    with tempfile.TemporaryDirectory(prefix="passk-mutate-") as name:
        folder = Path(name)
        (folder / "seeds").mkdir()
        found = seeds(folder / "seeds")
        names = sorted(found)
        for number in range(arguments.seed, arguments.seed + arguments.files):
            random = Random(number)
            seed = names[number % len(names)]
            path = folder / "file"
            path.write_bytes(mutated(random, found[seed]))
            started = time.monotonic()
            try:
                outcomes[check(path, folder / "part")] += 1
            except Wrong as error:
                outcomes["wrong"] += 1
                print(f"{number} ({seed}): {error}", flush=True)
                if arguments.keep:
                    arguments.keep.mkdir(parents=True, exist_ok=True)
                    shutil.copy(path, arguments.keep / str(number))
                    cause = error.__cause__
                    while cause is not None and cause.__cause__ is not None:
                        cause = cause.__cause__
                    (arguments.keep / f"{number}.txt").write_text("".join(traceback.format_exception(cause)))
            slowest = max(slowest, (time.monotonic() - started, f"{number} ({seed})"))
    print(f"{dict(outcomes)} of {len(names)} seeds; slowest {slowest[1]}: {slowest[0]:.1f} s")
    return int(outcomes["wrong"] > 0)


if __name__ == "__main__":
    sys.exit(main())
