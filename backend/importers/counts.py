"""Counts: csv of problem, n, c; or of problem and a column of c for each model, with --n. Results without texts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from backend.errors import UsageError, suggestion
from backend.importers.protocol import Block, Counts, Notes, NotSaid, Options, ProblemFacts, RunFacts
from backend.importers.source import SourceFile, input_error
from backend.importers.tables import (
    COUNT_FIELDS,
    PROBLEM_FIELDS,
    RUN_FIELDS,
    SAMPLE_FIELDS,
    looks_like_csv,
    map_columns,
    read_rows,
)
from backend.records import ROLES

FIELDS = {**RUN_FIELDS, **PROBLEM_FIELDS, **COUNT_FIELDS}
AFFIXES = re.compile(r"^(?:num_correct|n_correct|correct|c)_|_(?:num_correct|n_correct|correct|c)$", re.IGNORECASE)


MOST_SAMPLES = 1_000_000
"""Largest n of a problem: some hundred times what anybody has drawn, and still quick to compute with."""
MOST_STEPS = 2**31 - 1
LOOKED_AT = 1_000
"""Rows that are read to tell counts from verdicts."""


def _whole(value: str) -> int | None:
    return int(value) if re.fullmatch(r"\s*\d{1,18}\s*", value) else None


def _role(name: str) -> str | None:
    """The role that a column's name says, such as `base_correct`."""
    words = set(re.split(r"[^a-z]+", name.lower()))
    return next((role for role in ROLES if role in words), None)


class CountsFile:
    name = "counts"
    title = "counts csv: problem, n, c"

    def recognise(self, source: SourceFile, options: Options) -> bool:
        """A csv with a problem column and whole numbers beside it: n and c, or one column for each model."""
        header = looks_like_csv(source)
        if header is None:
            return False
        mapping = map_columns(header, FIELDS, options.columns, extra_allowed=True)
        if "problem" not in mapping:
            return False
        wanted = [mapping["c"]] if "c" in mapping else self._model_columns(header, mapping, options)
        if not wanted or ("c" not in mapping and "n" in mapping):
            return False
        beginning = list(islice(read_rows(source, wanted), LOOKED_AT))
        if not beginning or any(_whole(value) is None for value in beginning[0][1]):
            return False
        if "c" not in mapping or "n" in mapping or options.n is not None or "c" in options.columns:
            return True
        # Whole numbers and no word of n: 0 and 1 alone are verdicts, and a text is of one sample.
        texts = set(header).intersection(SAMPLE_FIELDS["text"]).difference(mapping.values())
        return not texts and any(_whole(values[0]) not in (0, 1) for _, values in beginning)

    @staticmethod
    def _model_columns(header: Sequence[str], mapping: Mapping[str, str], options: Options) -> list[str]:
        named = {field: column for field, column in options.columns.items() if field not in FIELDS}
        for model, column in named.items():
            if column not in header:
                raise UsageError(
                    f"--column {model}={column}: no such column",
                    next_step=suggestion(column, list(header), "column"),
                )
        return list(named.values()) or [column for column in header if column not in mapping.values()]

    def read(self, source: SourceFile, options: Options, notes: Notes) -> Iterator[Block | Counts]:
        """Counts of every problem and model; the id is the problem's identity."""
        header = looks_like_csv(source) or []
        mapping = map_columns(header, FIELDS, options.columns, extra_allowed=True)
        if "c" in mapping:
            mapping = map_columns(header, FIELDS, options.columns)
            yield from self._one_model(source, mapping, options)
        else:
            yield from self._many_models(source, header, mapping, options)

    def _one_model(self, source: SourceFile, mapping: Mapping[str, str], options: Options) -> Iterator[Counts]:
        if "n" not in mapping and options.n is None:
            raise NotSaid(f"{source.path} has no column n", next_step="Say how many samples c counts of: --n N")
        fields = list(mapping)
        positions: dict[str, int] = {}
        for row, values in read_rows(source, [mapping[field] for field in fields]):
            record = dict(zip(fields, values, strict=True))
            step = record.get("step")
            facts = RunFacts(
                run=record.get("run") or None,
                model=record.get("model") or None,
                role=record.get("role") or None,
                from_model=record.get("from_model") or None,
                step=self._count(source, row, mapping["step"], step, MOST_STEPS) if step else None,
                algorithm=record.get("algorithm") or None,
                benchmark=record.get("benchmark") or None,
            )
            n = self._count(source, row, mapping["n"], record["n"]) if "n" in mapping else options.n
            yield self._counts(source, row, facts, record, positions, n or 0, mapping["c"], record["c"])

    def _many_models(
        self, source: SourceFile, header: Sequence[str], mapping: Mapping[str, str], options: Options
    ) -> Iterator[Counts]:
        columns = self._model_columns(header, mapping, options)
        if options.n is None:
            raise NotSaid(
                f"{source.path} holds counts of {', '.join(columns)}, but not of how many samples",
                next_step="Say how many samples c counts of: --n N",
            )
        names = {column: field for field, column in options.columns.items() if field not in FIELDS}
        models = [names.get(column) or AFFIXES.sub("", column) or column for column in columns]
        facts = [RunFacts(model=model, role=_role(column)) for model, column in zip(models, columns, strict=True)]
        shared = [field for field in mapping if field in PROBLEM_FIELDS]
        positions: dict[str, int] = {}
        for row, values in read_rows(source, [mapping[field] for field in shared] + columns):
            record: dict[str, Any] = dict(zip(shared, values, strict=False))
            for run, column, value in zip(facts, columns, values[len(shared) :], strict=True):
                yield self._counts(source, row, run, record, positions, options.n, column, value)

    @staticmethod
    def _count(source: SourceFile, row: int, column: str, value: str, most: int = MOST_SAMPLES) -> int:
        number = _whole(value)
        if number is None:
            raise input_error(source, row, f"field {column}: {value!r} is no whole number")
        if number > most:
            raise input_error(source, row, f"field {column}: {value} is more than {most:,}")
        return number

    def _counts(
        self,
        source: SourceFile,
        row: int,
        facts: RunFacts,
        record: Mapping[str, Any],
        positions: dict[str, int],
        n: int,
        column: str,
        value: str,
    ) -> Counts:
        c = self._count(source, row, column, value)
        if c > n:
            raise input_error(source, row, f"field {column}: {c} correct of only {n} samples")
        if not record["problem"]:
            raise input_error(source, row, "no problem id")
        position = positions.setdefault(record["problem"], len(positions))
        problem = ProblemFacts(
            record["problem"], position, record.get("statement") or None, level=record.get("level") or None
        )
        return Counts(facts, problem, n, c, row)


importer = CountsFile()
