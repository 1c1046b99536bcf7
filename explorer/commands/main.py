"""The command `passk`: a sub-command, or a store to open in the explorer."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING

from backend.errors import PasskError

if TYPE_CHECKING:
    import argparse

COMMANDS = {
    "import": ("explorer.commands.import_results", "read result files into a store"),
    "verify": ("explorer.commands.verify", "give stored samples a verdict with the benchmark's verifier"),
    "runs": ("explorer.commands.runs", "list the runs of a store"),
    "curves": ("explorer.commands.curves", "pass@k of runs"),
    "difference": ("explorer.commands.curves", "RL - base with its interval, and where the curves cross"),
    "sets": ("explorer.commands.sets", "solve sets of two runs: both, base-only, RL-only, neither"),
    "plan": ("explorer.commands.sampling", "where the next samples of two runs would settle most doubt"),
    "stats": ("explorer.commands.stats", "accuracy, efficiency, steps, temperature, lengths, agreement, verdicts"),
    "paths": ("explorer.commands.paths", "the samples of one problem with their texts, as jsonl"),
    "tree": ("explorer.commands.paths", "all samples of one problem merged by their steps"),
    "compare": ("explorer.commands.paths", "one path beside the nearest other, differences marked"),
    "judge": ("explorer.commands.judgements", "say whether a path's reasoning is valid, or let a step checker say it"),
    "judgements": ("explorer.commands.judgements", "what was judged: list, queue, CoT-pass@k, sets by valid paths"),
    "search": ("explorer.commands.paths", "search the texts of samples; prints the paths found as jsonl"),
    "benchmark": ("explorer.commands.runs", "add problems to sample from, or list the benchmarks"),
    "sample": ("explorer.commands.sampling", "draw samples from a model into a store"),
    "score": ("explorer.commands.scoring", "score stored texts under a model: what perplexities are made of"),
    "perplexity": ("explorer.commands.scoring", "perplexities of runs and reference responses under models"),
    "jobs": ("explorer.commands.sampling", "list jobs; show, log, cancel or resume one"),
    "work": ("explorer.commands.sampling", "do a job, here"),
    "export": ("explorer.commands.export", "write comparisons, figures, paths, problems or a dataset to files"),
    "config": ("explorer.commands.doctor", "print every key of config.toml, and where it lies"),
    "doctor": ("explorer.commands.doctor", "what is installed and what this terminal can do"),
}
"""Sub-command -> module with `add_COMMAND(parser)` and `run_COMMAND(arguments)`, and what it is for."""

EPILOGUE = """\
passk [STORE] [@PLACE] opens the explorer. STORE is a folder, usually NAME.passk; without it $PASSK_STORE counts, then
./store.passk, then the sample store. A store named like a command is opened as ./NAME. @PLACE is what Y copies in the
explorer: it opens there.
"""


def _parser(command: str | None) -> argparse.ArgumentParser:
    # Here and not above: opening the explorer needs neither.
    import argparse
    from importlib.metadata import version

    parser = argparse.ArgumentParser(
        prog="passk",
        description="Terminal explorer for pass@k: from curves to solve sets to the single reasoning path.",
        epilog=EPILOGUE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        usage="passk [STORE] [@PLACE] | passk COMMAND [OPTIONS]",
    )
    parser.add_argument("--version", action="version", version=f"passk {version('passk-explorer')}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands", prog="passk")
    for name, (module, purpose) in COMMANDS.items():
        sub = commands.add_parser(name, help=purpose, description=purpose[0].upper() + purpose[1:] + ".")
        if name == command:
            # Only the wanted command's module is imported: start-up stays short.
            loaded = import_module(module)
            getattr(loaded, f"add_{name}")(sub)
            sub.set_defaults(handler=getattr(loaded, f"run_{name}"))
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `passk`; returns the exit status: 0, 1 for a failure, 2 for wrong usage, 130 when interrupted."""
    # What is started from here, judging processes first, must not look for modules in the working folder.
    os.environ["PYTHONSAFEPATH"] = "1"
    warnings.formatwarning = lambda message, *_, **__: f"passk: {message}\n"
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        if not words or (words[0] not in COMMANDS and not words[0].startswith("-")):
            stores = [word for word in words if not word.startswith("@")]
            places = [word for word in words if word.startswith("@")]
            if len(stores) > 1 or len(places) > 1:
                _parser(None).error(f"unknown command {words[0]}, or more than one store or place")
            from explorer.commands.open_explorer import open_explorer

            return open_explorer(stores[0] if stores else None, places[0] if places else None)
        parsed = _parser(words[0]).parse_args(words)
        status: int = parsed.handler(parsed)
        sys.stdout.flush()
        return status
    except PasskError as error:
        from explorer.commands.output import say

        say(f"passk: {error}")
        return 1
    except (KeyboardInterrupt, RuntimeError) as error:
        # Ctrl-C in the middle of a query is a RuntimeError of DuckDB's.
        if isinstance(error, RuntimeError) and str(error) != "Query interrupted":
            raise
        print("passk: interrupted; nothing half-done is left", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # The reader (head, less) has seen enough. Python would complain again when it flushes stdout at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


if __name__ == "__main__":
    sys.exit(main())
