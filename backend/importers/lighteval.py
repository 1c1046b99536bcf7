"""lighteval `details_{task}_{date}.parquet`: a row a document, with doc, metric and model_response as structs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

from backend.importers.blocks import choose_one
from backend.importers.chat import THINKING
from backend.importers.protocol import Beside, Block, Counts, Notes, Options, ProblemFacts, RunFacts
from backend.importers.source import SourceFile, input_error, parquet_batches, parquet_schema
from backend.importers.values import as_text, kind_of_value, parse_correct

COLUMNS = ("doc", "metric", "model_response")
DATE = re.compile(r"\d{4}-\d\d-\d\dT")
NOT_KEPT = "documents with several samples, whose metric is one figure for all of them: unverified (passk verify)"


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def model_of(path: Path) -> str | None:
    """The model that `details/{model}/{date}/` names, which may have slashes; None for a file that lies elsewhere."""
    parts = path.resolve().parts[:-1]
    if not parts or not DATE.match(parts[-1]) or "details" not in parts:
        return None
    start = len(parts) - 1 - parts[::-1].index("details")
    return "/".join(parts[start + 1 : -1]) or None


def benchmark_of(task: Any) -> tuple[str | None, int | None]:
    """Benchmark and number of examples in the prompt out of `lighteval|aime24|0` or `aime24|0`."""
    if not isinstance(task, str) or not task:
        return None, None
    parts = task.split("|")
    shots = int(parts.pop()) if len(parts) > 1 and re.fullmatch(r"\d{1,4}", parts[-1]) else None
    return "|".join(parts[1:] if len(parts) > 1 else parts), shots


class LightEval:
    name = "lighteval"
    title = "lighteval details Parquet"
    columns: ClassVar[dict[str, str]] = {
        "doc.id": "problem", "doc.query": "statement", "doc.choices": "reference, which gold_index names",
        "doc.task_name": "benchmark", "metric.values": "verdicts", "model_response.text": "text",
        "model_response.reasonings": "text, before the answer", "model_response.output_tokens": "tokens",
    }  # fmt: skip

    def recognise(self, source: SourceFile, options: Options) -> bool:
        """Columns doc, metric and model_response."""
        found = parquet_schema(source)
        return found is not None and set(COLUMNS) <= set(found.names)

    def read(self, source: SourceFile, options: Options, notes: Notes) -> Iterator[Block | Counts]:
        """Samples of every document. A metric speaks of a sample only where a document has one."""
        model = model_of(source.path)
        facts: dict[Any, RunFacts] = {}
        names: dict[str, None] = {}
        for _, (metrics,) in parquet_batches(source, ["metric"]):
            for metric in metrics:
                names.update((name, None) for name, value in _mapping(metric).items() if self._is_truth(value))
        used = choose_one(source, list(names), options, notes, "metrics") if names else None
        position = 0
        for first, (docs, metrics, responses) in parquet_batches(source, COLUMNS, 128):
            for offset, (doc, metric, response) in enumerate(zip(docs, metrics, responses, strict=True)):
                row = first + offset
                if not isinstance(doc, dict) or not isinstance(response, dict):
                    raise input_error(
                        source,
                        row,
                        "field doc or model_response: expected a struct, found "
                        f"{kind_of_value(doc)} and {kind_of_value(response)}",
                        "lighteval writes text where it could not write structs; such a file cannot be read.",
                        where="row",
                    )
                task = doc.get("task_name")
                run = facts.get(task) if isinstance(task, str) else None
                if run is None:
                    benchmark, shots = benchmark_of(task)
                    run = RunFacts(
                        model=model, benchmark=benchmark, parameters=(("num_fewshot", shots),) if shots else ()
                    )
                    facts[task if isinstance(task, str) else None] = run
                yield self._block(source, row, position, doc, _mapping(metric), response, run, list(names), used, notes)
                position += 1

    @staticmethod
    def _is_truth(value: Any) -> bool:
        return isinstance(value, bool) or (isinstance(value, int | float) and value in (0, 1))

    def _block(
        self,
        source: SourceFile,
        row: int,
        position: int,
        doc: Mapping[str, Any],
        metric: Mapping[str, Any],
        response: Mapping[str, Any],
        run: RunFacts,
        names: list[str],
        used: str | None,
        notes: Notes,
    ) -> Block:
        texts = self._texts(source, row, response, notes)
        size = len(texts)
        query = doc.get("query")
        problem = ProblemFacts(
            id=as_text(doc.get("id")) or str(position),
            position=position,
            statement=query if isinstance(query, str) and query else None,
            reference=self._reference(doc),
        )
        verdicts = ["unverified"] * size
        beside: list[Beside] = []
        if size > 1 and metric:
            notes.add(NOT_KEPT)
        elif size == 1 and used is not None:
            said = {name: self._verdict(metric.get(name)) for name in names}
            verdicts = [said[used] or "unverified"]
            beside = [Beside(name, [said[name]], version="lighteval") for name in names if name != used]
        tokens = response.get("output_tokens")
        lengths = None
        if isinstance(tokens, list) and len(tokens) == size and all(isinstance(entry, list) for entry in tokens):
            lengths = [len(entry) or None for entry in tokens]
        return Block(run, problem, verdicts, [row] * size, texts=texts, tokens=lengths, beside=beside)

    def _verdict(self, value: Any) -> str | None:
        if not isinstance(value, bool | int | float):
            return None
        said = parse_correct(value)
        return None if said is None else "correct" if said else "wrong"

    @staticmethod
    def _texts(source: SourceFile, row: int, response: Mapping[str, Any], notes: Notes) -> list[str | None]:
        texts = response.get("text")
        if texts is None:
            return []
        if not isinstance(texts, list) or not all(isinstance(text, str | None) for text in texts):
            raise input_error(source, row, "field model_response.text: expected a list of strings", where="row")
        reasonings = response.get("reasonings")
        if not isinstance(reasonings, list) or len(reasonings) != len(texts):
            return list(texts)
        joined: list[str | None] = []
        for text, reasoning in zip(texts, reasonings, strict=True):
            if isinstance(reasoning, str) and reasoning:
                notes.add(THINKING)
                joined.append(f"<think>\n{reasoning}\n</think>\n\n{text or ''}")
            else:
                joined.append(text)
        return joined

    @staticmethod
    def _reference(doc: Mapping[str, Any]) -> str | None:
        """The choice that `gold_index` names, or the first of several."""
        choices, gold = doc.get("choices"), doc.get("gold_index")
        gold = gold[0] if isinstance(gold, list) and gold else gold
        if isinstance(choices, list) and isinstance(gold, int) and 0 <= gold < len(choices):
            return as_text(choices[gold])
        return None


importer = LightEval()
