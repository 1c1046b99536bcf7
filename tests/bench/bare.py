"""What each step costs DuckDB alone: the same statements on the same file, warm, in a connection of their own."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import duckdb

import queries

Statements = list[tuple[str, dict[str, Any]]]
REPEATS = 11


def _connect(root: Path) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute(queries.render("overlay/attach", base=[str(root / "base.duckdb")]))
    for name in ("overlay/tables", "overlay/views", "overlay/outcomes", "overlay/texts"):
        connection.execute(queries.render(name))
    return connection


def _steps(connection: duckdb.DuckDBPyConnection, long_problem: str) -> dict[str, Statements]:
    """The statements of every step, each once."""
    names = [name for name, _ in queries.query("reads/runs").columns]
    runs = [dict(zip(names, row, strict=True)) for row in connection.execute(queries.load("reads/runs")).fetchall()]
    every = [run["run_key"] for run in runs]
    here = [run["run_key"] for run in runs if run["benchmark"] == "Bench1"]
    labels = {"benchmark": "Bench1", "name": long_problem}
    key = connection.execute(queries.load("reads/problem_labels"), labels).fetchall()[0][0]
    problem = {"problem_key": key}
    one = {"run_key": here[0], "problem_key": key, "sample": 0}
    page = {"run_key": here[0], "problem_key": key, "verdict": None, "limit": 5_000, "offset": 0}
    run_list: Statements = [("reads/runs", {})]
    answers: Statements = [("reads/problem_answers", {"run_keys": here, "longest": 2_000, **problem})]
    around: Statements = [*run_list, ("reads/problem", problem), ("reads/problem_tallies", problem)]
    samples: Statements = [("reads/samples", page), ("reads/sources", {})]
    return {
        "Home": [*run_list, ("reads/tallies", {"run_keys": every})],
        "Curves": [*run_list, ("reads/tallies", {"run_keys": here})],
        "k cursor": [*run_list, ("reads/tallies", {"run_keys": here})],
        "Sets": [*run_list, ("reads/set_problems", {"run_keys": here[:2], "excerpt": 300})],
        "Problem": [*around, *answers, *samples],
        "Path": [*around, *samples, ("reads/sample", one), ("reads/text", one)],
    }


def bare_fastest(root: Path, long_problem: str) -> dict[str, float]:
    """Seconds of every step's statements, rows fetched; the fastest of several rounds."""
    result = {}
    with _connect(root) as connection:
        for step, statements in _steps(connection, long_problem).items():
            times = []
            for _ in range(REPEATS):
                before = time.perf_counter()
                for name, parameters in statements:
                    connection.execute(queries.load(name), parameters or None).fetchall()
                times.append(time.perf_counter() - before)
            result[step] = min(times)
    return result
