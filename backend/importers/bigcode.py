"""bigcode-evaluation-harness generations json: a list of lists of strings, one list a task, in the task's order."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import ClassVar

import orjson

from backend.importers.protocol import Block, Counts, Notes, Options, ProblemFacts, RunFacts
from backend.importers.source import SourceFile, input_error
from backend.importers.values import kind_of_value, read_document

SHAPE = re.compile(rb'\[\s*\[\s*(?:"|\]\s*[,\]])')
FILE_NAME = re.compile(r"generations?_(?P<task>[A-Za-z0-9][A-Za-z0-9.-]*)\.json")
"""`{save_generations_path}_{task}.json`."""


class BigCode:
    """See the module. There are no ids: a task is known by its place alone."""

    name = "bigcode"
    title = "bigcode-evaluation-harness generations json"
    columns: ClassVar[dict[str, str]] = {
        "tasks.texts": "text",
    }  # fmt: skip

    def recognise(self, source: SourceFile, options: Options) -> bool:
        """A list whose first entry is a list of strings."""
        return bool(SHAPE.match(source.first_document))

    def read(self, source: SourceFile, options: Options, notes: Notes) -> Iterator[Block | Counts]:
        """Samples without a verdict; the texts begin with the prompt, as the harness keeps them."""
        data = read_document(source)
        if not isinstance(data, list):
            raise input_error(source, None, f"expected a list of lists of strings, found {kind_of_value(data)}")
        named = FILE_NAME.fullmatch(source.path.name.removesuffix(".gz").removesuffix(".zst"))
        facts = RunFacts(benchmark=named["task"] if named else None)
        references = self._references(source, named["task"], len(data), notes) if named else None
        notes.add("files whose tasks are known by their place alone; made with --limit, these are others")
        for position, texts in enumerate(data):
            row = position + 1
            if not isinstance(texts, list):
                raise input_error(
                    source, row, f"expected a list of strings, found {kind_of_value(texts)}", where="task"
                )
            for text in texts:
                if not isinstance(text, str):
                    raise input_error(source, row, f"expected strings, found {kind_of_value(text)}", where="task")
            reference = references[position] if references is not None else None
            problem = ProblemFacts(str(position), position, reference=reference)
            yield Block(facts, problem, ["unverified"] * len(texts), [row] * len(texts), texts=texts)

    @staticmethod
    def _references(source: SourceFile, task: str, size: int, notes: Notes) -> list[str] | None:
        """What stands in `references_{task}.json` beside it, if that has an entry for every task."""
        try:
            found = orjson.loads((source.path.parent / f"references_{task}.json").read_bytes())
        except (OSError, ValueError):
            return None
        if not isinstance(found, list) or len(found) != size or not all(isinstance(entry, str) for entry in found):
            notes.add("reference files that do not fit their generations, left")
            return None
        return found


importer = BigCode()
