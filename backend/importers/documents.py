"""Results that are one JSON document: OpenCompass, simple-evals, and outcomes by problem and model."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping
from typing import Any

from backend.importers.chat import split_dialogue
from backend.importers.protocol import Block, Counts, Notes, Options, ProblemFacts, RunFacts
from backend.importers.rows import Record, RowFormat, Sample, first_of
from backend.importers.source import HEAD, SourceFile, input_error
from backend.importers.values import as_mapping, json_lines, kind_of_value, parse_correct, read_document, shortened


def _document(source: SourceFile) -> Record | None:
    """What is in a document, as far as its beginning tells."""
    return source.beginning if isinstance(source.beginning, dict) else None


# OpenCompass: `predictions/{model}/{dataset}.json`, and with dump_eval_details `results/{model}/{dataset}.json`.

ENTRY = re.compile(r"\d{1,9}")
ROLES = {"HUMAN": "user", "BOT": "assistant", "SYSTEM": "system"}


def _entries(document: Any) -> Mapping[str, Any]:
    """Entries by their number, wherever they stand: in the document or in its details."""
    details = document.get("details") if isinstance(document, dict) else None
    if isinstance(details, list):
        return {str(place): entry for place, entry in enumerate(details)}
    found = details if isinstance(details, dict) else document
    return {key: value for key, value in as_mapping(found).items() if ENTRY.fullmatch(key)}


def _is_compass(document: Record) -> bool:
    entries = _entries(document)
    if any(isinstance(value, list) for value in entries.values()):
        return False
    first = as_mapping(next(iter(entries.values()), None))
    return {"prediction", "origin_prompt"} <= first.keys() or (
        "details" in document and ("correct" in first or "references" in first) and not PREDICTED.isdisjoint(first)
    )


PREDICTED = {"pred", "predictions", "prediction", "origin_prediction"}


def _first_compass(source: SourceFile) -> Record | None:
    first = source.first_object
    if first is not None and {"data_abbr", "prediction"} <= first.keys():
        return {"0": first}  # lines of predictions, as AISBench writes them
    return _document(source)


def _compass_records(source: SourceFile) -> Iterator[tuple[int, Record]]:
    if "data_abbr" in (source.first_object or {}):
        for row, record in json_lines(source):
            yield row, {**record, "_place": record.get("id", row - 1)}
        return
    document = read_document(source)
    if not isinstance(document, dict):
        raise input_error(source, None, f"expected an object, found {kind_of_value(document)}")
    for number, (key, entry) in enumerate(_entries(document).items(), 1):
        if not isinstance(entry, dict):
            raise input_error(source, number, f"expected an object, found {kind_of_value(entry)}", where="entry")
        yield number, {**entry, "_place": key}


def _turns(prompt: Any) -> Any:
    """A prompt of OpenCompass as chat messages."""
    if not isinstance(prompt, list):
        return prompt
    return [
        {"role": ROLES.get(str(turn.get("role")), "user"), "content": turn.get("prompt")}
        for turn in prompt
        if isinstance(turn, dict)
    ]


def _compass_samples(source: SourceFile, row: int, record: Record) -> Iterator[Sample]:
    folder = source.path.parent
    said = first_of(record, "origin_prediction", "prediction", "predictions", "pred")
    said = said if isinstance(said, list) else [said]
    correct = first_of(record, "correct", "is_correct")
    correct = correct if isinstance(correct, list) else [correct]
    whole = len(correct) == len(said)
    answered = first_of(record, "predictions", "pred") if "origin_prediction" in record else None
    for place, text in enumerate(said):
        yield Sample(
            # One judgement of several responses is none of each.
            verdicts={"correct": correct[place] if whole else None},
            problem=first_of(record, "example_abbr", "_place"),
            statement=_turns(first_of(record, "prompt", "origin_prompt")),
            text=text if isinstance(text, str) else None,
            reference=first_of(record, "references", "answer", "answers", "gold"),
            answer=answered if len(said) == 1 else None,
            model=folder.name if folder.parent.name in ("predictions", "results") else None,
            benchmark=record.get("data_abbr") or re.sub(r"_\d+$", "", source.path.name.split(".json")[0]),
            failure="the request failed" if record.get("success") is False else None,
        )


opencompass = RowFormat(
    "opencompass",
    "OpenCompass predictions or results with details json",
    _is_compass,
    _compass_samples,
    first=_first_compass,
    records=_compass_records,
    where="entry",
)

# simple-evals `{eval}_{model}_allresults.json`: dialogues, and for each a page of HTML, the only place of its score.

SHOWN = {
    name: re.compile(rf"<p>\s*{label}:\s*(.*?)\s*</p>", re.DOTALL | re.IGNORECASE)
    for name, label in (("score", "Score"), ("reference", "Correct Answer"), ("answer", "Extracted Answer"))
}


def _evals_records(source: SourceFile) -> Iterator[tuple[int, Record]]:
    document = as_mapping(read_document(source))
    dialogues, pages = document.get("convos"), document.get("htmls")
    if not isinstance(dialogues, list) or not isinstance(pages, list) or len(dialogues) != len(pages):
        raise input_error(source, None, "fields convos and htmls: expected two lists of one length")
    for number, (dialogue, page) in enumerate(zip(dialogues, pages, strict=True), 1):
        yield number, {"convo": dialogue, "html": page}


def _evals_samples(source: SourceFile, row: int, record: Record) -> Iterator[Sample]:
    page = record["html"] if isinstance(record["html"], str) else ""
    shown = {name: html.unescape(found[1]) if (found := form.search(page)) else None for name, form in SHOWN.items()}
    asked, said = split_dialogue(record["convo"])
    known = shown["answer"] not in (None, "None", "")
    yield Sample(
        verdicts={"score": shown["score"] if shown["score"] != "None" else None},
        statement=asked,
        text=said or None,
        reference=shown["reference"],
        answer=shown["answer"] if known else None,
        answers_known=shown["answer"] is not None,
    )


simple_evals = RowFormat(
    "simple-evals",
    "simple-evals allresults json",
    lambda first: {"score", "metrics", "htmls"} <= first.keys(),
    _evals_samples,
    first=_document,
    records=_evals_records,
    where="sample",
)


# Outcomes alone: {problem: {model: [0, 1, ...]}}, or {problem: [0, 1, ...]} of one model.


class Outcomes:
    """See above. Which level are the problems is told by how many keys there are: there are fewer models."""

    name = "outcomes"
    title = "outcomes json: problem, model, list of 0 and 1"

    def recognise(self, source: SourceFile, options: Options) -> bool:
        """Lists of 0, 1, true and false in one or two levels of objects."""
        found = _document(source)
        if not found:
            return False
        inside = list(found.values())
        if len(source.head) >= HEAD and len(inside) > 1:
            inside.pop()  # it may be cut off
        first = inside[0]
        clean = all(map(_is_outcomes, first.values() if isinstance(first, dict) and first else [first]))
        lists = [entry for each in inside for entry in (each.values() if isinstance(each, dict) else [each])]
        return clean and all(map(_is_flat, lists))

    def read(self, source: SourceFile, options: Options, notes: Notes) -> Iterator[Block | Counts]:
        """Samples without a text."""
        document = read_document(source)
        if not isinstance(document, dict):
            raise input_error(source, None, f"expected an object, found {kind_of_value(document)}")
        table = {name: inside if isinstance(inside, dict) else {None: inside} for name, inside in document.items()}
        inner = list(dict.fromkeys(name for inside in table.values() for name in inside))
        turned = inner != [None] and len(inner) > len(table)
        if inner != [None]:
            order = "model, then problem" if turned else "problem, then model"
            notes.add(f"files of outcomes in two levels, read as {order}: there are fewer models than problems")
        if turned:
            table = {
                problem: {model: inside[problem] for model, inside in table.items() if problem in inside}
                for problem in inner
            }
        facts: dict[str | None, RunFacts] = {}
        for position, (problem, inside) in enumerate(table.items()):
            row = position + 1
            for model, values in inside.items():
                if not isinstance(values, list):
                    raise self._bad(source, row, problem, f"expected a list of 0 and 1, found {kind_of_value(values)}")
                verdicts = [self._verdict(source, row, problem, value) for value in values]
                run = facts.setdefault(model, RunFacts(model=model))
                yield Block(run, ProblemFacts(str(problem), position), verdicts, [row] * len(verdicts))

    @staticmethod
    def _bad(source: SourceFile, row: int, problem: object, what: str) -> Exception:
        return input_error(source, row, f"problem {shortened(problem)}: {what}", where="problem")

    def _verdict(self, source: SourceFile, row: int, problem: object, value: Any) -> str:
        correct = parse_correct(value, source.correct_at)
        if correct is None and value is not None and value == value:
            raise self._bad(source, row, problem, f"{shortened(value)} is neither 0 nor 1")
        return "unverified" if correct is None else "correct" if correct else "wrong"


def _is_flat(value: Any) -> bool:
    """Whether a value is a list of single values: what else than outcomes is in it is said when it is read."""
    return isinstance(value, list) and not any(isinstance(entry, list | dict) for entry in value)


def _is_outcomes(value: Any) -> bool:
    return (
        isinstance(value, list)
        and bool(value)
        and all(type(entry) in (bool, int, float) and entry in (0, 1) for entry in value)
    )


outcomes = Outcomes()
