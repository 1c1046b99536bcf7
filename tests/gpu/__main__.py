"""python -m tests.gpu: see the package."""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import signal
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tests.gpu.product import BASE, DATA, RL, ROOT, EngineUse, Store
from tests.gpu.report import ABSENT, OK, WIDTH, Report

NUMBERS: dict[str, Any] = {
    **{"problems": 200, "samples": 24, "batch": None, "killed": 24, "killed_batch": 512, "kills": (0.05, 0.35)},
    **{"turns": 2, "models": (BASE, RL)},
}
"""For the sample store's models: 24 samples of 200 problems of two models are 9,600."""
SMALL_NUMBERS: dict[str, Any] = {
    **{"problems": 4, "samples": 4, "batch": 16, "killed": 24, "killed_batch": 8, "kills": (0.05,)},
    **{"turns": 1, "models": (BASE,)},
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the checks and print the table; the exit status is 1 when one failed, 2 when this Python lacks something."""
    parser = argparse.ArgumentParser(prog="make gpu", description="Check and measure drawing on a GPU.")
    parser.add_argument("--device", default="cuda", help="cuda, cuda:1, or cpu to try the check itself")
    parser.add_argument("--small", action="store_true", help="a minute of work: does it all run?")
    parser.add_argument("--minutes", type=float, default=8, help="about so long; what does not fit is left out")
    parser.add_argument("--only", choices=("miniature", "large"), help="only the sample store's models, or the large")
    parser.add_argument("--engine", choices=("transformers", "vllm"), help="only this engine (default: both)")
    parser.add_argument("--json", metavar="FILE", type=Path, help="the rows, for whoever compares two machines")
    parser.add_argument("--missing", action="store_true", help="only say which packages this Python lacks")
    chosen = parser.parse_args(arguments)
    if missing := [name for name in needed() if not is_installed(name)]:
        print(f"{sys.executable} lacks: {' '.join(missing)}", file=sys.stderr)
        return 2
    if chosen.missing:
        return 0
    report = Report(chosen.minutes)
    # A batch system that ends the job still leaves what was measured.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with tempfile.TemporaryDirectory(prefix="passk-gpu-", ignore_cleanup_errors=True) as folder:
            surround(Path(folder))
            run(report, Path(folder), chosen)
    finally:
        print(heading(chosen.device))
        print("\n".join(report.lines()), flush=True)
    if chosen.json:
        chosen.json.write_text(json.dumps([asdict(row) for row in report.rows], indent=1), encoding="utf-8")
    return 1 if report.failed else 0


def needed() -> list[str]:
    """Packages that this Python must have; passk among them, whose command needs its own metadata."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    names = [re.split(r"[^\w-]", requirement)[0] for requirement in project["dependencies"]]
    return ["torch", "transformers", *names, project["name"]]


def is_installed(name: str) -> bool:
    """Whether there is a package of that name."""
    try:
        return bool(version(name))
    except PackageNotFoundError:
        return False


def surround(folder: Path) -> None:
    """Let every process of the check, workers among them, find the project and nothing of this user's."""
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    os.environ["PYTHONPATH"] = os.pathsep.join(paths)
    os.environ.update({f"XDG_{name}_HOME": str(folder / name.lower()) for name in ("DATA", "STATE", "CONFIG")})
    os.chdir(ROOT)


def run(report: Report, folder: Path, chosen: argparse.Namespace) -> None:
    """Every check that was asked for, each engine after the other."""
    from tests.gpu.large import FULL, SMALL, Large
    from tests.gpu.miniature import Miniature

    report.check("doctor", lambda: doctor(Store(folder / "doctor.passk"), chosen.device))
    if report.failed:
        return
    size = SMALL if chosen.small else FULL
    numbers = SMALL_NUMBERS if chosen.small else NUMBERS
    place = {"device": chosen.device}
    uses = {"transformers": (place | {"dtype": "float32"}, place | {"dtype": "bfloat16"})}
    if find_spec("vllm") is not None:
        short = {"dtype": "float32", "max_model_len": 256, "enforce_eager": chosen.small}
        long = {"dtype": "bfloat16", "max_model_len": size.shape["max_position_embeddings"]}
        uses["vllm"] = (short, long | {"enforce_eager": chosen.small})
    for name, (exact, half) in uses.items():
        if chosen.engine in (None, name):
            if chosen.only != "large":
                Miniature(report, folder, EngineUse(name, exact), **numbers).all()
            if chosen.only != "miniature":
                Large(report, folder, EngineUse(name, half), size, chosen.device).all()
    if "vllm" not in uses and chosen.engine in (None, "vllm"):
        report.check("vllm", lambda: ("not installed in this Python: the same through it was not measured", ABSENT))


def doctor(store: Store, device: str) -> tuple[str, str]:
    """`passk doctor`, and whether torch has the device."""
    from backend import load_engine

    rows = {row["what"]: row for row in json.loads(store.passk("doctor", "--format", "json"))}
    load_engine(str(DATA / "models" / BASE), options={"device": device}).close()
    gpu = rows.get("gpu", {"found": None, "note": ""})
    words = [f"{name} {rows[name]['found'] or 'not installed'}" for name in ("transformers", "vllm", "duckdb")]
    said = f"gpu: {gpu['found'] or 'none'}{', ' + gpu['note'] if gpu['note'] else ''}"
    return f"{said}; {', '.join(words)}; {device} takes a model", OK


def heading(device: str) -> str:
    """Card, driver and versions."""
    import torch

    card = "the CPU"
    if device != "cpu" and torch.cuda.is_available():
        at = torch.device(device)
        memory = torch.cuda.get_device_properties(at).total_memory / (1 << 30)
        driver = subprocess.run(
            ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"], capture_output=True, text=True
        ).stdout.split()
        card = f"{torch.cuda.get_device_name(at)} ({memory:.1f} GiB, driver {driver[0] if driver else 'unknown'})"
    libraries = ", ".join(f"{name} {version(name)}" for name in ("torch", "transformers"))
    return f"\nDrawing on {card}\n{libraries}, Python {platform.python_version()}\n" + "=" * WIDTH


if __name__ == "__main__":
    sys.exit(main())
