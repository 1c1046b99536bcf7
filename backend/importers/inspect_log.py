"""One sample of an Inspect log, as read from JSON: its problem, text and verdicts."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from math import fsum, isfinite
from typing import Any, ClassVar

from backend.importers.blocks import FAILED, choose_one, sampling_parameters
from backend.importers.chat import THINKING, message_text, prompt_images, prompt_text
from backend.importers.long_documents import members
from backend.importers.prompts import LOOKED_AT, PromptReader, some_prompts
from backend.importers.protocol import Beside, Block, Counts, Notes, Options, ProblemFacts, RunFacts
from backend.importers.source import Archive, SourceFile, has_member, input_error
from backend.importers.values import (
    as_mapping,
    as_text,
    decode,
    kind_of_value,
    parse_correct,
    read_document,
    refine_verdict,
)
from backend.records.samples import REPORTED

# One sample of an Inspect log, as read from JSON: its problem, text and verdicts.

ATTACHMENT = "attachment://"
LETTERS = {"C": True, "I": False, "P": False, "N": False}
"""Inspect's score values: correct, incorrect, partially correct, no answer. They are never the letter of a choice."""
CUT_OFF = ("max_tokens", "model_length")
MOST_EPOCH = 1_000_000_000


def resolver(attachments: Any) -> Callable[[str], str]:
    """Gives what attachment://KEY stands for: a key of a dictionary, or an index of a list."""

    def resolve(text: str) -> str:
        if not text.startswith(ATTACHMENT) or len(text) > 80:
            return text
        key = text.removeprefix(ATTACHMENT)
        if isinstance(attachments, dict):
            found = attachments.get(key)
        elif isinstance(attachments, list) and key.isascii() and key.isdigit() and int(key) < len(attachments):
            found = attachments[int(key)]
        else:
            found = None
        return found if isinstance(found, str) else text

    return resolve


def verdicts_of(scores: Any) -> Iterator[tuple[str, Any, Mapping[str, Any]]]:
    """Name, value and whole score; one entry for each part of a score that is an object of several values."""
    if not isinstance(scores, dict):
        return
    for name, score in scores.items():
        if not isinstance(score, dict):
            continue
        value = score.get("value")
        if isinstance(value, dict):
            for part, inner in value.items():
                yield f"{name}/{part}", inner, score
        else:
            yield name, value, score


def correct(value: Any, correct_at: float | None = None) -> bool | None:
    """Whether a score's value means right; None where it says neither."""
    if isinstance(value, str) and value in LETTERS:
        return LETTERS[value]
    return parse_correct(value, correct_at)


class InspectSample:
    """Turns samples into blocks."""

    def __init__(
        self, source: SourceFile, facts: RunFacts, used: str | None, notes: Notes, some: Iterable[Any] = ()
    ) -> None:
        """`used` is the scorer whose verdict counts, `some` are samples of the log whose inputs are compared."""
        self.prompts = PromptReader(some_prompts((as_mapping(sample) for sample in some), "input"), notes)
        self.source = source
        self.facts = facts
        self.used = used
        self.notes = notes
        self.positions: dict[str, int] = {}

    def block(self, row: int, sample: Any, attachments: Any = None) -> Block:
        """The block of one sample: one epoch of one problem.

        Args:
            row: which sample of the log, from 1.
            attachments: of a chunked sample; else they are in the sample.

        Raises:
            InputError: it is no sample.
        """
        source = self.source
        if not isinstance(sample, dict) or "id" not in sample:
            raise input_error(source, row, "expected a sample with an id", where="sample")
        epoch = sample.get("epoch", 1)
        if isinstance(epoch, bool) or not isinstance(epoch, int) or not 1 <= epoch <= MOST_EPOCH:
            raise input_error(
                source,
                row,
                f"field epoch: expected a whole number from 1, found {kind_of_value(epoch)}",
                where="sample",
            )
        resolve = resolver(attachments if attachments is not None else sample.get("attachments"))
        text, reason, tokens, logprob = self._output(sample, resolve)
        verdict, answer, beside = self._scores(sample, reason)
        failed = sample.get("error")
        detail = as_text(failed.get("message")) if isinstance(failed, dict) else as_text(failed)
        if failed is not None and verdict == "unverified":
            self.notes.add(FAILED)
        limit = sample.get("limit")
        if isinstance(limit, dict):
            self.notes.add("samples that ran into a limit")
            detail = detail or f"limit: {as_text(limit.get('type'))}"
        return Block(
            facts=self.facts,
            problem=self._problem(sample, resolve),
            verdicts=[verdict],
            rows=[row],
            texts=[text],
            answers=[answer],
            details=[detail],
            tokens=[tokens],
            finish_reasons=[reason],
            logprob_sums=[logprob],
            indices=[epoch - 1],
            beside=beside,
            identities=[as_text(sample.get("uuid")) or None],
        )

    def _problem(self, sample: Mapping[str, Any], resolve: Callable[[str], str]) -> ProblemFacts:
        name = as_text(sample["id"]) or ""
        given = prompt_text(sample.get("input"), resolve)
        statement = given and self.prompts.question(given)
        choices = sample.get("choices")
        # Questions such as "Which of these is true?" are told apart by their choices.
        options = tuple(as_text(choice) or "" for choice in choices) if isinstance(choices, list) else ()
        target = sample.get("target")
        reference = target[0] if isinstance(target, list) and len(target) == 1 else target
        metadata = sample.get("metadata")
        metadata = metadata if isinstance(metadata, dict) else {}
        position = self.positions.setdefault(name, len(self.positions))
        level = metadata.get("level", metadata.get("difficulty"))
        return ProblemFacts(
            name or str(position), position, statement, as_text(reference), as_text(level), metadata, options=options,
            images=prompt_images(sample.get("input")), prompt=given,
        )  # fmt: skip

    def _output(
        self, sample: Mapping[str, Any], resolve: Callable[[str], str]
    ) -> tuple[str | None, str | None, int | None, float | None]:
        """Text, finish reason, tokens and log-probability."""
        output = sample.get("output")
        output = output if isinstance(output, dict) else {}
        choices = output.get("choices")
        choice = choices[0] if isinstance(choices, list) and choices and isinstance(choices[0], dict) else {}
        text, thought = message_text(choice.get("message"), resolve)
        if text is None and isinstance(output.get("completion"), str):
            text = resolve(output["completion"])
        if thought:
            self.notes.add(THINKING)
        if text is not None and text.startswith(ATTACHMENT):
            self.notes.add("texts that are attachments which the log does not have")
        reason = as_text(choice.get("stop_reason"))
        usage = output.get("usage")
        tokens = usage.get("output_tokens") if isinstance(usage, dict) else None
        whole = isinstance(tokens, int) and not isinstance(tokens, bool) and 0 <= tokens < 2**31 - 1
        return text, "length" if reason in CUT_OFF else reason, tokens if whole else None, _logprob(choice)

    def _scores(self, sample: Mapping[str, Any], reason: str | None) -> tuple[str, str | None, list[Beside] | None]:
        used, answer = "unverified", None
        beside: list[Beside] = []
        for name, value, score in verdicts_of(sample.get("scores")):
            said = correct(value, self.source.correct_at)
            if said is None and value is not None:
                self.notes.add(f"scores whose value says neither correct nor incorrect: {name}")
            if value == "P" or (isinstance(value, float) and 0 < value < 1):
                self.notes.add("samples that are partly correct, which is not correct")
            found = as_text(score.get("answer")) or None
            verdict = "no_answer" if value == "N" else refine_verdict(said, found, reason, False)
            if name == self.used:
                used, answer = verdict, found
            elif said is not None:
                beside.append(Beside(name, [verdict], [found], version="inspect"))
        return used, answer, beside or None


def _logprob(choice: Mapping[str, Any]) -> float | None:
    """Sum of the tokens' log-probabilities, where all are there."""
    logprobs = choice.get("logprobs")
    content = logprobs.get("content") if isinstance(logprobs, dict) else None
    if not isinstance(content, list) or not content:
        return None
    values = [entry.get("logprob") if isinstance(entry, dict) else None for entry in content]
    if not all(isinstance(value, int | float) and isfinite(value) for value in values):
        return None
    return fsum(value for value in values if value is not None)


# Inspect logs: `.eval`, a zip with a file (or, chunked, a folder) a sample, and `.json`, the whole log in one object.
# Read as they are written, without inspect_ai. The epoch is the sample's index. Members that come twice are legal:
# the last counts.

SHAPE = re.compile(rb'\{\s*"version"\s*:\s*\d{1,3}\s*,\s*"status"\s*:\s*"\w{1,20}"\s*,\s*"eval"\s*:\s*\{')
LONG = 32 << 20
"""Bytes beyond which a log that is one JSON document is read sample by sample, twice."""
HEADER, START = "header.json", "_journal/start.json"
SAMPLE = re.compile(r"samples/(?P<name>.+_epoch_\d+)(?P<chunked>/sample)?\.json", re.DOTALL)
ATTACHMENTS = re.compile(r"(?P<folder>samples/.+/)attachments/(?P<start>\d{1,12})\.json", re.DOTALL | re.ASCII)
PARAMETERS = {
    "temperature": "temperature", "top_p": "top_p", "top_k": "top_k", "max_tokens": "max_tokens", "seed": "seed",
}  # fmt: skip


MEANS = ("accuracy", "mean")
"""Metrics that are the mean of a scorer's verdicts, over epochs and samples."""


def facts_of(header: Mapping[str, Any], used: str | None, notes: Notes) -> RunFacts:
    """Model, task, sampling parameters and summary metrics out of a log's header; `used` is the scorer that counts."""
    about = as_mapping(header.get("eval"))
    status = header.get("status")
    if isinstance(status, str) and status != "success":
        notes.add(f"logs with status {status}: the evaluation did not come to its end")
    config = {
        **as_mapping(about.get("model_generate_config")),
        **as_mapping(as_mapping(header.get("plan")).get("config")),
    }
    model, task = about.get("model"), about.get("task")
    return RunFacts(
        model=model if isinstance(model, str) and model else None,
        benchmark=task if isinstance(task, str) and task else None,
        parameters=(*sampling_parameters(config, PARAMETERS), *_reported(header, used)),
    )


def _reported(header: Mapping[str, Any], used: str | None) -> tuple[tuple[str, Any], ...]:
    """The summary metrics that are means of verdicts, as a parameter of the run."""
    found = []
    scores = as_mapping(header.get("results")).get("scores")
    for entry in map(as_mapping, scores if isinstance(scores, list) else ()):
        name, metrics = entry.get("name"), as_mapping(entry.get("metrics"))
        for metric in MEANS if isinstance(name, str) and entry.get("reducer") in (None, "mean") else ():
            value = as_mapping(metrics.get(metric)).get("value")
            if isinstance(value, int | float) and 0 <= value <= 1:
                found.append(["imported" if name == used else name, f"{name}, {metric}", value])
    return ((REPORTED, json.dumps(found)),) if found else ()


class Inspect:
    name = "inspect"
    title = "Inspect log (.eval or .json)"
    columns: ClassVar[dict[str, str]] = {
        "samples.id": "problem", "samples.epoch": "sample", "samples.uuid": "the sample's own identity",
        "samples.input": "statement, prompt, images", "samples.choices": "options", "samples.target": "reference",
        "samples.output": "text, finish reason, tokens, log-probability", "samples.scores": "verdicts, answer",
        "samples.metadata": "level and metadata of the problem", "samples.error": "not judged",
        "eval.model": "model", "eval.task": "benchmark", "eval.model_generate_config": "parameters",
    }  # fmt: skip

    def recognise(self, source: SourceFile, options: Options) -> bool:
        """A zip with a log's header or journal, or an object that begins with version, status and eval."""
        return has_member(source, (HEADER, START)) or bool(SHAPE.match(source.first_document))

    def read(self, source: SourceFile, options: Options, notes: Notes) -> Iterator[Block | Counts]:
        """Samples in the order of the log."""
        if source.first_document.startswith(b"{"):
            yield from self._json(source, options, notes)
            return
        with Archive(source) as archive:
            yield from self._zip(source, archive, options, notes)

    def _json(self, source: SourceFile, options: Options, notes: Notes) -> Iterator[Block]:
        size = source.path.stat().st_size * (1 if source.compression is None else 8)
        if size > LONG and (whole := self._look_through(source)) is not None:
            about, scorers, some = whole
            used = choose_one(source, list(scorers), options, notes, "scorers") if scorers else None
            reader = InspectSample(source, facts_of(about, used, notes), used, notes, some)
            with source.open() as file:
                one_by_one = (value for name, value in members(file, "samples") if name is None)
                for row, sample in enumerate(one_by_one, 1):
                    source.row = row
                    yield reader.block(row, sample)
            return
        log = read_document(source)
        samples = log.get("samples") if isinstance(log, dict) else None
        if not isinstance(samples, list):
            raise input_error(source, None, f"field samples: expected a list, found {kind_of_value(samples)}")
        scored: dict[str, None] = {}
        for sample in samples:
            scored.update((name, None) for name, _, _ in verdicts_of(as_mapping(sample).get("scores")))
        used = choose_one(source, list(scored), options, notes, "scorers") if scored else None
        reader = InspectSample(source, facts_of(log, used, notes), used, notes, samples[:LOOKED_AT])
        for row, sample in enumerate(samples, 1):
            yield reader.block(row, sample)

    @staticmethod
    def _look_through(source: SourceFile) -> tuple[dict[str, Any], dict[str, None], list[Any]] | None:
        """What a long log says beside its samples, their scorers, and some of them; None where it is read otherwise."""
        log: dict[str, Any] = {}
        scored: dict[str, None] = {}
        some: list[Any] = []
        samples = 0
        try:
            with source.open() as file:
                for name, value in members(file, "samples"):
                    if name is not None:
                        log[name] = value
                        continue
                    samples += 1
                    scored.update((scorer, None) for scorer, _, _ in verdicts_of(as_mapping(value).get("scores")))
                    if len(some) < LOOKED_AT:
                        some.append(value)
        except (ValueError, RecursionError):
            return None  # what is wrong is said by what reads it whole
        return (log, scored, some) if samples else None

    def _zip(self, source: SourceFile, archive: Archive, options: Options, notes: Notes) -> Iterator[Block]:
        found = [(name, match) for name in archive.members if (match := SAMPLE.fullmatch(name))]
        both = {match["name"] for _, match in found if not match["chunked"]}
        found = [(name, match) for name, match in found if not (match["chunked"] and match["name"] in both)]
        if HEADER in archive.members:
            header = as_mapping(self._member(source, archive, HEADER))
        else:
            header = as_mapping(self._member(source, archive, START))
            notes.add("logs without a header: the evaluation did not come to its end")
        chunks: dict[str, list[int]] = {}
        for name in archive.members:
            if chunk := ATTACHMENTS.fullmatch(name):
                chunks.setdefault(chunk["folder"], []).append(int(chunk["start"]))
        reader: InspectSample | None = None
        size, total = source.path.stat().st_size, max(len(found), 1)
        for row, (name, match) in enumerate(found, 1):
            source.row = row
            sample = self._member(source, archive, name)
            if reader is None:
                scored = self._scorers(header, sample)
                used = choose_one(source, scored, options, notes, "scorers") if scored else None
                some = [self._member(source, archive, other) for other, _ in found[:: max(len(found) // 24, 1)]]
                reader = InspectSample(source, facts_of(header, used, notes), used, notes, some)
            attachments = None
            if match["chunked"] and isinstance(sample, dict):
                folder = name.removesuffix("sample.json")
                sample, attachments = self._chunked(source, archive, folder, chunks.get(folder, []), sample)
            yield reader.block(row, sample, attachments)
            source.bytes_read = size * row // total

    @staticmethod
    def _scorers(header: Mapping[str, Any], sample: Any) -> list[str]:
        """The scorers of the first sample that is scored; where it has none, those of the header."""
        scored = [name for name, _, _ in verdicts_of(as_mapping(sample).get("scores"))]
        if scored:
            return scored
        listed = as_mapping(header.get("results")).get("scores")
        found = [as_mapping(entry).get("name") for entry in listed] if isinstance(listed, list) else []
        return list(dict.fromkeys(name for name in found if isinstance(name, str)))

    @staticmethod
    def _member(source: SourceFile, archive: Archive, name: str) -> Any:
        return decode(source, archive.read(name), None, of=name)

    def _chunked(
        self, source: SourceFile, archive: Archive, folder: str, starts: list[int], shell: dict[str, Any]
    ) -> tuple[dict[str, Any], list[Any]]:
        """A chunked sample as a whole one would be, but for its messages and events; and its attachments."""
        metadata = f"{folder}metadata.json"
        if metadata in archive.members:
            shell = {**shell, "metadata": self._member(source, archive, metadata)}
        attachments: list[Any] = []
        for start in sorted(starts):
            chunk = self._member(source, archive, f"{folder}attachments/{start}.json")
            attachments += chunk if isinstance(chunk, list) else []
        return shell, attachments


importer = Inspect()
