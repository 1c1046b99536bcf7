"""Evaluation json of Reasoning Gym: one object for a whole evaluation, or a file for each of its data sets.

The whole has metadata with the sampling parameters, and categories of datasets with results. A data set's file lies in
`{provider}_{model}_{date}_{time}/{category}/`, its model is named by `summary.json` above it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from backend.importers.blocks import FAILED, read_json_beside
from backend.importers.protocol import Block, Counts, Notes, Options, ProblemFacts, RunFacts
from backend.importers.source import SourceFile, input_error
from backend.importers.values import (
    as_text,
    kind_of_value,
    list_of,
    parameter,
    parse_correct,
    read_document,
    refine_verdict,
)

SHAPE = re.compile(rb'\A\s*\{.{0,20000}?"(?:metadata|categories)"\s*:', re.DOTALL)
ONE = re.compile(rb'\A\s*\{.{0,20000}?"results"\s*:\s*\[', re.DOTALL)
"""One data set's file: what comes before its results."""
FOLDER = re.compile(r"(?P<model>.+)_\d{8}_\d{6}")
PARAMETERS = ("temperature", "top_p", "max_tokens", "system_prompt", "system_prompt_id", "developer_role")


def short_name(path: str) -> str:
    """A dataset's or model's name without the folders and file endings around it.

    `hf://datasets/OWNER/NAME/file.parquet` is NAME; a path is its last folder; anything else stays.
    """
    if hub := re.match(r"hf://datasets/[^/]+/([^/]+)", path):
        return hub[1]
    if path.startswith((".", "/", "~")):
        return path.rstrip("/").rsplit("/", 1)[-1] or path
    return path


class ReasoningGym:
    name = "reasoning-gym"
    title = "Reasoning Gym evaluation json"
    columns: ClassVar[dict[str, str]] = {
        "results.question": "statement", "results.expected_answer": "reference",
        "results.completions.full_model_response": "text", "results.completions.model_answer": "answer",
        "results.completions.score": "verdict", "results.metadata": "metadata of the problem",
        "results.metadata.difficulty": "level",
    }  # fmt: skip

    def recognise(self, source: SourceFile, options: Options) -> bool:
        """An object with categories of datasets, whose results carry completions."""
        head = source.head
        if SHAPE.match(head) and b'"categories"' in head and b'"datasets"' in head:
            return True
        return bool(ONE.match(head)) and all(
            key in head for key in (b'"category"', b'"question"', b'"expected_answer"', b'full_model_response"')
        )

    def read(self, source: SourceFile, options: Options, notes: Notes) -> Iterator[Block | Counts]:
        """Samples of every dataset in the file; each dataset is a benchmark."""
        data = read_document(source)
        if isinstance(data, dict) and "categories" not in data and isinstance(data.get("results"), list):
            yield from self._dataset(source, data, self._beside(source), notes)
            return
        if not isinstance(data, dict) or not isinstance(data.get("categories"), list):
            raise input_error(source, None, "field categories: expected a list")
        metadata = data.get("metadata") if isinstance(data.get("metadata"), dict) else {}
        assert isinstance(metadata, dict)
        notes.add("samples without finish reasons", 0)
        for category in data["categories"]:
            for dataset in self._list(source, category, "datasets", "categories"):
                yield from self._dataset(source, dataset, metadata, notes)

    @staticmethod
    def _beside(source: SourceFile) -> Mapping[str, Any]:
        """What is known of the evaluation that a data set's file belongs to."""
        evaluation = source.path.parent.parent
        about = read_json_beside(evaluation / "x", "summary.json") or read_json_beside(source.path, "summary.json")
        named = FOLDER.fullmatch(evaluation.name)
        return about if "model" in about or named is None else {**about, "model": named["model"].replace("_", "/", 1)}

    @staticmethod
    def _list(source: SourceFile, owner: object, field: str, where: str) -> list[Any]:
        value = owner.get(field) if isinstance(owner, dict) else None
        if not isinstance(value, list):
            raise input_error(source, None, f"field {where}.{field}: expected a list, found {kind_of_value(value)}")
        return value

    def _dataset(
        self, source: SourceFile, dataset: object, metadata: Mapping[str, Any], notes: Notes
    ) -> Iterator[Block]:
        if not isinstance(dataset, dict):
            raise input_error(
                source, None, f"field categories.datasets: expected objects, found {kind_of_value(dataset)}"
            )
        name = dataset.get("name")
        parameters = {
            key: parameter(source, None, f"metadata.{key}", metadata[key])
            for key in PARAMETERS
            if metadata.get(key) is not None
        }
        model = metadata.get("model")
        facts = RunFacts(
            model=short_name(model) if isinstance(model, str) else None,
            benchmark=short_name(name) if isinstance(name, str) else None,
            parameters=tuple(sorted(parameters.items())),
        )
        for position, result in enumerate(self._list(source, dataset, "results", f"datasets[{name}]")):
            yield self._block(source, position, result, facts, notes)

    def _block(self, source: SourceFile, position: int, result: object, facts: RunFacts, notes: Notes) -> Block:
        row = position + 1
        if not isinstance(result, dict) or not isinstance(result.get("question"), str):
            raise input_error(source, row, "field question: expected a string", where="result")
        completions = list_of(source, row, result, "completions", where="result")
        if completions is None:
            # Evaluations with one repeat keep the single completion in the result itself.
            best = {name.removeprefix("best_"): value for name, value in result.items() if name.startswith("best_")}
            completions = [{**best, **result}]
        texts: list[str | None] = []
        answers: list[str | None] = []
        verdicts: list[str] = []
        for number, completion in enumerate(completions, 1):
            if not isinstance(completion, dict):
                raise input_error(source, row, f"completion {number}: expected an object", where="result")
            generated = completion.get("full_model_response")
            if generated is not None and not isinstance(generated, str):
                raise input_error(
                    source, row, f"completion {number}, field full_model_response: expected a string", where="result"
                )
            score = completion.get("score")
            correct = parse_correct(score, source.correct_at)
            if correct is None and score is not None and score == score:
                raise input_error(source, row, f"completion {number}, field score: expected a number", where="result")
            if isinstance(score, float) and 0 < score < 1:
                notes.add("samples with a score between 0 and 1, which is not correct")
            answer = as_text(completion.get("model_answer"))
            texts.append(generated)
            answers.append(answer or None)
            if completion.get("error") and generated is None and not correct:
                notes.add(FAILED)
                correct = None
            verdicts.append(refine_verdict(correct, answer, None, "model_answer" in completion))
        notes.add("samples without finish reasons", len(completions))
        metadata = result.get("metadata") if isinstance(result.get("metadata"), dict) else {}
        assert isinstance(metadata, dict)
        return Block(
            facts=facts,
            problem=ProblemFacts(
                id=str(position),
                position=position,
                statement=result["question"],
                reference=as_text(result.get("expected_answer")),
                level=as_text(metadata.get("difficulty")),
                metadata=metadata,
            ),
            verdicts=verdicts,
            rows=[row] * len(verdicts),
            texts=texts,
            answers=answers,
        )


importer = ReasoningGym()
