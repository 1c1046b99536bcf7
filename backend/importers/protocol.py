"""What an importer is: it recognises a file by its content and reads it as blocks of samples.

A new format is a module with an object `importer` that satisfies `Importer`, named under the entry-point group
`passk.importers`. Importers know nothing of the store.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from backend.errors import InputError, PasskError, UsageError
from backend.importers.mapping import Select
from backend.importers.source import SourceFile


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What a file says about the run that a block belongs to; None where it says nothing."""

    run: str | None = None
    model: str | None = None
    role: str | None = None
    from_model: str | None = None
    step: int | None = None
    algorithm: str | None = None
    benchmark: str | None = None
    parameters: tuple[tuple[str, Any], ...] = ()
    """Sampling parameters under vLLM's names, sorted, so that facts can be compared and hashed."""
    checkpoint: bool = False
    """Whether `step` tells checkpoints of one training apart. Where an import has several, each is a model of its own,
    named MODEL-stepN."""


@dataclass(frozen=True, slots=True)
class ProblemFacts:
    """What a file says about a problem."""

    id: str
    position: int
    """Place in the file, from 0; the order in which problems are listed."""
    statement: str | None = None
    """The question, without the template that it was asked through."""
    reference: str | None = None
    level: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    context: str | None = None
    """What was asked about: a passage, a table, an article."""
    options: tuple[str, ...] = ()
    """What there was to choose from."""
    images: tuple[str, ...] = ()
    """`values.image_names` of what was shown."""
    tests: str | None = None
    """The tests that an answer has to pass, where they belong to the problem."""

    prompt: str | None = None
    """What the model was given, template and all (messages as JSON), where the file has it."""

    @property
    def asked(self) -> str | None:
        """All that was asked, as one text: context, question and options."""
        text = self.statement
        if not text or not (self.context or self.options):
            return text
        if self.context and self.context.strip() not in text:
            text = f"{self.context}\n\n{text}"
        lines = [line.rstrip() for line in text.splitlines()]
        if not all(any(line.endswith(option.strip()) for line in lines[1:]) for option in self.options):
            listed = zip(LETTERS, self.options, strict=False)
            text += "\n\n" + "\n".join(f"{letter}) {option}" for letter, option in listed)
        return text

    def stored_metadata(self) -> Mapping[str, Any]:
        """The metadata with what was asked and is no text of the statement."""
        beside = {"images": list(self.images) or None, "tests": self.tests}
        return {**self.metadata, **{name: value for name, value in beside.items() if value is not None}}


LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(slots=True)
class Beside:
    """Verdicts of a second filter, scorer or test suite on the samples of a block; the block's own count."""

    verifier: str
    """Name of the filter or scorer."""
    verdicts: list[str | None]
    """One a sample; None where it says nothing of this one."""
    answers: list[str | None] | None = None
    version: str | None = None


@dataclass(slots=True)
class Block:
    """Samples of one problem and run. Every list has one entry a sample, or the whole list is None (unknown)."""

    facts: RunFacts
    problem: ProblemFacts
    verdicts: list[str]
    rows: list[int]
    """Line or row of each sample in the file, from 1; 0 for a sample that comes from no file."""
    texts: list[str | None] | None = None
    answers: list[str | None] | None = None
    details: list[str | None] | None = None
    tokens: list[int | None] | None = None
    finish_reasons: list[str | None] | None = None
    seeds: list[int | None] | None = None
    logprob_sums: list[float | None] | None = None
    indices: list[int] | None = None
    """Sample indices that the file gives; else samples are numbered in the order of the file."""
    beside: list[Beside] | None = None
    identities: list[str | None] | None = None
    """What the source calls each sample, unlike any other in the world: Inspect's uuid, a request's id."""


def without_samples(block: Block, left_out: Container[int]) -> Block:
    """The block without some of its samples, given by their place in its lists."""
    kept = [place for place in range(len(block.verdicts)) if place not in left_out]

    def those(values: list[Any] | None) -> Any:
        return None if values is None else [values[place] for place in kept]

    return replace(
        block,
        **{name: those(getattr(block, name)) for name in LISTS_OF_SAMPLES},
        beside=None
        if block.beside is None
        else [replace(one, verdicts=those(one.verdicts), answers=those(one.answers)) for one in block.beside],
    )


LISTS_OF_SAMPLES = (
    "verdicts", "rows", "texts", "answers", "details", "tokens", "finish_reasons", "seeds", "logprob_sums", "indices",
    "identities",
)  # fmt: skip
"""Fields of a block with one entry a sample, or None."""


@dataclass(frozen=True, slots=True)
class Counts:
    """Published counts of one problem and run: no samples, only n and c."""

    facts: RunFacts
    problem: ProblemFacts
    n: int
    c: int
    row: int


@dataclass(frozen=True, slots=True)
class Options:
    """What the user said about how to read the files."""

    n: int | None = None
    """Samples a problem, for counts files that hold only c."""
    columns: Mapping[str, str] = field(default_factory=dict)
    """Field -> column of the file."""
    correct_at: float | None = None
    """From which reward on a sample is correct; 1 when the user does not say, and then no whole number above 1 is."""
    on_duplicate: str | None = None
    """What becomes of samples that come twice: see `backend.importers.duplicates.ON_DUPLICATE`."""
    repeats: str = "together"
    """`separate`: a question that a file asks again is a problem of its own, as the tool that wrote the file counts."""
    skip_bad_rows: bool = False
    """Whether rows that cannot be read are left out and listed, instead of stopping the import."""
    drop_copies: bool = False
    """Whether exact copies of a response to the same problem in the same run are left out."""
    select: Select | None = None
    """A SELECT that makes rows of the long form of every file."""
    filter: str | None = None
    """Which of several verdicts counts, where a file has them: a filter, scorer, test suite or reward by its name."""

    @property
    def said(self) -> dict[str, str]:
        """The options that change what is read of a file, by their spelling."""
        said = {f"--column {name}": column for name, column in self.columns.items()}
        values = {"--n": self.n, "--correct-at": self.correct_at, "--filter": self.filter}
        values |= {"--repeats": None if self.repeats == "together" else self.repeats}
        said |= {name: f"{value}" for name, value in values.items() if value is not None}
        return said | ({"--select": self.select.sql} if self.select is not None else {})


@dataclass
class Notes:
    """What was odd in the files, counted; the report prints it."""

    counts: dict[str, int] = field(default_factory=dict)
    columns: dict[str, str] = field(default_factory=dict)
    """What each column of the files was taken for; empty for one that was not read."""

    def add(self, note: str, times: int = 1) -> None:
        """Count one more of this oddity."""
        self.counts[note] = self.counts.get(note, 0) + times


class Importer(Protocol):
    """One format."""

    name: str
    """Short name, as in `--format`; stored with every sample."""
    title: str
    """What a person calls such files."""

    def recognise(self, source: SourceFile, options: Options) -> bool:
        """Whether the content is of this format; looks at the beginning only, never at the name."""
        ...

    # Importers may have `columns: Mapping[str, str]`: what the fields of a record are taken for; the report says it.
    # Importers of training dumps may also have `training_steps(source) -> set[int]`: which steps a file has samples of.

    def read(self, source: SourceFile, options: Options, notes: Notes) -> Iterator[Block | Counts]:
        """The file's samples, in its order.

        Raises:
            InputError: names file, line and field of what is wrong.
        """
        ...


class MayBeSeveral(UsageError):
    """Files would form one run, and may be of several models, steps or benchmarks."""


class NotSaid(UsageError):
    """Neither the file nor the user says something without which it cannot be read, such as its model."""


class Unusable(InputError):
    """A file of a folder that turns out to be of no use while it is read: a crashed log, a header without rows.

    Only a file that was named itself stops an import, so everything is read once more, without it.
    """

    def __init__(self, path: Path, error: PasskError) -> None:
        super().__init__(error.title, error.detail, error.next_step)
        self.path = path
        self.reason = reason_of(path, error)


def reason_of(path: Path, error: PasskError) -> str:
    """Why a file is left, in the words of the error that would refuse it, without its path."""
    said = error.title.replace(f"{path}", "").strip(" :,")
    return f"{said}. {error.detail}".rstrip(". ") if error.detail else said


def can_be_said(error: PasskError) -> bool:
    """Whether an option would make the file of use: then the user is asked, not the file left."""
    # Rows that can be skipped are no question: a log that crashed has them.
    return not isinstance(error, InputError) or "--" in error.next_step.replace("--skip-bad-rows", "")


class Unexpected(InputError):
    """An importer failed in a way that it does not know: a sentence for the person, a bug for whoever maintains it."""


def unexpected(source: SourceFile, name: str, error: Exception) -> Unexpected:
    """The error for what an importer did not foresee."""
    place = f"{source.path}" + (f", line {source.row}" if source.row is not None else "")
    return Unexpected(
        f"{place}: cannot be read as {name}",
        f"{type(error).__name__}: {error}",
        "Nothing was imported. The importer did not foresee this; please report it.",
    )
