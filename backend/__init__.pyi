"""The public face of the backend: the one list of its names. They are loaded when they are first used.

The explorer knows these, `backend.records`, `backend.errors` and `backend.settings`, and nothing below.
"""

from .benchmarks.add import add_benchmark as add_benchmark
from .benchmarks.add import known_benchmarks as known_benchmarks
from .benchmarks.problems import BenchmarkColumns as BenchmarkColumns
from .comparison import PAIR_SETS as PAIR_SETS
from .comparison import curves as curves
from .comparison import default_pairs as default_pairs
from .comparison import every_k as every_k
from .comparison import pair_summaries as pair_summaries
from .comparison import solve_sets as solve_sets
from .configuration import Configuration as Configuration
from .configuration import read_configuration as read_configuration
from .engines.registry import engine_option as engine_option
from .engines.registry import load_engine as load_engine
from .importers.import_files import import_files as import_files
from .importers.protocol import Options as Options
from .importers.registry import importers as importers
from .importers.report import ImportReport as ImportReport
from .importers.report import RunReport as RunReport
from .importers.targets import RunOptions as RunOptions
from .jobs.draw import draw as draw
from .jobs.job import Job as Job
from .jobs.job import JobStatus as JobStatus
from .jobs.job import describe as describe
from .jobs.job import find_job as find_job
from .jobs.job import jobs_of as jobs_of
from .jobs.job import prepare as prepare
from .jobs.plan import EngineChoice as EngineChoice
from .jobs.plan import SamplingPlan as SamplingPlan
from .jobs.plan import plan_run as plan_run
from .jobs.requests import Addition as Addition
from .jobs.requests import plan_addition as plan_addition
from .jobs.resampling import Resampling as Resampling
from .jobs.resampling import moves as moves
from .jobs.resampling import plan_resampling as plan_resampling
from .jobs.resampling import start_resampling as start_resampling
from .jobs.templates import template_for as template_for
from .jobs.worker import work as work
from .metrics.pass_at_k import powers_and_end as powers_and_end
from .metrics.solve_sets import all_combinations as all_combinations
from .sample_store import is_sample_store as is_sample_store
from .sample_store import sample_store as sample_store
from .selection import select as select
from .settings import store_for_reading as store_for_reading
from .settings import store_for_writing as store_for_writing
from .store.database import Database as Database
from .store.database import open_store as open_store
from .store.layout import StoreLayout as StoreLayout
from .store.layout import require_store as require_store
from .store.merge import merge as merge
from .store.merge import rebuild_statistics as rebuild_statistics
from .store.reads import Reader as Reader
from .verifiers.registry import verifier_for as verifier_for
