"""The command `passk`: a sub-command, or a store to open in the explorer."""

from __future__ import annotations

import errno
import os
import sys
import warnings
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

from backend.errors import PasskError
from backend.visible_text import visible

if TYPE_CHECKING:
    from types import TracebackType

    from explorer.commands.command import Command

COMMANDS = {
    "import": ("import_results", "read result files into a store"),
    "watch": ("watch", "follow files and folders of results: import what is there, and then what comes"),
    "verify": ("verify", "give stored samples a verdict with the benchmark's verifier"),
    "audit": ("audit", "where two verifiers disagree on base and RL, and what that does to sets and curves"),
    "runs": ("runs", "list the runs of a store"),
    "imports": ("taking_back", "list what was imported, when, by whom and from which files"),
    "compact": ("taking_back", "merge what waits; with --forget, drop for good what was taken back"),
    "undo": ("taking_back", "take an import or a decision back; nothing of it is lost"),
    "redo": ("taking_back", "bring back what was taken back"),
    "run": ("changing", "rename or remove a run, or say what was wrong of its model"),
    "reference": ("changing", "reference answers: list, set or choose; samples are verified anew"),
    "match": ("matching", "which problems of two runs are one, and by what; --by makes them one"),
    "override": ("changing", "let your verdict on a sample count instead of the verifier's, with a reason"),
    "curves": ("curves", "pass@k of runs"),
    "difference": ("curves", "RL − base with its interval, and where the curves cross"),
    "sets": ("sets", "solve sets of two runs: both, base-only, RL-only, neither"),
    "plan": ("sampling", "where the next samples of two runs would settle most"),
    "stats": ("stats", "accuracy, efficiency, steps, temperature, lengths, agreement, verdicts"),
    "paths": ("paths", "the samples of one problem with their texts, as jsonl"),
    "tree": ("paths", "all samples of one problem merged by their steps"),
    "compare": ("paths", "one path beside the nearest other, differences marked"),
    "judge": ("judgements", "say whether a path's reasoning is valid, or let a step checker say it"),
    "judgements": ("judgements", "what was judged: list, queue, CoT-pass@k, sets by valid paths"),
    "search": ("paths", "search the texts of samples; prints the paths found as jsonl"),
    "benchmark": ("runs", "add problems to sample from, or list the benchmarks"),
    "sample": ("sampling", "draw samples from a model into a store"),
    "score": ("scoring", "store the log-probabilities of texts under a model: what perplexities are made of"),
    "perplexity": ("scoring", "perplexities of runs and reference responses under models"),
    "jobs": ("sampling", "list jobs; show, log, cancel or resume one"),
    "work": ("sampling", "do a job, here"),
    "export": ("export", "write comparisons, figures, paths, problems or a dataset to files"),
    "copy": ("copying", "copy a store while others write it, to a folder or an archive"),
    "config": ("doctor", "print every key of config.toml, and where it lies"),
    "doctor": ("doctor", "what is installed and what this terminal can do"),
}
"""Sub-command -> module whose `COMMANDS` declares it, and what it is for."""

USAGE = "passk [STORE] [@PLACE] | passk PATH [OPTIONS] | passk COMMAND [OPTIONS]"

EPILOGUE = """\
passk [STORE] [@PLACE] opens the explorer. STORE is a folder, usually NAME.passk; without it $PASSK_STORE counts, then
./store.passk, then the sample store. @PLACE is what Y copies in the explorer: it opens there.
passk PATH opens a file or folder of results and follows it: new files and rows appear as they are written. It asks for
what the files do not say; passk PATH --help lists what can be said beforehand. What comes stays in your cache, or in S
with --store S. What is named like a command is opened as ./NAME. passk COMMAND --help explains a command.
"""


def load_command(name: str) -> Command:
    """A command's declaration; only its own module is imported: start-up stays short."""
    from dataclasses import replace

    module, purpose = COMMANDS[name]
    declared: Command = import_module(f"explorer.commands.{module}").COMMANDS[name]
    return replace(declared, purpose=purpose)


@cache
def every_command() -> Mapping[str, Command]:
    return {name: load_command(name) for name in COMMANDS}


def _run(words: Sequence[str]) -> int:
    if words and words[0] in COMMANDS:
        from explorer.commands.command import parse

        run, parsed = parse(words[0], load_command(words[0]), words[1:], every_command)
        status = run(parsed)
        sys.stdout.flush()
        return status
    if words and (path := _results_at(words[0])) is not None:
        return _open_path(path, words[1:])
    stores = [word for word in words if not word.startswith("@")]
    places = [word for word in words if word.startswith("@")]
    if len(stores) > 1 or len(places) > 1 or any(word.startswith("-") for word in stores):
        _explain(words)
    if stores and not os.path.lexists(os.path.expanduser(stores[0])):
        _refuse_unknown(stores[0])
    from explorer.commands.open_explorer import open_explorer

    return open_explorer(stores[0] if stores else None, places[0] if places else None)


def _results_at(word: str) -> str | None:
    """The path that a word is, if it is one of results: a file, or a folder that is no store."""
    path = os.path.expanduser(word)
    if word.startswith(("-", "@")) or not os.path.exists(path):
        return None
    is_store = os.path.isfile(os.path.join(path, "base.duckdb")) or os.path.isdir(os.path.join(path, "parts"))
    return None if is_store or (os.path.isdir(path) and path.rstrip("/").endswith(".passk")) else path


def _open_path(path: str, options: Sequence[str]) -> int:
    from explorer.commands.command import parse
    from explorer.commands.open_path import OF_PATH

    places = [word for word in options if word.startswith("@")]
    options = [word for word in options if word not in places]
    run, parsed = parse("PATH", OF_PATH, [os.path.abspath(path), *options], every_command)
    parsed.words, parsed.place = _said_of_files(options), places[0] if places else None
    return run(parsed)


def _said_of_files(options: Sequence[str]) -> list[str]:
    """The options without the store's: what was said of the files."""
    said: list[str] = []
    is_value = False
    for word in options:
        if not is_value and not word.startswith("--store"):
            said.append(word)
        is_value = not is_value and word == "--store"
    return said


def _refuse_unknown(word: str) -> None:
    """Raise UsageError for a word that is no command, no store and no results."""
    from backend.errors import UsageError, suggestion

    if os.sep in word or "." in word:
        raise UsageError(
            f"{word}: no such file or folder", next_step="passk PATH opens results, or a store that is there."
        )
    raise UsageError(
        f"{word} is no command, and there is no file or folder of that name here",
        next_step=suggestion(word, list(COMMANDS), "command"),
    )


def _explain(words: Sequence[str]) -> None:
    """Help and version, where they are asked for, or what is wrong with these words; does not return."""
    import argparse
    from importlib.metadata import version

    from explorer.commands.command import Parser

    listing = "\n".join(f"  {name:<12} {purpose}" for name, (_, purpose) in COMMANDS.items())
    parser = Parser(
        prog="passk",
        usage=USAGE,
        description="Terminal explorer for pass@k: from curves to solve sets to the single reasoning path.",
        epilog=f"commands:\n{listing}\n\n{EPILOGUE}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"passk {version('passk-explorer')}")
    parser.parse_known_args(words[:1])
    from backend.errors import suggestion

    near = suggestion(words[0], list(COMMANDS), "command")
    parser.error(f"unknown command {words[0]}, or more than one store or place. {near}")


def _say_traceback(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Passk's own fault: a traceback, which may quote what a file held."""
    import traceback

    print(visible("".join(traceback.format_exception(kind, error, trace))), end="", file=sys.stderr)


def _write_no_more() -> None:
    """Python would complain again when it flushes stdout at exit."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _cause(error: OSError) -> str:
    """What the system refused, and what to do about it."""
    what = f"{error.strerror or error}: {error.filename}" if error.filename else f"{error.strerror or error}"
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"{what}\nMake room there, and do it again: nothing half-done is left."
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"{what}\nThat takes a right that you do not have here: ask its owner, or work on a copy."
    return what


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `passk`; returns the exit status: 0, 1 for a failure, 2 for wrong usage, 130 when interrupted."""
    # What is started from here, judging processes first, must not look for modules in the working folder.
    os.environ["PYTHONSAFEPATH"] = "1"
    warnings.formatwarning = lambda message, *_, **__: f"passk: {visible(str(message))}\n"
    sys.excepthook = _say_traceback
    try:
        return _run(list(sys.argv[1:] if arguments is None else arguments))
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
        # The reader (head, less) has seen enough.
        _write_no_more()
        return 0
    except OSError as error:
        from explorer.commands.output import say

        say(f"passk: {_cause(error)}")
        _write_no_more()
        return 1


if __name__ == "__main__":
    sys.exit(main())
