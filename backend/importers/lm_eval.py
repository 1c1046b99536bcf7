"""lm-evaluation-harness `samples_{task}_{date}.jsonl`: a line for every document and filter.

A task with two filters (gsm8k: strict-match and flexible-extract) writes every document twice. Here that is one sample
with two verdicts: the first filter's counts unless --filter names another, and the others are kept beside. With
`repeats` above 1 there are several texts and one metric for all of them: such samples are unverified.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

from backend.importers.blocks import choose_one, read_json_beside, sampling_parameters
from backend.importers.chat import prompt_text, whole_prompt
from backend.importers.prompts import PromptReader, some_prompts, some_records
from backend.importers.protocol import Beside, Block, Counts, Notes, Options, ProblemFacts, RunFacts
from backend.importers.source import SourceFile, input_error
from backend.importers.values import as_text, image_names, json_lines, option_texts
from backend.records.samples import REPORTED

FILE_NAME = re.compile(r"samples_(?P<task>.+)_(?P<date>\d{4}-\d\d-\d\dT[\d.:-]+)\.jsonl")
STATEMENTS = (
    "question", "problem", "Question", "Problem", "query", "question_stem", "problem_statement", "instruction",
    "prompt", "input", "text",
)  # fmt: skip
CONTEXTS = ("passage", "context", "article", "paragraph", "story", "support", "background", "premise", "sentence1")
OPTIONS = ("choices", "options", "endings")
IMAGES = ("image", "images", "image_path")
PARAMETERS = {
    "temperature": "temperature", "top_p": "top_p", "top_k": "top_k", "min_p": "min_p",
    "max_gen_toks": "max_tokens", "max_tokens": "max_tokens",
}  # fmt: skip

Key = tuple[int | str, int]
"""A document and which time it comes: files are opened for appending."""


@dataclass(slots=True)
class _Said:
    """What the lines of a file say, by the name of the verdict and then by document."""

    verdicts: dict[str, dict[Key, str]] = field(default_factory=dict)
    answers: dict[str, dict[Key, str | None]] = field(default_factory=dict)
    rows: dict[int, Key] = field(default_factory=dict)
    """The first line of every document; all its lines have the same texts."""


def _texts(resps: Any) -> list[str | None] | None:
    """The texts of a document: [[text, ...]]. Log-likelihoods are no texts: one sample without one. None: neither."""
    while type(resps) is list and len(resps) == 1 and type(resps[0]) is list and set(map(type, resps[0])) == {list}:
        resps = resps[0]  # each of several samples in a list of its own
    if type(resps) is list and resps and all(type(entry) is list and set(map(type, entry)) == {str} for entry in resps):
        return [text for entry in resps for text in entry]
    if not isinstance(resps, list) or not resps or not all(isinstance(entry, list) for entry in resps):
        return None
    return [None]


class LmEval:
    name = "lm-eval"
    title = "lm-evaluation-harness samples jsonl"
    columns: ClassVar[dict[str, str]] = {
        "doc_id": "problem", "doc": "statement, level, metadata", "target": "reference",
        "arguments": "prompt and parameters", "resps": "text", "filtered_resps": "answer",
        "filter": "which verdict", "metrics": "names of the verdicts",
    }  # fmt: skip

    def recognise(self, source: SourceFile, options: Options) -> bool:
        """doc_id, doc, arguments, resps and filtered_resps in the first line."""
        first = source.first_object
        return first is not None and {"doc_id", "doc", "arguments", "resps", "filtered_resps"} <= first.keys()

    def read(self, source: SourceFile, options: Options, notes: Notes) -> Iterator[Block | Counts]:
        """Samples of every document; the file is read twice, for its verdicts stand lines apart."""
        said = self._verdicts(source, notes)
        names = list(said.verdicts)
        used = choose_one(source, names, options, notes, "filters") if names else None
        run = self._facts(source, said, used)
        some = [{"prompt": _given(record)} for record in some_records(source)]
        prompts = PromptReader(some_prompts(some, "prompt"), notes)
        facts: dict[RunFacts, RunFacts] = {}
        before: Mapping[str, Any] | None = None
        here = run
        positions: dict[int | str, int] = {}
        source.bytes_read = 0
        for row, record in json_lines(source, only=said.rows):
            key = said.rows[row]
            if key[1]:
                notes.add("documents that come again, taken as more samples of them")
            arguments = _arguments(record)
            asked_with = next((value for value in arguments if isinstance(value, dict)), {})
            if asked_with != before:
                before, here = (
                    asked_with,
                    replace(run, parameters=tuple(sorted((*run.parameters, *_parameters(asked_with))))),
                )
                here = facts.setdefault(here, here)
            position = positions.setdefault(key[0], len(positions))
            yield self._block(key, row, position, record, said, used, here, notes, prompts)

    def _verdicts(self, source: SourceFile, notes: Notes) -> _Said:
        """What every line says; the names of the verdicts are in the order of the file."""
        said = _Said()
        names: dict[str, str] = {}
        times: dict[tuple[int | str, str], int] = {}
        beyond: set[str] = set()
        seen: set[Key] = set()
        for row, record in json_lines(source):
            key = self._key(source, row, record, times)
            if key not in seen:
                seen.add(key)
                said.rows[row] = key
            texts, filtered = _texts(record.get("resps")), record.get("filtered_resps")
            if texts is None:
                raise input_error(source, row, "field resps: expected a list of lists, with the generated texts")
            metrics = record.get("metrics")
            metrics = [name for name in metrics if isinstance(name, str)] if isinstance(metrics, list) else []
            form = str(record.get("filter", "none"))
            several = len(metrics) > 1
            for metric in metrics:
                value = record.get(metric)
                if not isinstance(value, bool | int | float):
                    continue
                name = _name(form, metric) if several or form == "none" else form
                if name not in names:
                    names[name] = metric
                    said.verdicts[name], said.answers[name] = {}, {}
                if value != value:
                    notes.add(f"samples whose {metric} is NaN: unverified")
                    continue
                if not 0 <= value <= 1 and source.correct_at is None:
                    beyond.add(name)
                if len(texts) == 1:
                    at_least = 1 if source.correct_at is None else source.correct_at
                    said.verdicts[name][key] = "correct" if value >= at_least else "wrong"
                    said.answers[name][key] = _answer(filtered)
            if len(texts) > 1 and metrics:
                notes.add("documents with several samples and one metric for all of them: unverified (passk verify)")
        notes.columns |= dict.fromkeys(names.values(), "verdict")
        for name in beyond:
            notes.columns[names[name]] = ""
            notes.add(f"metrics that are no verdict, not kept: {names[name]}")
            del said.verdicts[name]
        return said

    @staticmethod
    def _key(source: SourceFile, row: int, record: Mapping[str, Any], times: dict[tuple[int | str, str], int]) -> Key:
        name = record.get("doc_id")
        if type(name) is not int:
            name = as_text(name)
        if name is None:
            raise input_error(source, row, "field doc_id: expected an id")
        form = str(record.get("filter", "none"))
        time = times.get((name, form), 0)
        times[name, form] = time + 1
        return name, time

    @staticmethod
    def _facts(source: SourceFile, said: _Said, used: str | None) -> RunFacts:
        """Model and benchmark: from results_{date}.json beside the file, from its name, from its folder's."""
        path = _without_ending(source.path)
        named = FILE_NAME.fullmatch(path.name)
        about = read_json_beside(path, f"results_{named['date']}.json") if named else {}
        model = about.get("model_name")
        if not isinstance(model, str) or not model:
            folder = source.path.resolve().parent.name
            model = folder.replace("__", "/") if "__" in folder.strip("_") else None
        task = named["task"] if named else None
        return RunFacts(model=model, benchmark=task, parameters=_reported(about, task, said, used))

    @staticmethod
    def _block(
        key: Key,
        row: int,
        position: int,
        record: Mapping[str, Any],
        said: _Said,
        used: str | None,
        facts: RunFacts,
        notes: Notes,
        prompts: PromptReader,
    ) -> Block:
        texts = _texts(record.get("resps")) or [None]
        size = len(texts)
        if size == 1 and texts[0] is None:
            notes.add("documents that were scored by log-likelihood: there is no text")
        document = record.get("doc")
        document = document if isinstance(document, dict) else {}
        verdict = said.verdicts[used].get(key) if used is not None else None
        if size == 1 and used is not None and verdict is None:
            notes.add("documents without a line of the filter that counts: unverified")
        answer = said.answers[used].get(key) if used is not None else None
        others = [name for name, found in said.verdicts.items() if name != used and key in found] if size == 1 else []
        return Block(
            facts=facts,
            problem=ProblemFacts(
                id=as_text(record.get("doc_id")) or str(position),
                position=position,
                statement=_statement(document, record, prompts),
                prompt=whole_prompt(_given(record)),
                reference=as_text(record.get("target")),
                level=as_text(document.get("level", document.get("difficulty"))),
                metadata={k: v for k, v in document.items() if type(v) is str and len(v) < 100},
                **_asked(document),
            ),
            verdicts=[verdict or "unverified"] if size == 1 else ["unverified"] * size,
            rows=[row] * size,
            texts=texts,
            answers=[answer] if size == 1 else None,
            beside=[
                Beside(name, [said.verdicts[name][key]], [said.answers[name][key]], version="lm-eval")
                for name in others
            ],
        )


def _name(form: str, metric: str) -> str:
    """What a verdict of several metrics is called, or of no filter: both, or the metric alone."""
    return metric if form == "none" else f"{form}/{metric}"


def _reported(about: Mapping[str, Any], task: str | None, said: _Said, used: str | None) -> tuple[tuple[str, Any], ...]:
    """The summary metrics of the results file that are means of verdicts of this file, as a parameter of the run."""
    results = about.get("results")
    metrics = results.get(task) if isinstance(results, dict) else None
    found = []
    for key, value in metrics.items() if isinstance(metrics, dict) else ():
        metric, _, form = key.partition(",")
        name = next((name for name in (form, f"{form}/{metric}", metric) if name in said.verdicts), None)
        if name is not None and not metric.endswith("_stderr") and type(value) in (int, float) and 0 <= value <= 1:
            found.append(["imported" if name == used else name, key, value])
    return ((REPORTED, json.dumps(sorted(found))),) if found else ()


def _answer(filtered: Any) -> str | None:
    value = filtered[0] if isinstance(filtered, list) and filtered else filtered
    value = value[0] if isinstance(value, list) and value else value
    return value or None if isinstance(value, str) else None


def _parameters(found: Mapping[str, Any]) -> tuple[tuple[str, Any], ...]:
    """Sampling parameters out of the arguments of a generation."""
    parameters = dict(sampling_parameters(found, PARAMETERS))
    if found.get("do_sample") is False:
        parameters["temperature"] = 0.0
    return tuple(sorted(parameters.items()))


def _arguments(record: Mapping[str, Any]) -> list[Any]:
    """The first request's arguments: {"gen_args_0": {"arg_0": prompt, "arg_1": {...}}}, or older, [[prompt, ...]]."""
    arguments = record.get("arguments")
    first: Any = None
    if isinstance(arguments, dict):
        first = arguments.get("gen_args_0")
    elif isinstance(arguments, list) and arguments:
        first = arguments[0]
    return list(first.values()) if isinstance(first, dict) else first if isinstance(first, list) else []


def _asked(document: Mapping[str, Any]) -> dict[str, Any]:
    """What a document asks beside its question, by the usual names of these fields."""
    contexts = [document[name] for name in CONTEXTS if isinstance(document.get(name), str) and document[name].strip()]
    options = next((found for name in OPTIONS if (found := option_texts(document.get(name)))), ())
    if not options and all(isinstance(document.get(letter), str) for letter in "AB"):
        options = tuple(document[letter] for letter in "ABCDEFGHIJ" if isinstance(document.get(letter), str))
    images = next((found for name in IMAGES if (found := image_names(document.get(name)))), ())
    tests = document.get("test", document.get("test_list"))
    return {
        "context": "\n\n".join(contexts) or None,
        "options": options,
        "images": images,
        "tests": as_text(tests) if isinstance(tests, str | list) else None,
    }


def _given(record: Mapping[str, Any]) -> Any:
    """The prompt of a document as it was given: a text, or chat messages, which are written as JSON."""
    prompt = next(iter(_arguments(record)), None)
    prompt = prompt[0] if isinstance(prompt, list) and len(prompt) == 1 and isinstance(prompt[0], str) else prompt
    if isinstance(prompt, str) and prompt.startswith("[{"):
        try:
            return json.loads(prompt)
        except (ValueError, RecursionError):
            return prompt
    return prompt


def _statement(document: Mapping[str, Any], record: Mapping[str, Any], prompts: PromptReader) -> str | None:
    """What the document asks: by the usual names of that field, else the longest field that stands in the prompt.

    Where none does, it is the prompt without its template.
    """
    for name in STATEMENTS:
        value = document.get(name)
        if isinstance(value, str) and value.strip():
            return value
    prompt = prompt_text(_given(record))
    if prompt is None:
        return None
    target = as_text(record.get("target")) or ""
    fields = [value for name, value in document.items() if isinstance(value, str) and name not in CONTEXTS]
    asked = [value for value in fields if len(value.strip()) >= FEWEST and value.strip() in prompt and value != target]
    return max(asked, key=len, default="") or prompts.question(prompt)


FEWEST = 12
"""Characters of a field that can be a question; shorter ones, such as a subject, stand in prompts by chance."""


def _without_ending(path: Path) -> Path:
    """The path without the ending of a compressed file."""
    return path.with_suffix("") if path.suffix in (".gz", ".zst") else path


importer = LmEval()
