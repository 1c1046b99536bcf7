"""Evaluation jsonl of Qwen2.5-Math, SimpleRL and limit-of-RLVR: a line a problem, lists with an entry a sample."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from backend.importers.protocol import Block, Counts, Notes, Options, ProblemFacts, RunFacts
from backend.importers.source import SourceFile, input_error
from backend.importers.values import (
    as_text,
    json_lines,
    kind_of_value,
    list_of,
    parse_correct,
    refine_verdict,
    string_list,
    text_field,
)

METADATA = ("subject", "type", "subfield", "theorem", "answer_type", "dataset", "unit", "ques_type", "solution_type")
KNOWN = {
    "idx", "question", "gt", "gt_cot", "level", "solution", "answer", "choices", "code", "pred", "report",
    "finish_reason", "score", "prompt", "filed", "id", "problem", *METADATA,
}  # fmt: skip
FILE_NAME = re.compile(r"_(?P<prompt>[a-z0-9-]+)_-?\d+_seed(?P<seed>\d+)_t(?P<t>\d+(?:\.\d+)?)_s\d+_e-?\d+")
"""`{split}_{prompt_type}_{num}_seed{s}_t{T}_s{start}_e{end}`: the only place that holds seed and temperature."""


COLUMNS = {
    "idx": "problem", "id": "problem", "question": "statement", "gt": "reference", "answer": "reference",
    "level": "level", "code": "text", "pred": "answer", "finish_reason": "finish_reason", "score": "verdict",
    **dict.fromkeys(METADATA, "metadata"),
}  # fmt: skip


class QwenMath:
    name = "qwen-math"
    title = "Qwen2.5-Math / SimpleRL / limit-of-RLVR evaluation jsonl"
    columns = COLUMNS

    def recognise(self, source: SourceFile, options: Options) -> bool:
        """`code`, `pred` and `score` as lists in the first line, and a question."""
        first = source.first_object
        return (
            first is not None
            and isinstance(first.get("code"), list)
            and isinstance(first.get("pred", []), list)
            and "question" in first
            and ("score" in first or "gt" in first)
        )

    def read(self, source: SourceFile, options: Options, notes: Notes) -> Iterator[Block | Counts]:
        """Samples in the file's order; `score` gives the verdict, whatever `pred` looks like."""
        named = FILE_NAME.search(source.path.name)
        parameters: dict[str, Any] = {}
        seed: int | None = None
        if named:
            parameters = {"temperature": float(named["t"]), "template": named["prompt"]}
            seed = int(named["seed"])
        facts = RunFacts(parameters=tuple(sorted(parameters.items())))
        for position, (row, record) in enumerate(json_lines(source)):
            yield self._block(source, row, position, record, facts, seed, notes)

    def _block(
        self,
        source: SourceFile,
        row: int,
        position: int,
        record: dict[str, Any],
        facts: RunFacts,
        seed: int | None,
        notes: Notes,
    ) -> Block:
        statement = text_field(source, row, record, "question")
        texts = string_list(source, row, list_of(source, row, record, "code"), "code")
        if texts is None:
            raise input_error(source, row, "field code: expected a list of generated texts, found nothing")
        size = len(texts)
        answers = list_of(source, row, record, "pred", size)
        reasons = record.get("finish_reason")
        if isinstance(reasons, str):
            reasons = [reasons] * size
        elif reasons is not None:
            reasons = string_list(source, row, list_of(source, row, record, "finish_reason", size), "finish_reason")
        scores = list_of(source, row, record, "score", size)
        if reasons is None:
            notes.add("problems without finish reasons", 1)
        for unknown in record.keys() - KNOWN:
            if record[unknown] not in (None, [], {}, ""):
                notes.add(f"lines with field {unknown}, which is not kept", 1)
        verdicts: list[str] = []
        for i in range(size):
            correct = None if scores is None or scores[i] is None else parse_correct(scores[i], source.correct_at)
            if scores is not None and scores[i] is not None and scores[i] == scores[i] and correct is None:
                raise input_error(
                    source, row, f"field score: entry {i + 1} is {kind_of_value(scores[i])}, expected true or false"
                )
            answer = answers[i] if answers is not None else None
            verdicts.append(refine_verdict(correct, answer, reasons[i] if reasons else None, answers is not None))
        id_field = record.get("idx", record.get("id"))
        return Block(
            facts=facts,
            problem=ProblemFacts(
                id=as_text(id_field) if id_field is not None else str(position),  # type: ignore[arg-type]
                position=position,
                statement=statement,
                reference=as_text(record.get("gt", record.get("answer"))),
                level=as_text(record.get("level")),
                metadata={key: record[key] for key in METADATA if record.get(key) not in (None, "")},
            ),
            verdicts=verdicts,
            rows=[row] * size,
            texts=texts,
            answers=[as_text(answer) or None for answer in answers] if answers is not None else None,
            finish_reasons=reasons,
            seeds=[seed] * size if seed is not None else None,
        )


importer = QwenMath()
