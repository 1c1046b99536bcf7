"""passk doctor: what is installed, which engines would work, what this terminal can do."""

from __future__ import annotations

import argparse
import locale
import os
import platform
import shutil
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

from explorer.commands.options import add_format
from explorer.commands.output import print_rows, say

CORE = ("passk-explorer", "textual", "textual-plotext", "plotext", "duckdb", "pyarrow", "numpy", "orjson")
ENGINES = {
    "transformers": (("torch", "transformers"), "draws samples on a CPU or one GPU"),
    "vllm": (("vllm",), "draws samples fast, on a GPU"),
    "datasets": (("datasets",), "loads benchmarks"),
    "math-verify": (("math_verify",), "verifies mathematical answers"),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `passk doctor`."""
    add_format(parser)
    parser.add_argument(
        "--rebuild", metavar="S", help="derive the statistics (n, c, tokens) of the store S anew from its samples"
    )


def run(arguments: argparse.Namespace) -> int:
    """Print what was found; the exit status is 1 when something that the explorer needs is missing."""
    if arguments.rebuild:
        return _rebuild(arguments.rebuild)
    rows = [
        _row("python", platform.python_version(), sys.version_info >= (3, 11), "3.11 or newer is needed"),
        *(_package(name) for name in CORE),
        *(_engine(name, modules, purpose) for name, (modules, purpose) in ENGINES.items()),
        _gpu(),
        _configuration(),
        *_terminal(),
    ]
    print_rows(arguments.format, ("what", "found", "status", "note"), rows)
    return 1 if any(row["status"] == "missing" for row in rows) else 0


def _rebuild(store: str) -> int:
    from backend import rebuild_statistics, store_for_reading

    layout = store_for_reading(store)
    rebuild_statistics(layout)
    say(f"The statistics of {layout.root} were derived anew from its samples.")
    return 0


def _row(what: str, found: str | None, good: bool, note: str, *, optional: bool = False) -> dict[str, str | None]:
    status = "ok" if good else "not installed" if optional else "missing"
    return {"what": what, "found": found, "status": status, "note": "" if good and not optional else note}


def _package(name: str) -> dict[str, str | None]:
    try:
        return _row(name, version(name), True, "")
    except PackageNotFoundError:
        return _row(name, None, False, "pip install passk-explorer")


def _engine(name: str, modules: tuple[str, ...], purpose: str) -> dict[str, str | None]:
    missing = [module for module in modules if find_spec(module) is None]
    found = None
    if not missing:
        try:
            found = version(modules[-1].replace("_", "-"))
        except PackageNotFoundError:
            found = "installed"
    note = purpose if not missing else f"{purpose}; missing: {', '.join(missing)}"
    return _row(name, found, not missing, note, optional=True)


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
