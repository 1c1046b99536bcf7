"""A mapping for a file that nobody recognises: a SELECT that works with `--select`, as far as its keys are known.

The types that DuckDB sees are searched for the names that the long form knows: first the columns, then what lies inside
of objects, then inside of lists, which become a row an entry. What comes out is tried on the file before it is shown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from backend.errors import PasskError
from backend.importers.mapping import Select, SelectedRows, holds_lists, quoted_name
from backend.importers.protocol import Importer, Notes, Options
from backend.importers.source import SourceFile
from backend.importers.tables import COUNT_FIELDS, PROBLEM_FIELDS, RUN_FIELDS, SAMPLE_FIELDS

LARGEST = 256 << 20
"""Files beyond this many bytes get the long form's line alone: trying a statement reads them."""
TRIED = 64
"""Blocks that are made of the file to see that a statement works."""
DEEPEST = 4

WANTED = {
    "problem": PROBLEM_FIELDS["problem"],
    "statement": (*PROBLEM_FIELDS["statement"], "messages", "instruction", "raw", "user_prompt", "input_prompt"),
    "text": (
        *SAMPLE_FIELDS["text"], "generated_text", "generated", "answer_text", "model_response", "prediction", "sample",
        "solution", "output_response", "content", "raw_output", "full_response", "assistant",
    ),
    "verdict": (
        *SAMPLE_FIELDS["verdict"], "label", "success", "ok", "is_solved", "solved", "right", "exact_match", "pass",
    ),
    "reference": SAMPLE_FIELDS["reference"],
    "answer": SAMPLE_FIELDS["answer"],
    "tokens": SAMPLE_FIELDS["tokens"],
    "finish_reason": SAMPLE_FIELDS["finish_reason"],
    "index": SAMPLE_FIELDS["index"],
    "seed": SAMPLE_FIELDS["seed"],
    "level": PROBLEM_FIELDS["level"],
    "model": RUN_FIELDS["model"],
    "step": RUN_FIELDS["step"],
    "benchmark": RUN_FIELDS["benchmark"],
    "n": COUNT_FIELDS["n"],
    "c": tuple(name for name in COUNT_FIELDS["c"] if name != "correct"),
}  # fmt: skip
"""Field of the long form -> names that are looked for, those of other tools among them."""
ROW = "row_of_file"
WHOLE = ("n", "c", "tokens", "index", "seed", "step")


def names_of(name: str) -> Iterator[str]:
    """A name as it is looked for: in lower case, in the singular, without what is often put before it."""
    plain = name.casefold().replace("-", "_").replace(" ", "_")
    yield from (plain, plain.removesuffix("s"), plain.removesuffix("es"), plain.removesuffix("_list"))
    for prefix in ("correctness", "is_correct", "n_correct", "num_correct"):
        if plain.startswith(prefix):
            yield "correct" if not prefix.startswith("n") else prefix


@dataclass(slots=True)
class _Draft:
    """A statement that is being put together."""

    unnested: list[str] = field(default_factory=list)
    """Lists of objects that become an object a row, from outside in."""
    rows_counted_at: int | None = None
    """After how many of them rows are numbered, where the number stands for the problem."""
    taken: dict[str, str] = field(default_factory=dict)
    """Field -> expression."""
    notes: list[str] = field(default_factory=list)

    def sql(self) -> str:
        """The statement as it is shown."""
        remarks = [f"-- {note}" for note in self.notes]
        columns = ",\n".join(f"    {expression} AS {name}" for name, expression in self.taken.items())
        return "\n".join([*remarks, "SELECT", columns, f"FROM {self._relation()}"])

    def _relation(self) -> str:
        inside = "source"
        for place, expression in enumerate([*self.unnested, ""]):
            if place == self.rows_counted_at:
                inside = _inner(f"row_number() OVER () AS {ROW}, *", inside)
            if expression:
                inside = _inner(f"*, unnest({expression}) AS item{place + 1}", inside)
        return inside


def _inner(columns: str, relation: str) -> str:
    return " ".join(("(SELECT", columns, "FROM", f"{relation})"))


@dataclass(frozen=True, slots=True)
class _Leaf:
    """A value somewhere in a row."""

    name: str
    expression: str
    kind: Any
    depth: int


def _leaves(columns: Mapping[str, Any], owner: str = "", depth: int = 0) -> Iterator[_Leaf]:
    """Every value of a row, level by level; what is inside of lists is not entered."""
    inside: list[tuple[str, Any]] = []
    for name, kind in columns.items():
        expression = f"{owner}{quoted_name(name)}"
        yield _Leaf(name, expression, kind, depth)
        if kind.id == "struct":
            inside.append((expression, kind))
    if depth < DEEPEST:
        for expression, kind in inside:
            yield from _leaves(dict(kind.children), f"{expression}.", depth + 1)


def _is_messages(kind: Any) -> bool:
    if kind.id == "list":
        kind = kind.children[0][1]
    names = {name for name, _ in kind.children} if kind.id == "struct" else set()
    return {"role", "content"} <= names


def _fits(name: str, kind: Any) -> bool:
    """Whether values of a type can be those of a field."""
    if name in ("statement", "text") and _is_messages(kind):
        return True
    if holds_lists(kind):
        return False
    if name == "text":
        return bool(kind.id == "varchar")
    return name not in WHOLE or kind.id != "boolean"


def _find(draft: _Draft, leaves: list[_Leaf], wanted: Mapping[str, tuple[str, ...]], wrap: str = "{}") -> None:
    """Take the first leaf for each field that is still wanted, the most usual name first."""
    used = set(draft.taken.values())
    for name, spellings in wanted.items():
        if name in draft.taken:
            continue
        for spelling in spellings:
            found = next(
                (
                    leaf
                    for leaf in sorted(leaves, key=lambda leaf: leaf.depth)
                    if spelling in names_of(leaf.name) and wrap.format(leaf.expression) not in used
                    and _fits(name, leaf.kind)
                ),
                None,
            )  # fmt: skip
            if found is not None:
                draft.taken[name] = wrap.format(found.expression)
                used.add(draft.taken[name])
                break


def _lists(leaves: list[_Leaf]) -> list[_Leaf]:
    return [leaf for leaf in leaves if leaf.kind.id == "list" and not _is_messages(leaf.kind)]


def _draft(columns: Mapping[str, Any]) -> _Draft:
    draft, owner = _Draft(), ""
    around: dict[str, str] = {}
    """What is said of the problem around the objects that are looked into."""
    for depth in range(DEEPEST):
        leaves = list(_leaves(columns, owner))
        lists = _lists(leaves)
        # Where there are lists too, only what is surely a response goes before them.
        wanted = {**WANTED, "text": SAMPLE_FIELDS["text"]} if lists else WANTED
        _find(draft, leaves, wanted)
        draft.taken = {**around, **draft.taken}
        if "text" in draft.taken or {"n", "c"} <= draft.taken.keys():
            return draft
        # Lists of values beside each other, an entry a sample.
        flat = [_Leaf(leaf.name, leaf.expression, leaf.kind.children[0][1], leaf.depth) for leaf in lists]
        _find(draft, flat, {"text": WANTED["text"]}, "unnest({})")
        if "text" in draft.taken:
            for name in (name for name in SAMPLE if name not in ("text", "reference")):
                draft.taken.pop(name, None)
            texts = draft.taken["text"].removeprefix("unnest(").removesuffix(")")
            as_long = (
                f"unnest(CASE WHEN len({{0}}) <> len({texts}) THEN error('lists of unequal length') ELSE {{0}} END)"
            )
            _find(draft, flat, {name: WANTED[name] for name in SAMPLE}, as_long)
            return draft
        # Lists of objects: an object a row, and once more.
        objects = [leaf for leaf in lists if leaf.kind.children[0][1].id == "struct"]
        best = max(objects, key=lambda leaf: _promise(leaf.kind.children[0][1]), default=None)
        if best is None or not _promise(best.kind.children[0][1]):
            break
        draft.unnested.append(best.expression)
        # What an object inside says goes before what is said around it.
        around = {name: value for name, value in draft.taken.items() if name not in SAMPLE or name == "reference"}
        draft.taken = {}
        columns, owner = dict(best.kind.children[0][1].children), f"item{depth + 1}."
    _find(draft, list(_leaves(columns, owner)), {"text": WANTED["text"]})
    return draft


SAMPLE = ("text", "verdict", "answer", "tokens", "finish_reason", "index", "seed", "reference")


def _promise(kind: Any) -> int:
    """How many fields of a sample or problem objects of a type hold, at any depth."""
    found = 0
    for name, inner in kind.children:
        found += sum(any(spelling in names_of(name) for spelling in spellings) for spellings in WANTED.values())
        if inner.id == "list" and inner.children[0][1].id == "struct":
            inner = inner.children[0][1]
        if inner.id == "struct":
            found += _promise(inner)
    return found


def _complete(draft: _Draft, columns: Mapping[str, Any], *, one_row: bool) -> _Draft | None:
    """The draft with what a table of samples cannot be without; None where nothing can stand for it."""
    if {"n", "c"} <= draft.taken.keys():
        draft.taken = {name: value for name, value in draft.taken.items() if name not in SAMPLE}
    else:
        for name in ("n", "c"):
            draft.taken.pop(name, None)
        if not {"text", "verdict"} & draft.taken.keys():
            used = set(draft.taken.values())
            free = (leaf for leaf in _leaves(columns) if leaf.kind.id == "varchar" and leaf.expression not in used)
            text = next(free, None)
            if text is None or draft.unnested:
                return None
            draft.taken["text"] = text.expression
            draft.notes.append(f"No key looks like a response. {text.name} stands for it: put the right one there.")
    if not {"problem", "statement"} & draft.taken.keys():
        # A row is a problem, and its samples are unnested from it; but a file of one row is a list of problems.
        draft.rows_counted_at = 1 if one_row and draft.unnested else 0
        draft.taken["problem"] = ROW
        draft.notes.append("No key looks like a problem. Its row stands for it: put the right one there.")
    draft.taken = {name: draft.taken[name] for name in WANTED if name in draft.taken}
    return draft


def suggest_mapping(source: SourceFile, tables: list[Importer]) -> str | None:
    """A statement for `--select` that works on this file; None where DuckDB makes no table of it, or nothing fits.

    Args:
        tables: the importers that read tables.
    """
    try:
        if source.local.stat().st_size > LARGEST or (b"\0" in source.head and not source.is_parquet):
            return None
        opened = SelectedRows(source, None)
        columns = opened.source_columns
        if len(columns) < 2 and not any(map(holds_lists, columns.values())):
            return None  # lines of text, which are a table of one column to DuckDB
        draft = _complete(_draft(columns), columns, one_row=opened.holds_one_row())
    except (PasskError, OSError):
        return None
    if draft is None:
        return None
    for left_out in ((), ("verdict",), ("verdict", "answer", "tokens", "index", "seed", "step", "reference", "level")):
        for name in left_out:
            if name in draft.taken:
                expression = draft.taken.pop(name)
                draft.notes.append(f"{expression} is no {name} as it is.")
        if works(source, draft.sql(), tables):
            return draft.sql()
    return None


def works(source: SourceFile, sql: str, tables: list[Importer]) -> bool:
    """Whether a statement makes samples or counts of the beginning of a file."""
    tried, options = SourceFile(source.path, select=Select(sql)), Options()
    try:
        table = next((table for table in tables if table.recognise(tried, options)), None)
        return table is not None and bool(list(islice(table.read(tried, options, Notes()), TRIED)))
    except (PasskError, ValueError):
        return False
