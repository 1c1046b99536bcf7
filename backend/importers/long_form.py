"""Which columns of a table of samples hold what, and what passk's own exports add to them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from math import isfinite
from typing import Any

from backend.errors import UsageError, suggestion
from backend.importers.blocks import FAILED
from backend.importers.chat import THINKING, are_messages, completion_text, prompt_text
from backend.importers.prompts import PromptReader, some_prompts, some_records
from backend.importers.protocol import Block, Counts, Notes, Options, ProblemFacts, RunFacts
from backend.importers.source import SourceFile, input_error
from backend.importers.tables import (
    PARAMETERS,
    PROBLEM_FIELDS,
    RUN_FIELDS,
    SAMPLE_FIELDS,
    column_names,
    constant_columns,
    first_values,
    map_columns,
    move_statement,
    read_rows,
)
from backend.importers.values import (
    ANOTHER_SCALE,
    WANTED,
    NotAVerdict,
    as_text,
    as_they_are,
    count,
    image_names,
    integer,
    kind_of_value,
    option_texts,
    parameter,
    parse_correct,
    plain_value,
    refine_verdict,
    shortened,
)
from backend.records import VERDICTS

# Which columns of a table of samples hold what, and what passk's own exports add to them.

EXPORTED = {"position": ("position",), "parameters": ("parameters",)}
"""Columns of passk's own exports: the problem's place in its benchmark; further sampling parameters as JSON text."""
WHERE_FROM = ("export", "source", "format", "source_row")
"""Columns of passk's own exports that say where a row was before; they are not kept, and that goes without saying."""
OF_RUN = (*RUN_FIELDS, *PARAMETERS, "parameters")
PROMPTS = ("prompt", "input", "query")
"""Columns that hold what a model was given, template and all."""
ASKED = ("context", "options", "images", "tests")
FIELDS = {**RUN_FIELDS, **PROBLEM_FIELDS, **SAMPLE_FIELDS, **{name: (name,) for name in PARAMETERS}, **EXPORTED}


def table_columns(source: SourceFile, options: Options) -> dict[str, str] | None:
    """Field -> column; None when the file is not a table of samples."""
    present = column_names(source)
    if present is None:
        return None
    mapping = map_columns(present, FIELDS, options.columns, extra_allowed=True)
    move_statement(source, mapping, present, options.columns)
    if "parameters" in mapping and "parameters" not in options.columns:
        # Other people's column of that name may be an object: then it is one that is not kept.
        values = first_values(source, [mapping["parameters"]])
        if values and not isinstance(values[0], str | None):
            del mapping["parameters"]
    return mapping


# Long form: one sample a row, in jsonl, csv or Parquet, with columns of usual names or named by the user.

_KNOWN = frozenset(VERDICTS)
MESSAGES = ("statement", "text")
"""Fields that may come as chat messages."""
BUFFERED = 4_096
"""Rows that are gathered into blocks at a time: samples of a problem need not follow each other."""


class LongForm:
    name = "long-form"
    title = "long form: one sample a row (jsonl, csv, Parquet)"

    def recognise(self, source: SourceFile, options: Options) -> bool:
        """A problem and a text or verdict in every row, none of them a list but chat messages."""
        mapping = table_columns(source, options)
        if mapping is None or not ({"problem", "statement"} & mapping.keys()):
            return False
        if not ({"text", "verdict"} & mapping.keys()):
            return False
        fields = [field for field in ("problem", "statement", "text", "verdict") if field in mapping]
        values = first_values(source, [mapping[field] for field in fields])
        return not any(
            isinstance(value, list | dict) and not (field in MESSAGES and are_messages(value))
            for field, value in zip(fields, values, strict=False)
        )

    def read(self, source: SourceFile, options: Options, notes: Notes) -> Iterator[Block | Counts]:
        """Samples, gathered by problem within some thousand rows."""
        mapping = table_columns(source, options) or {}
        for field, column in options.columns.items():
            if field not in FIELDS:
                raise UsageError(
                    f"--column {field}={column}: unknown field",
                    next_step=suggestion(field, list(FIELDS), "field"),
                )
        present = column_names(source) or []
        mapping = _with_reference(source, mapping, options, notes)
        notes.columns |= {name: "" for name in present} | {column: field for field, column in mapping.items()}
        own = {"position", "parameters"} <= mapping.keys()
        nothing = [column for column, value in constant_columns(source).items() if value is None] if own else []
        known = (*WHERE_FROM, *nothing) if own else ()
        for column in sorted(set(present).difference(mapping.values(), known)):
            notes.add(f"columns not kept: {column}")
        yield from _Gatherer(source, mapping, notes).blocks()


ROWS_LOOKED_AT = 8_192


def _with_reference(source: SourceFile, mapping: dict[str, str], options: Options, notes: Notes) -> dict[str, str]:
    """The columns with the reference answer among them, where it stands under a name that a model's answer may have.

    A column that says the same of every sample of a problem, while some are correct and some are not, is no model's
    answer. The name `answer` is used for both, so there it is enough that the responses differ.
    """
    column = mapping.get("answer")
    if column is None or "reference" in mapping or column in options.columns.values():
        return mapping
    by = [field for field in ("problem", "statement") if field in mapping]
    beside = [field for field in ("verdict", "text") if field in mapping]
    rows = read_rows(source, [mapping[field] for field in (*by, "answer", *beside)])
    seen: dict[str, list[set[str]]] = {}
    for _, values in islice(rows, ROWS_LOOKED_AT):
        said = seen.setdefault(repr(values[: len(by)]), [set() for _ in range(1 + len(beside))])
        for known, value in zip(said, values[len(by) :], strict=True):
            known.add(repr(value))
        if len(said[0]) > 1:
            break  # a model's answers, as they mostly are
    source.bytes_read = 0
    constant = all(len(answers) == 1 for answers, *_ in seen.values())
    told = len(beside) if column == "answer" else int("verdict" in beside)
    varies = any(len(known) > 1 for _, *others in seen.values() for known in others[:told])
    if not (constant and varies) or all(answers <= {"None", "''"} for answers, *_ in seen.values()):
        return mapping
    notes.add(
        f"files whose column {column} is the same for all samples of a problem: taken for the reference answer; "
        f"--column answer={column} takes it for the model's"
    )
    return {field: name for field, name in mapping.items() if field != "answer"} | {"reference": column}


@dataclass(slots=True)
class _Problem:
    facts: ProblemFacts
    run: RunFacts


class _Gatherer:
    """Turns rows into blocks."""

    def __init__(self, source: SourceFile, mapping: Mapping[str, str], notes: Notes) -> None:
        self.source = source
        self.notes = notes
        constant = constant_columns(source)
        self.constants = {
            field: constant[column] for field, column in mapping.items() if column in constant and field in OF_RUN
        }
        """Fields of the run that are the same in every row, as the file itself says."""
        self.fields = [field for field in mapping if field not in self.constants]
        self.columns = [mapping[field] for field in self.fields]
        self.place = {field: index for index, field in enumerate(self.fields)}
        self.column_of = dict(mapping)
        self.run_places = [self.place[f] for f in OF_RUN if f in self.place]
        self.problem_places = [self.place[f] for f in ("problem", "statement") if f in self.place]
        # Where there are no ids, one question with two references is two problems.
        more = ASKED if "problem" in self.place else (*ASKED, "reference")
        self.asked = [(f, self.place[f]) for f in more if f in self.place and "statement" in self.place]
        self.runs: dict[tuple[Any, ...], RunFacts] = {}
        column = mapping.get("statement")
        self.prompts = PromptReader(self._some(column), notes) if column in PROMPTS else None
        """Where the statement comes as the model was given it."""
        self.problems: dict[tuple[Any, ...], _Problem] = {}
        self.positions: dict[tuple[Any, ...], int] = {}

    def _some(self, column: str) -> Iterator[str]:
        if self.source.first_object is not None:
            return some_prompts(some_records(self.source), column)
        rows = islice(read_rows(self.source, [column]), BUFFERED)
        return some_prompts(({column: value} for _, (value,) in rows), column)

    def blocks(self) -> Iterator[Block]:
        buffer: list[tuple[int, Sequence[Any]]] = []
        for entry in self._rows():
            buffer.append(entry)
            if len(buffer) >= BUFFERED:
                yield from self._gather(buffer)
                buffer = []
        yield from self._gather(buffer)

    def _rows(self) -> Iterator[tuple[int, Sequence[Any]]]:
        """Rows in which chat messages have become text."""
        places = [self.place[field] for field in MESSAGES if field in self.place]
        for row, values in read_rows(self.source, self.columns):
            for place in places:
                if isinstance(values[place], (list, dict)):
                    values = [self._text_of(at, value) for at, value in enumerate(values)]
                    break
            yield row, values

    def _text_of(self, place: int, value: Any) -> Any:
        field = self.fields[place]
        if field not in MESSAGES or not are_messages(value):
            return value
        if field == "statement":
            return prompt_text(value)
        text, thought = completion_text(value)
        if thought:
            self.notes.add(THINKING)
        if text is None:
            self.notes.add("responses without a message of the assistant")
        return text

    def _gather(self, buffer: list[tuple[int, Sequence[Any]]]) -> Iterator[Block]:
        groups: dict[tuple[Any, ...], list[tuple[int, Sequence[Any]]]] = {}
        run_places, problem_places = self.run_places, self.problem_places
        for entry in buffer:
            values = entry[1]
            key = (*[values[p] for p in run_places], *[values[p] for p in problem_places])
            if self.asked:
                key += tuple(_asked(field, values[place]) for field, place in self.asked)
            try:
                group = groups.get(key)
            except TypeError:
                raise self._unhashable(entry) from None
            if group is None:
                groups[key] = [entry]
            else:
                group.append(entry)
        for key, group in groups.items():
            yield self._block(key, group)

    def _unhashable(self, entry: tuple[int, Sequence[Any]]) -> Exception:
        row, values = entry
        for place in (*self.run_places, *self.problem_places):
            if isinstance(values[place], list | dict):
                column = self.columns[place]
                return input_error(
                    self.source, row, f"field {column}: expected a single value, found {kind_of_value(values[place])}"
                )
        return input_error(self.source, row, "a value cannot be read")

    def _column(self, group: list[tuple[int, Sequence[Any]]], field: str) -> list[Any] | None:
        place = self.place.get(field)
        return None if place is None else [values[place] for _, values in group]

    def _block(self, key: tuple[Any, ...], group: list[tuple[int, Sequence[Any]]]) -> Block:
        problem = self.problems.get(key)
        if problem is None:
            problem = self.problems[key] = self._problem(key, *group[0])
        numbers = [row for row, _ in group]
        verdicts, answers = self._column(group, "verdict"), self._column(group, "answer")
        reasons = self._converted(group, "finish_reason", as_text)
        texts = self._texts(group)
        said = self._verdicts(numbers, verdicts, answers, reasons)
        details = self._converted(group, "detail", as_text)
        failures = self._column(group, "failure")
        if failures is not None:
            said, details = self._failed(said, failures, texts, details)
        return Block(
            facts=problem.run,
            problem=problem.facts,
            verdicts=said,
            rows=numbers,
            texts=texts,
            answers=[as_text(value) or None for value in answers] if answers is not None else None,
            details=details,
            tokens=self._converted(group, "tokens", count),
            finish_reasons=reasons,
            seeds=self._converted(group, "seed", integer),
            logprob_sums=self._converted(group, "logprob_sum", self._number),
            indices=self._indices(group),
        )

    def _verdicts(
        self,
        numbers: list[int],
        verdicts: list[Any] | None,
        answers: list[Any] | None,
        reasons: list[str | None] | None,
    ) -> list[str]:
        if verdicts is None:
            return ["unverified"] * len(numbers)
        try:
            if all(map(_KNOWN.__contains__, verdicts)):
                return verdicts
        except TypeError:
            pass  # a list or an object, which the loop below refuses
        result = []
        for i, value in enumerate(verdicts):
            if isinstance(value, str) and value in VERDICTS:
                result.append(value)
                continue
            column = self.column_of["verdict"]
            try:
                correct = parse_correct(value, self.source.correct_at)
            except NotAVerdict as error:
                raise input_error(self.source, numbers[i], f"field {column}: {error}", ANOTHER_SCALE) from None
            if isinstance(value, float) and value != value:
                self.notes.add("samples whose verdict is NaN: unverified")
            elif correct is None and value not in (None, ""):
                raise input_error(
                    self.source,
                    numbers[i],
                    f"field {column}: {shortened(value)} is no verdict",
                    f"Expected true/false, 0/1, or one of {', '.join(VERDICTS)}; name another column with "
                    "--column verdict=COLUMN.",
                )
            if isinstance(value, float) and 0 < value < 1:
                self.notes.add("samples with a score between 0 and 1, which is not correct")
            result.append(
                refine_verdict(
                    correct, answers[i] if answers else None, reasons[i] if reasons else None, answers is not None
                )
            )
        return result

    def _failed(
        self,
        verdicts: list[str],
        failures: list[Any],
        texts: list[str | None] | None,
        details: list[str | None] | None,
    ) -> tuple[list[str], list[str | None]]:
        """Verdicts and details with the errors that the file names: one without a response is none of the model's."""
        said = list(verdicts)
        beside: list[str | None] = list(details) if details is not None else [None] * len(said)
        for place, failure in enumerate(failures):
            if not isinstance(failure, str | dict | list) or not failure:
                continue
            if failure == "None" or (isinstance(failure, str) and failure.lower() in ("none", "null", "nan", "false")):
                continue
            beside[place] = beside[place] or f"error: {shortened(as_text(failure))}"
            if said[place] != "correct" and texts is not None and not (texts[place] or "").strip():
                self.notes.add(FAILED)
                said[place] = "unverified"
        return said, beside

    def _texts(self, group: list[tuple[int, Sequence[Any]]]) -> list[str | None] | None:
        texts = self._column(group, "text")
        if texts is None:
            return None
        for (row, _), value in zip(group, texts, strict=True):
            if value is not None and not isinstance(value, str):
                column = self.column_of["text"]
                raise input_error(self.source, row, f"field {column}: expected a string, found {kind_of_value(value)}")
        return texts

    def _converted(
        self, group: list[tuple[int, Sequence[Any]]], field: str, convert: Callable[[Any], Any]
    ) -> list[Any] | None:
        values = self._column(group, field)
        if values is None or as_they_are(values, convert):
            return values
        result = []
        for (row, _), value in zip(group, values, strict=True):
            try:
                result.append(None if value is None or value == "" else convert(value))
            except (ValueError, TypeError, OverflowError):
                column = self.column_of[field]
                wanted = "number" if field == "logprob_sum" else WANTED.get(convert, "text")
                raise input_error(self.source, row, f"field {column}: {shortened(value)} is no {wanted}") from None
        return result

    def _number(self, value: Any) -> float | None:
        number = float(value)
        if not isfinite(number):
            self.notes.add("log probabilities that are not finite, taken as unknown")
            return None
        return number

    def _indices(self, group: list[tuple[int, Sequence[Any]]]) -> list[int] | None:
        indices = self._converted(group, "index", count)
        if indices is None:
            return None
        for (row, _), index in zip(group, indices, strict=True):
            if index is None:
                column = self.column_of["index"]
                raise input_error(self.source, row, f"field {column}: expected a sample index from 0")
        return indices

    def _problem(self, key: tuple[Any, ...], row: int, values: Sequence[Any]) -> _Problem:
        def value(field: str) -> Any:
            return values[self.place[field]] if field in self.place else self.constants.get(field)

        run_key = key[: len(self.run_places)]
        run = self.runs.get(run_key)
        if run is None:
            run = self.runs[run_key] = self._run(row, value)
        problem_part = key[len(self.run_places) :]
        position = self.positions.setdefault(problem_part, len(self.positions))
        given = value("position")
        if isinstance(given, int) and 0 <= given < 1 << 31:
            position = given
        problem_id, statement = as_text(value("problem")), as_text(value("statement"))
        if not problem_id and not statement:
            raise input_error(self.source, row, "neither a problem id nor a statement")
        prompt = statement if self.prompts is not None else None
        if self.prompts is not None and statement:
            statement = self.prompts.question(statement)
        metadata = value("metadata")
        if isinstance(metadata, str):
            try:
                metadata = json.loads(metadata) if metadata else {}
            except ValueError:
                metadata = {"metadata": metadata}
        facts = ProblemFacts(
            id=problem_id or str(position),
            position=position,
            statement=statement or None,
            reference=as_text(value("reference")) or None,
            level=as_text(value("level")) or None,
            metadata=metadata if isinstance(metadata, dict) else {},
            prompt=prompt,
            **{field: _asked(field, values[place]) for field, place in self.asked if field in ASKED},
        )
        return _Problem(facts, run)

    def _run(self, row: int, value: Callable[[str], Any]) -> RunFacts:
        known: dict[str, Any] = {field: as_text(value(field)) or None for field in RUN_FIELDS if field != "step"}
        step = value("step")
        try:
            number = None if step is None or step == "" else count(step)
        except (ValueError, TypeError, OverflowError):
            raise input_error(
                self.source, row, f"field {self.column_of['step']}: {shortened(step)} is no {WANTED[count]}"
            ) from None
        parameters = _exported(value("parameters")) | {
            name: parameter(self.source, row, self.column_of[name], plain_value(value(name)))
            for name in PARAMETERS
            if value(name) not in (None, "")
        }
        return RunFacts(**known, step=number, parameters=tuple(sorted(parameters.items())))


def _asked(field: str, value: Any) -> Any:
    """What was asked beside the question, as `ProblemFacts` has it."""
    if field == "images":
        return image_names(value)
    return option_texts(value) if field == "options" else as_text(value) or None


def _exported(text: Any) -> dict[str, Any]:
    """Parameters of the column `parameters`; nothing where it is something else than an object of words and numbers."""
    try:
        known = json.loads(text) if text else {}
    except (ValueError, TypeError, RecursionError):
        return {}
    if not isinstance(known, dict):
        return {}
    return {name: value for name, value in known.items() if isinstance(value, str | bool | int | float)}


importer = LongForm()
