"""passk doctor and config: what is installed, and what the user has set."""

from __future__ import annotations

import argparse
import locale
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version

from explorer.commands.command import Command, Mode
from explorer.commands.output import Progress, print_rows, say
from explorer.options import FORMAT, Option, folder_or_name

CORE = ("passk-explorer", "textual", "textual-plotext", "plotext", "duckdb", "pyarrow", "numpy", "orjson")


def run_doctor(arguments: argparse.Namespace) -> int:
    """Print what was found; the exit status is 1 when something that the explorer needs is missing."""
    if arguments.rebuild:
        return _rebuild(arguments.rebuild)
    if arguments.store:
        return _check_store(arguments.store, arguments.format, repair=arguments.repair)
    if arguments.plugin:
        return _conforms(arguments.plugin, arguments.example)
    rows = [
        _row("python", platform.python_version(), sys.version_info >= (3, 11), "3.11 or newer is needed"),
        *(_package(name) for name in CORE),
        *_plug_ins(),
        _library("datasets", "loads benchmarks: pip install 'passk-explorer[datasets]'"),
        _gpu(),
        _configuration(),
        *_terminal(),
    ]
    print_rows(arguments.format, ("what", "found", "status", "note"), rows)
    return 1 if any(row["status"] == "missing" for row in rows) else 0


def _rebuild(store: str) -> int:
    from backend import rebuild_tallies, store_for_reading

    layout = store_for_reading(store)
    rebuild_tallies(layout)
    say(f"The tallies (n and c) of {layout.root} were derived anew from its samples.")
    return 0


def _check_store(store: str, form: str, *, repair: bool) -> int:
    """Read all of a store; exit status 1 where something is damaged, and was not repaired."""
    from backend import check_store, repair_store, store_for_reading

    layout = store_for_reading(store)
    with Progress("tables and parts") as progress:
        done = repair_store(layout, progress) if repair else []
        findings = check_store(layout, progress)
    for line in done:
        say(line)
    rows = [{"what": found.what, "status": found.status, "note": found.note} for found in findings]
    print_rows(form, ("what", "status", "note"), rows)
    bad = sum(not found.good for found in findings)
    if bad and not repair:
        say(f"passk doctor --store {layout.root} --repair moves what is damaged aside (it deletes nothing).")
    return 1 if bad else 0


def _conforms(name: str, example: str | None) -> int:
    from backend import check_installed

    found = check_installed(name, example)
    for what, problems in found.items():
        say(f"The {what} {name} keeps its protocol." if not problems else f"The {what} {name} does not conform:")
        for problem in problems:
            say(f"  {problem}")
    return 1 if any(found.values()) else 0


def _row(what: str, found: str | None, good: bool, note: str, *, optional: bool = False) -> dict[str, str | None]:
    status = "ok" if good else "not installed" if optional else "missing"
    return {"what": what, "found": found, "status": status, "note": "" if good and not optional else note}


def _package(name: str) -> dict[str, str | None]:
    try:
        return _row(name, version(name), True, "")
    except PackageNotFoundError:
        return _row(name, None, False, "pip install passk-explorer")


def _library(name: str, purpose: str) -> dict[str, str | None]:
    try:
        return _row(name, version(name), True, purpose, optional=True)
    except PackageNotFoundError:
        return _row(name, None, False, purpose, optional=True)


def _plug_ins() -> Iterator[dict[str, str | None]]:
    """Every engine, and of the rest what needs something beyond the core or comes from another package."""
    from backend import PLUG_INS, missing_modules
    from backend.errors import UsageError

    for kind in PLUG_INS:
        for name in kind.names():
            try:
                made = kind.load(name)
            except UsageError as error:
                yield {"what": name, "found": None, "status": "broken", "note": f"{error.title}: {error.detail}"}
                continue
            needs = getattr(made, "needs", {})
            if kind.what != "engine" and not needs and name in kind.built_in:
                continue
            missing = missing_modules(made)
            note = f"engine: {made.purpose}" if kind.what == "engine" else kind.what
            if missing:
                note += f"; missing: {', '.join(missing)}: {' and '.join(dict.fromkeys(missing.values()))}"
            yield _row(name, _versions(needs) if not missing else None, not missing, note, optional=True)


def _versions(modules: Iterable[str]) -> str:
    found = []
    for module in modules:
        with suppress(PackageNotFoundError):
            found.append(f"{module} {version(module.replace('_', '-'))}")
    return ", ".join(found) or "here"


def _gpu() -> dict[str, str | None]:
    """The GPUs by the driver's own word: importing torch to ask it would take seconds."""
    asked = ["nvidia-smi", "--query-gpu=name,memory.total", "--format=csv,noheader"]
    try:
        answer = subprocess.run(asked, capture_output=True, text=True, timeout=10, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        note = (
            "no NVIDIA driver answers here: samples are drawn on the CPU, by a server, or by a job on another machine"
        )
        return {"what": "gpu", "found": None, "status": "none", "note": note}
    names = [" ".join(line.split()) for line in answer.splitlines() if line.strip()]
    found = "; ".join(f"{names.count(name)} x {name}" for name in dict.fromkeys(names))
    try:
        torch = version("torch")
    except PackageNotFoundError:
        torch = ""
    if torch.endswith("+cpu"):
        note = f"torch {torch} is a build for CPUs: install one for CUDA, or samples are drawn on the CPU"
        return {"what": "gpu", "found": found, "status": "unused", "note": note}
    return {"what": "gpu", "found": found, "status": "ok", "note": ""}


def _configuration() -> dict[str, str | None]:
    from backend import read_configuration
    from backend.errors import PasskError

    try:
        configuration = read_configuration()
    except PasskError as error:
        return {"what": "configuration", "found": None, "status": "wrong", "note": str(error)}
    there = configuration.path.exists()
    note = "" if there else "optional: engines, model folders, defaults; passk config shows every key"
    status = "ok" if there else "none"
    return {"what": "configuration", "found": str(configuration.path), "status": status, "note": note}


def _terminal() -> list[dict[str, str | None]]:
    size = shutil.get_terminal_size((0, 0))
    encoding = locale.getpreferredencoding(False)
    colours = os.environ.get("COLORTERM") or os.environ.get("TERM", "unknown")
    interactive = sys.stdout.isatty()
    return [
        {
            "what": "terminal",
            "found": os.environ.get("TERM", "unknown"),
            "status": "ok" if interactive else "not a terminal",
            "note": "" if interactive else "stdout is a file or a pipe",
        },
        {
            "what": "size",
            "found": f"{size.columns}x{size.lines}" if size.columns else "unknown",
            "status": "ok" if size.columns >= 80 and size.lines >= 24 else "small" if size.columns else "unknown",
            "note": "80x24 is enough",
        },
        {
            "what": "colours",
            "found": colours,
            "status": "ok",
            "note": "markers tell curves apart without colour; NO_COLOR=1 turns colour off",
        },
        {
            "what": "encoding",
            "found": encoding,
            "status": "ok" if encoding.lower().replace("-", "") == "utf8" else "unusual",
            "note": "" if encoding.lower().replace("-", "") == "utf8" else "plots need UTF-8: export LC_ALL=C.UTF-8",
        },
        _clipboard(),
    ]


def _clipboard() -> dict[str, str | None]:
    if not os.environ.get("TMUX"):
        return {
            "what": "copy (OSC 52)",
            "found": "direct",
            "status": "unknown",
            "note": "works where the terminal allows OSC 52",
        }
    try:
        shown = subprocess.run(
            ["tmux", "show", "-gv", "set-clipboard"], capture_output=True, text=True, timeout=2, check=False
        )
        value = shown.stdout.strip() or "unknown"
    except (OSError, subprocess.TimeoutExpired):
        value = "unknown"
    return {
        "what": "copy (OSC 52)",
        "found": f"tmux set-clipboard {value}",
        "status": "ok" if value == "on" else "limited",
        "note": "" if value == "on" else "for copies out of tmux: tmux set -g set-clipboard on",
    }


def run_config(arguments: argparse.Namespace) -> int:
    """Print a configuration with every key, and say where the user's lies and whether it can be read."""
    from backend import example_configuration, read_configuration

    configuration = read_configuration()
    there = "is there and in order" if configuration.path.exists() else "is not there: passk goes by the defaults"
    print(example_configuration(), end="")
    say(f"{configuration.path} {there}.")
    return 0


PLUGIN = Option("--plugin", "check that a plug-in of that name keeps its protocol", "NAME")
EXAMPLE = Option("--example", "a file of the importer's format, or a model", "E", folder_or_name)
CHECKED = Option("--store", "read all of the store S, and say which of its parts are damaged", "S")
REPAIR = Option(
    "--repair",
    "move what is damaged into the store's folder damaged/, keep what can be read of it, and count the tallies anew",
    needs="--store",
)
REBUILD = Option("--rebuild", "derive the tallies (n, c, tokens) of the store S anew from its samples", "S")

COMMANDS = {
    "doctor": Command(
        run_doctor,
        modes=(
            Mode("--store S", (CHECKED,), (REPAIR, FORMAT)),
            Mode("--rebuild S", (REBUILD,)),
            Mode("--plugin NAME", (PLUGIN,), (EXAMPLE,)),
            Mode("", (), (FORMAT,)),
        ),
    ),
    "config": Command(
        run_config,
        epilogue="To begin: passk config > FILE, where FILE is what it names; take the '# ' away from a setting.",
    ),
}
