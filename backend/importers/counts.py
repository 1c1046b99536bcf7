"""Counts: a table of problem, n, c; or of problem and a column of c for each model, with --n. Results without texts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from backend.errors import UsageError, suggestion
from backend.importers.chat import prompt_text
from backend.importers.protocol import Block, Counts, Notes, NotSaid, Options, ProblemFacts, RunFacts
from backend.importers.source import SourceFile, input_error
from backend.importers.tables import (
    COUNT_FIELDS,
    PROBLEM_FIELDS,
    RUN_FIELDS,
    SAMPLE_FIELDS,
    column_names,
    first_values,
    looks_like_csv,
    map_columns,
    move_statement,
    read_rows,
)
from backend.importers.values import as_text, shortened
from backend.records import ROLES

FIELDS = {**RUN_FIELDS, **PROBLEM_FIELDS, **COUNT_FIELDS}
AFFIXES = re.compile(r"^(?:num_correct|n_correct|correct|c)_|_(?:num_correct|n_correct|correct|c)$", re.IGNORECASE)


MOST_SAMPLES = 1_000_000
"""Largest n of a problem: some hundred times what anybody has drawn, and still quick to compute with."""
MOST_STEPS = 2**31 - 1
LOOKED_AT = 1_000
"""Rows that are read to tell counts from verdicts."""


def _whole(value: Any) -> int | None:
    if isinstance(value, str):
        return int(value) if re.fullmatch(r"\s*\d{1,18}\s*", value) else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    # Tables that were a data frame once have whole numbers as 4.0.
    return int(value) if 0 <= value < 10**18 and value == int(value) else None


def _is_csv(source: SourceFile) -> bool:
    return source.selected is None and looks_like_csv(source) is not None


def _role(name: str) -> str | None:
    """The role that a column's name says, such as `base_correct`."""
    words = set(re.split(r"[^a-z]+", name.lower()))
    return next((role for role in ROLES if role in words), None)


class CountsFile:
    name = "counts"
    title = "counts: problem, n, c (csv, json, jsonl, Parquet)"

    def recognise(self, source: SourceFile, options: Options) -> bool:
        """A problem column and whole numbers beside it: n and c, or one column for each model."""
        header = column_names(source)
        if header is None:
            return False
        mapping = self._mapping(source, header, options)
        if not {"problem", "statement"} & mapping.keys():
            return False
        wanted = [mapping["c"]] if "c" in mapping else self._model_columns(header, mapping, options)
        if not wanted or ("c" not in mapping and "n" in mapping):
            return False
        of_samples = set(header).intersection(SAMPLE_FIELDS["text"]).difference(mapping.values())
        named = "c" in mapping or all(AFFIXES.search(name) or _role(name) for name in wanted)
        if not _is_csv(source) and not options.columns and (of_samples or not named):
            # Rows of JSON hold many things: a text is of one sample, and a number of its own name is no count.
            return False
        beginning = list(islice(read_rows(source, wanted), LOOKED_AT))
        if not beginning or any(_whole(value) is None for value in beginning[0][1]):
            return False
        if "c" not in mapping or "n" in mapping or options.n is not None or "c" in options.columns:
            return True
        # Whole numbers and no word of n: 0 and 1 alone are verdicts, and a text is of one sample.
        return not of_samples and any(_whole(values[0]) not in (0, 1, None) for _, values in beginning)

    @staticmethod
    def _mapping(source: SourceFile, header: Sequence[str], options: Options) -> dict[str, str]:
        if not _is_csv(source):
            values = first_values(source, header)
            nested = {name for name, value in zip(header, values, strict=False) if isinstance(value, list | dict)}
            header = [name for name in header if name not in nested or name in options.columns.values()]
        mapping = map_columns(header, FIELDS, options.columns, extra_allowed=True)
        if not _is_csv(source):
            move_statement(source, mapping, header, options.columns)
        return mapping

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
        header = column_names(source) or []
        mapping = self._mapping(source, header, options)
        if "c" in mapping:
            map_columns(header, FIELDS, options.columns)  # refuses fields that there are none of
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
            said: dict[str, Any] = {name: as_text(record.get(name)) or None for name in RUN_FIELDS if name != "step"}
            facts = RunFacts(
                **said,
                step=self._count(source, row, mapping["step"], step, MOST_STEPS) if step not in (None, "") else None,
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
    def _count(source: SourceFile, row: int, column: str, value: Any, most: int = MOST_SAMPLES) -> int:
        number = _whole(value)
        if number is None:
            raise input_error(source, row, f"field {column}: {shortened(value)} is no whole number")
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
        value: Any,
    ) -> Counts:
        c = self._count(source, row, column, value)
        if c > n:
            raise input_error(source, row, f"field {column}: {c} correct of only {n} samples")
        name, statement = as_text(record.get("problem")), prompt_text(record.get("statement"))
        if not name and not statement:
            raise input_error(source, row, "no problem id")
        position = positions.setdefault(name or statement or "", len(positions))
        problem = ProblemFacts(
            name or str(position), position, statement or None, level=as_text(record.get("level")) or None
        )
        return Counts(facts, problem, n, c, row)


importer = CountsFile()
