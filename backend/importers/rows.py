"""Formats whose files are rows of samples under keys of their own: each is a declaration, read by one loop.

A format says by which keys of the first record it is known, and makes samples of a record. What is alike in all of them
is done here: the texts of chat messages, which of several verdicts counts, what an error of the machinery is worth.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import Any

from backend.importers.blocks import FAILED, BlockBuilder, choose_one
from backend.importers.chat import THINKING, completion_text, prompt_images, prompt_text, whole_prompt
from backend.importers.prompts import LOOKED_AT, PromptReader
from backend.importers.protocol import Block, Counts, Notes, Options, ProblemFacts, RunFacts
from backend.importers.source import SourceFile, input_error, parquet_batches, parquet_schema
from backend.importers.tables import array_entries
from backend.importers.values import (
    as_text,
    count,
    figure,
    json_lines,
    parse_correct,
    refine_verdict,
    shortened,
)

Record = Mapping[str, Any]

TEXTLESS = "samples without a text"


@dataclass(slots=True)
class Sample:
    """What a record says of one sample; None where it says nothing. Numbers and texts are as the file has them."""

    verdicts: Mapping[str, Any] = field(default_factory=dict)
    """By the name of who gave them; the first counts, unless the user says otherwise."""
    problem: Any = None
    statement: Any = None
    """A text, or chat messages."""
    text: Any = None
    """A text, or chat messages."""
    reference: Any = None
    answer: Any = None
    answers_known: bool = False
    """Whether the file has answers at all: then one without is `no_answer`."""
    level: Any = None
    tokens: Any = None
    finish_reason: Any = None
    index: Any = None
    seed: Any = None
    failure: Any = None
    """An error of the machinery, of which the model is innocent: a timeout of a server, a crashed sandbox."""
    details: Mapping[str, Any] = field(default_factory=dict)
    metadata: Mapping[str, Any] = field(default_factory=dict)
    asked: Mapping[str, Any] = field(default_factory=dict)
    """What was asked beside the statement, as `ProblemFacts` has it: context, options, images, tests."""
    model: Any = None
    benchmark: Any = None
    step: Any = None
    parameters: tuple[tuple[str, Any], ...] = ()


# Records of a file.


def first_record(source: SourceFile) -> Record | None:
    """The first record: a line, an entry of an array, a row of Parquet with its nested columns; None where none is."""
    if source.is_parquet:
        schema = parquet_schema(source)
        if schema is None or len(set(schema.names)) < len(schema.names):
            return None
        for _, values in parquet_batches(source, schema.names, 1):
            return {name: column[0] for name, column in zip(schema.names, values, strict=True)}
        return None
    return source.first_object or source.first_in_array


def records(source: SourceFile) -> Iterator[tuple[int, Record]]:
    """Every record with its number, from 1: the line, the place in an array, or the row."""
    if source.is_parquet:
        schema = parquet_schema(source)
        names = [] if schema is None else list(schema.names)
        for first, values in parquet_batches(source, names, 256):
            for row, entry in enumerate(zip(*values, strict=True), first):
                if not source.passes_over(row):
                    yield row, dict(zip(names, entry, strict=True))
    elif source.first_object is not None:
        yield from json_lines(source)
    else:
        yield from array_entries(source)


@dataclass(frozen=True)
class RowFormat:
    """A format by its declaration. `Importer` for all the world."""

    name: str
    title: str
    known_by: Callable[[Record], bool]
    """Whether the first record is of this format."""
    samples: Callable[[SourceFile, int, Record], Iterable[Sample]]
    """The samples of a record; the source is for its name and for what lies beside it."""
    first: Callable[[SourceFile], Record | None] = first_record
    records: Callable[[SourceFile], Iterator[tuple[int, Record]]] = records
    where: str = "line"
    """What errors call a record."""
    checkpoints: bool = False
    """Whether its steps are those of one training."""

    def recognise(self, source: SourceFile, options: Options) -> bool:
        """By the keys of the first record."""
        first = self.first(source)
        return first is not None and self.known_by(first)

    def training_steps(self, source: SourceFile) -> set[int]:
        """The training steps that the file holds samples of."""
        if not self.checkpoints:
            return set()
        found = (sample.step for row, record in self.records(source) for sample in self.samples(source, row, record))
        return {step for step in found if type(step) is int and 0 <= step < 2**31}

    def read(self, source: SourceFile, options: Options, notes: Notes) -> Iterator[Block | Counts]:
        """The file's samples, gathered by problem."""
        every = ((row, sample) for row, record in self.records(source) for sample in self.samples(source, row, record))
        beginning = list(islice(every, LOOKED_AT))
        if not beginning:
            return
        reader = _Reader(self, source, options, notes, [sample for _, sample in beginning])
        for row, sample in chain(beginning, every):
            reader.take(row, sample)
            if reader.builder.full:
                yield from reader.builder.flush()
        yield from reader.builder.flush()


class _Reader:
    """Makes blocks of samples; which lists they have is what the first sample has."""

    def __init__(
        self, form: RowFormat, source: SourceFile, options: Options, notes: Notes, beginning: list[Sample]
    ) -> None:
        self.form, self.source, self.notes = form, source, notes
        first = beginning[0]
        asked = (prompt_text(sample.statement) for sample in beginning)
        self.prompts = PromptReader([prompt for prompt in asked if prompt], notes)
        names = list(first.verdicts) or ["verdict"]
        self.counts = choose_one(source, names, options, notes, "verdicts")
        self.others = [name for name in names if name != self.counts]
        self.indexed = first.index is not None
        lists = ("texts", "answers", "details", "tokens", "finish_reasons", "seeds")
        self.builder = BlockBuilder(*lists, *(("indices",) if self.indexed else ()), beside=self.others)
        self.facts: dict[tuple[Any, ...], RunFacts] = {}
        self.asked: tuple[Any, str | None, tuple[str, ...]] = (None, None, ())
        """What was asked last: as the file has it, its text and its images."""

    def take(self, row: int, sample: Sample) -> None:
        """Take in one sample."""
        problem = self._problem(row, sample)
        text, thought = (sample.text, False) if type(sample.text) is str else completion_text(sample.text)
        if thought:
            self.notes.add(THINKING)
        if text is None:
            self.notes.add(TEXTLESS)
        answer, reason = as_text(sample.answer) or None, as_text(sample.finish_reason) or None
        verdict = self._verdict(row, self.counts, sample, answer, reason)
        beside = [self._verdict(row, name, sample, answer, reason) for name in self.others]
        if sample.failure and verdict != "correct":
            self.notes.add(FAILED)
            verdict, beside = "unverified", ["unverified"] * len(beside)
        detail = self._detail(sample) if sample.failure or sample.details else None
        values = [text, answer, detail, self._whole(row, "tokens", sample.tokens), reason,
                  self._whole(row, "seed", sample.seed)]  # fmt: skip
        if self.indexed:
            index = self._whole(row, "index", sample.index)
            if index is None:
                raise input_error(self.source, row, "expected a sample index, found none", where=self.form.where)
            values.append(index)
        self.builder.add(self._run(row, sample), problem, row, verdict, *values, beside=beside)

    def _problem(self, row: int, sample: Sample) -> ProblemFacts:
        # The samples of a record share what was asked.
        if sample.statement is not self.asked[0] or sample.statement is None:
            self.asked = sample.statement, self._statement(row, sample.statement), prompt_images(sample.statement)
        _, statement, images = self.asked
        name, reference = as_text(sample.problem), as_text(sample.reference)
        if not statement and not name:
            raise input_error(self.source, row, "neither a problem id nor a prompt", where=self.form.where)
        asked = {"images": images, **sample.asked} if images or sample.asked else {}
        told = as_text(sample.benchmark), name, statement, *asked.values()
        # There may be no ids: one question with two references is two problems then.
        identity: Hashable = told if name is not None else (*told, reference)
        return self.builder.problem(
            identity,
            name=name,
            statement=self.prompts.question(statement) if statement else None,
            prompt=whole_prompt(sample.statement),
            reference=reference or None,
            level=as_text(sample.level) or None,
            metadata=sample.metadata,
            **asked,
        )

    def _statement(self, row: int, value: Any) -> str | None:
        text = prompt_text(value)
        if text is None and isinstance(value, dict | list) and value:
            raise input_error(self.source, row, "the prompt holds no text that is known", where=self.form.where)
        return text or None

    def _verdict(self, row: int, name: str, sample: Sample, answer: str | None, reason: str | None) -> str:
        value = sample.verdicts.get(name)
        correct = value if value is None or type(value) is bool else self._judged(row, name, value)
        return refine_verdict(correct, answer, reason, sample.answers_known)

    def _judged(self, row: int, name: str, value: Any) -> bool | None:
        correct = parse_correct(value, self.source.correct_at)
        if isinstance(value, float) and value != value:
            self.notes.add("samples whose verdict is NaN: unverified")
        elif correct is None and value not in ("", [], {}):
            raise input_error(
                self.source, row, f"field {name}: {shortened(value)} is no verdict", where=self.form.where
            )
        if isinstance(value, float) and 0 < value < 1 and self.source.correct_at is None:
            self.notes.add("samples with a score between 0 and 1, which is not correct")
        return correct

    def _detail(self, sample: Sample) -> str | None:
        said = [f"error: {shortened(as_text(sample.failure))}"] if sample.failure else []
        said += [
            f"{name}={figure(value)}" for name, value in sample.details.items() if isinstance(value, str | int | float)
        ]
        return ", ".join(said) or None

    def _whole(self, row: int, name: str, value: Any) -> int | None:
        if value is None:
            return None
        try:
            return count(value)
        except (ValueError, TypeError, OverflowError):
            raise input_error(
                self.source, row, f"field {name}: {shortened(value)} is no whole number from 0", where=self.form.where
            ) from None

    def _run(self, row: int, sample: Sample) -> RunFacts:
        model, benchmark = as_text(sample.model) or None, as_text(sample.benchmark) or None
        step = None if sample.step is None else self._whole(row, "step", sample.step)
        key = (model, benchmark, step, sample.parameters)
        facts = self.facts.get(key)
        if facts is None:
            facts = self.facts[key] = RunFacts(
                model=model,
                benchmark=benchmark,
                step=step,
                parameters=sample.parameters,
                checkpoint=self.form.checkpoints and step is not None,
            )
        return facts


def get(record: Any, *path: str | int) -> Any:
    """What stands at a path of keys and places inside of a record; None where nothing does."""
    for step in path:
        if isinstance(record, dict):
            record = record.get(step)
        elif isinstance(record, list) and isinstance(step, int) and -len(record) <= step < len(record):
            record = record[step]
        else:
            return None
    return record


def first_of(record: Record, *names: str) -> Any:
    """The first of these fields that is there and not null."""
    for name in names:
        value = record.get(name)
        if value is not None:
            return value
    return None
