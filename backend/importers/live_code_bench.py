"""LiveCodeBench output json and its eval_all json: a list of problems with lists that have an entry a sample."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, ClassVar

from backend.importers.protocol import Block, Counts, Notes, Options, ProblemFacts, RunFacts
from backend.importers.source import SourceFile, input_error
from backend.importers.values import as_text, kind_of_value, list_of, parse_correct, read_document, string_list

SHAPE = re.compile(rb'\[\s*\{(?=.{0,400}?"question_(?:title|id)"\s*:)', re.DOTALL)
METADATA = ("question_title", "platform", "contest_id", "contest_date", "starter_code")
FILE_NAME = re.compile(r"_(?P<n>\d+)_(?P<t>\d+(?:\.\d+)?)(?:_eval_all)?\.json")
"""`{scenario}_{n}_{temp}_eval_all.json`."""
TIME_LIMIT = -3
"""Its error code for a time limit that was exceeded."""


class LiveCodeBench:
    name = "live-code-bench"
    title = "LiveCodeBench output or eval_all json"
    columns: ClassVar[dict[str, str]] = {
        "question.question_id": "problem", "question.question_content": "statement",
        "question.output_list": "text", "question.code_list": "text, where there is no output_list",
        "question.graded_list": "verdict", "question.metadata": "detail", "question.difficulty": "level",
    }  # fmt: skip

    def recognise(self, source: SourceFile, options: Options) -> bool:
        """A list of objects with a question and output_list or code_list."""
        head = source.first_document
        return (
            bool(SHAPE.match(head))
            and b'"question_content"' in head
            and (b'"output_list"' in head or b'"code_list"' in head)
        )

    def read(self, source: SourceFile, options: Options, notes: Notes) -> Iterator[Block | Counts]:
        """Samples of every problem; without graded_list they are unverified."""
        data = read_document(source)
        if not isinstance(data, list):
            raise input_error(source, None, f"expected a list of problems, found {kind_of_value(data)}")
        named = FILE_NAME.search(source.path.name)
        facts = RunFacts(parameters=(("temperature", float(named["t"])),) if named else ())
        for position, record in enumerate(data):
            if not isinstance(record, dict):
                raise input_error(
                    source, position + 1, f"expected an object, found {kind_of_value(record)}", where="problem"
                )
            yield self._problem(source, position, record, facts, notes)

    def _problem(
        self, source: SourceFile, position: int, record: dict[str, Any], facts: RunFacts, notes: Notes
    ) -> Block:
        row = position + 1
        statement = record.get("question_content")
        if statement is not None and not isinstance(statement, str):
            raise input_error(
                source,
                row,
                f"field question_content: expected a string, found {kind_of_value(statement)}",
                where="problem",
            )
        codes = list_of(source, row, record, "code_list", where="problem")
        outputs = list_of(source, row, record, "output_list", where="problem")
        found = outputs if outputs is not None else codes
        if found is None:
            raise input_error(source, row, "neither output_list nor code_list", where="problem")
        if outputs is None:
            notes.add("problems without output_list; the extracted code stands for the path")
        size = len(found)
        texts = string_list(source, row, found, "output_list")
        if codes is not None and len(codes) != size:
            raise input_error(source, row, f"field code_list: {len(codes)} entries for {size} samples", where="problem")
        graded = list_of(source, row, record, "graded_list", size, where="problem") or [None] * size
        details = list_of(source, row, record, "metadata", size, where="problem") or [None] * size
        verdicts, said = [], []
        for number, (grade, code, detail) in enumerate(zip(graded, codes or texts or [], details, strict=True), 1):
            correct = parse_correct(grade, source.correct_at)
            if grade is not None and correct is None:
                raise input_error(source, row, f"field graded_list: entry {number} is no verdict", where="problem")
            late, words = self._detail(detail)
            verdict = "unverified" if correct is None else "correct" if correct else "timeout" if late else "wrong"
            verdicts.append("no_answer" if verdict == "wrong" and not code else verdict)
            said.append(words)
        return Block(
            facts=facts,
            problem=ProblemFacts(
                id=as_text(record.get("question_id")) or str(position),
                position=position,
                statement=statement or None,
                level=as_text(record.get("difficulty")),
                metadata={key: record[key] for key in METADATA if record.get(key) not in (None, "")},
            ),
            verdicts=verdicts,
            rows=[row] * size,
            texts=texts,
            details=said,
        )

    @staticmethod
    def _detail(value: Any) -> tuple[bool, str | None]:
        """Whether the time limit was exceeded, and what the tests said, out of metadata that is JSON in a string."""
        if isinstance(value, str):
            try:
                value = json.loads(value)
            except (ValueError, RecursionError):
                return False, value or None
        if not isinstance(value, dict):
            return False, as_text(value)
        message = value.get("error_message", value.get("error"))
        return value.get("error_code") == TIME_LIMIT, as_text(message)


importer = LiveCodeBench()
