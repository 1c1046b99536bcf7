"""passk's backend. This module is its public face; the explorer knows this, `records`, `errors` and nothing below.

Names are loaded when they are first used, so that a command pays only for what it needs.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from backend.benchmarks.add import add_benchmark, known_benchmarks
    from backend.benchmarks.problems import BenchmarkColumns
    from backend.comparison import (
        PAIR_SETS,
        curves,
        default_pairs,
        every_k,
        pair_summaries,
        solve_sets,
    )
    from backend.configuration import Configuration, read_configuration
    from backend.engines.registry import engine_option, load_engine
    from backend.importers.import_files import import_files
    from backend.importers.protocol import Options
    from backend.importers.registry import importers
    from backend.importers.report import ImportReport, RunReport
    from backend.importers.targets import RunOptions
    from backend.jobs.draw import draw
    from backend.jobs.job import Job, JobStatus, describe, find_job, jobs_of, prepare
    from backend.jobs.plan import EngineChoice, SamplingPlan, plan_run
    from backend.jobs.requests import Addition, plan_addition
    from backend.jobs.resampling import Resampling, moves, plan_resampling, start_resampling
    from backend.jobs.templates import template_for
    from backend.jobs.worker import work
    from backend.metrics.pass_at_k import powers_and_end
    from backend.metrics.solve_sets import all_combinations
    from backend.sample_store import is_sample_store, sample_store
    from backend.selection import select
    from backend.settings import store_for_reading, store_for_writing
    from backend.store.database import Database, open_store
    from backend.store.layout import StoreLayout, require_store
    from backend.store.merge import merge, rebuild_statistics
    from backend.store.reads import Reader
    from backend.verifiers.registry import verifier_for

_HOMES = {
    "backend.benchmarks.add": ("add_benchmark", "known_benchmarks"),
    "backend.benchmarks.problems": ("BenchmarkColumns",),
    "backend.comparison": (
        "PAIR_SETS",
        "curves",
        "default_pairs",
        "engine_option",
        "every_k",
        "pair_summaries",
        "solve_sets",
    ),
    "backend.configuration": ("Configuration", "read_configuration"),
    "backend.engines.registry": ("engine_option", "load_engine"),
    "backend.importers.import_files": ("import_files",),
    "backend.importers.protocol": ("Options",),
    "backend.importers.registry": ("importers",),
    "backend.importers.report": ("ImportReport", "RunReport"),
    "backend.importers.targets": ("RunOptions",),
    "backend.jobs.draw": ("draw",),
    "backend.jobs.job": ("Job", "JobStatus", "describe", "find_job", "jobs_of", "prepare"),
    "backend.jobs.plan": ("EngineChoice", "SamplingPlan", "plan_run"),
    "backend.jobs.requests": ("Addition", "plan_addition"),
    "backend.jobs.resampling": ("Resampling", "moves", "plan_resampling", "start_resampling"),
    "backend.jobs.templates": ("template_for",),
    "backend.jobs.worker": ("work",),
    "backend.metrics.pass_at_k": ("powers_and_end",),
    "backend.metrics.solve_sets": ("all_combinations",),
    "backend.sample_store": ("is_sample_store", "sample_store"),
    "backend.selection": ("select",),
    "backend.settings": ("store_for_reading", "store_for_writing"),
    "backend.store.database": ("Database", "open_store"),
    "backend.store.layout": ("StoreLayout", "require_store"),
    "backend.store.merge": ("merge", "rebuild_statistics"),
    "backend.store.reads": ("Reader",),
    "backend.verifiers.registry": ("verifier_for",),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [  # noqa: RUF022 - the table above is the one list
    "Addition",
    "BenchmarkColumns",
    "Configuration",
    "Database",
    "EngineChoice",
    "ImportReport",
    "Job",
    "JobStatus",
    "Options",
    "PAIR_SETS",
    "Reader",
    "Resampling",
    "RunOptions",
    "RunReport",
    "SamplingPlan",
    "StoreLayout",
    "add_benchmark",
    "all_combinations",
    "curves",
    "default_pairs",
    "describe",
    "draw",
    "engine_option",
    "every_k",
    "find_job",
    "import_files",
    "importers",
    "is_sample_store",
    "jobs_of",
    "known_benchmarks",
    "load_engine",
    "merge",
    "moves",
    "open_store",
    "pair_summaries",
    "plan_addition",
    "plan_resampling",
    "plan_run",
    "powers_and_end",
    "prepare",
    "read_configuration",
    "rebuild_statistics",
    "require_store",
    "sample_store",
    "select",
    "solve_sets",
    "start_resampling",
    "store_for_reading",
    "store_for_writing",
    "template_for",
    "verifier_for",
    "work",
]


def __getattr__(name: str) -> Any:
    """Load a name of the public face."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value
