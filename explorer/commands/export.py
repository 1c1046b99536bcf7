"""passk export."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from explorer.commands.options import add_problems, add_store, positive
from explorer.commands.output import say
from explorer.render.exports import written_in_words

if TYPE_CHECKING:
    from backend import Reader
    from backend.records.exports import ExportRequest

MEMORY = "150MB"
"""What DuckDB may keep in memory: an export reads everything once, so that keeping it would help nobody."""


def add_export(parser: argparse.ArgumentParser) -> None:
    """Options of `passk export`."""
    from backend.records import VERDICTS
    from backend.records.exports import PURPOSES

    add_store(parser)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = "what:\n" + "\n".join(f"  {what:<11} {purpose}" for what, purpose in PURPOSES.items())
    parser.add_argument("what", metavar="WHAT", nargs="?", choices=list(PURPOSES), help="what to export; see below")
    parser.add_argument(
        "--to", metavar="FILE", nargs="+", required=True,
        help="the file, whose ending chooses the form; or: datasets DIR, a folder that load_dataset reads",
    )  # fmt: skip
    parser.add_argument("--base", metavar="R", help="the base run")
    parser.add_argument("--rl", metavar="R", help="the RL run")
    parser.add_argument("--run", metavar="R", action="append", default=[], help="a run; may be repeated")
    parser.add_argument("--benchmark", metavar="B", help="all runs of this benchmark, or where to look for the runs")
    add_problems(parser)
    parser.add_argument("--min-correct", metavar="T", type=positive, default=1, help="sets: correct samples to solve")
    parser.add_argument(
        "--bands", choices=("problems", "samples", "off"), default="problems", help="curves: whose chance bands show"
    )
    parser.add_argument(
        "--verdict", choices=(*VERDICTS, "right", "not-right"),
        help="paths: only samples with this verdict; perplexity: only right or not-right samples",
    )  # fmt: skip
    parser.add_argument("--find", metavar="PATTERN", help="paths: only samples that `passk search PATTERN` finds")
    parser.add_argument("--sample", metavar="I", type=int, help="paths: only the sample of this index")
    parser.add_argument("--limit", metavar="N", type=positive, help="paths: at most N samples a run and problem")
    parser.add_argument(
        "--as", dest="form", choices=("verl",), help="problems: the columns that verl trains from, in a .parquet"
    )
    parser.add_argument("--force", action="store_true", help="overwrite what is there")
    parser.add_argument("--push", metavar="NAME", help="datasets: upload the folder to the Hugging Face hub, private")


def place_of(arguments: argparse.Namespace) -> tuple[str, Path]:
    """What is to be exported, and to where.

    Raises:
        UsageError: that is not clear.
    """
    from backend.errors import UsageError

    to: list[str] = arguments.to
    what: str | None = arguments.what
    if to[0] == "datasets" and len(to) == 2 and what in (None, "datasets"):
        return "datasets", Path(to[1])
    if len(to) > 1:
        raise UsageError(f"--to {' '.join(to)}: one file, or: datasets DIR")
    if what is None:
        raise UsageError("What is to be exported?", next_step="passk export sets|curves|paths|problems ... --to FILE")
    return what, Path(to[0])


def run_names(reader: Reader, what: str, arguments: argparse.Namespace) -> tuple[str, ...]:
    """The runs that are meant, base first: those named, else all of the benchmark.

    Raises:
        UsageError: one does not exist, or it is not clear which are meant.
    """
    from backend import default_pairs
    from backend.errors import UsageError

    benchmark = reader.benchmark(arguments.benchmark) if arguments.benchmark else None
    named = [name for name in (arguments.base, arguments.rl, *arguments.run) if name]
    if named:
        return tuple(reader.run(name, benchmark).name for name in named)
    if what in ("sets", "difference"):
        pairs = default_pairs(reader.runs(reader.benchmark(arguments.benchmark)))
        if len(pairs) != 1:
            raise UsageError(f"Which runs? There are {len(pairs)} pairs", next_step="--base R --rl R")
        return tuple(run.name for run in pairs[0])
    if what == "datasets" and benchmark is None:
        return tuple(run.name for run in reader.runs())
    runs = reader.runs(reader.benchmark(arguments.benchmark))
    if what in ("efficiency", "temperature"):
        # Those are seen against a base run, which comes first.
        runs = tuple({run.key: run for run in (*(pair[0] for pair in default_pairs(runs)), *runs)}.values())
    return tuple(run.name for run in runs)


def request_of(reader: Reader, what: str, path: Path, arguments: argparse.Namespace) -> ExportRequest:
    """The request that the options make; raises UsageError."""
    from backend import form_of
    from backend.records.exports import ExportRequest

    return ExportRequest(
        what=what,
        form=form_of(what, path, arguments.form == "verl"),
        runs=run_names(reader, what, arguments),
        problems=arguments.problems,
        min_correct=arguments.min_correct,
        bands=arguments.bands,
        verdict=arguments.verdict,
        sample=arguments.sample,
        limit=arguments.limit,
        find=arguments.find,
    )


class Progress:
    """A line on stderr that is rewritten in place, from the second second on and only on a terminal."""

    def __init__(self) -> None:
        self.started = time.monotonic()
        self.shown = False

    def __call__(self, done: int, total: int) -> None:
        """So far."""
        if time.monotonic() - self.started < 1 or not sys.stderr.isatty():
            return
        self.shown = True
        share = done / total if total else 1.0
        bar = "█" * round(30 * share)
        print(f"\r{bar:░<30} {share:4.0%}  {done:,} of {total:,} ", end="", file=sys.stderr, flush=True)

    def clear(self) -> None:
        """Remove the line."""
        if self.shown:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)


def stop_as_ctrl_c_does() -> None:
    """A terminal that goes away, and a kill, leave nothing half-written either. What nohup ignores stays ignored."""
    if threading.current_thread() is threading.main_thread():
        for name in ("SIGTERM", "SIGHUP"):
            number = getattr(signal, name, None)
            if number is not None and signal.getsignal(number) == signal.SIG_DFL:
                signal.signal(number, signal.default_int_handler)


def run_export(arguments: argparse.Namespace) -> int:
    """Write the file and say what is in it."""
    from backend import Reader, export, open_store, push_dataset, store_for_reading
    from backend.errors import UsageError

    stop_as_ctrl_c_does()
    what, path = place_of(arguments)
    if arguments.push and what != "datasets":
        raise UsageError("--push is for datasets", next_step="passk export --to datasets DIR --push NAME")
    progress = Progress()
    database = open_store(store_for_reading(arguments.store), memory_limit=MEMORY)
    with closing(database), Reader(database) as reader:
        request = request_of(reader, what, path, arguments)
        try:
            made = export(reader, request, path, force=arguments.force, tell=progress)
        finally:
            progress.clear()
    for line in written_in_words(made):
        say(line)
    if arguments.push:
        say(f"Pushed to {push_dataset(path, arguments.push)}")
    return 0
