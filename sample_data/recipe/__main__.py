"""``python -m sample_data.recipe [--seed S] [--out DIR] [STEP...]``: the miniature experiment from nothing.

Without a STEP all steps run, in order; what is complete is skipped. ``table`` prints the tables of the
README from the shipped files, ``table --write`` puts them between its markers. ``references`` writes
references.jsonl from the shipped problems.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch: two threads are slower than one on tiny models
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
os.environ.setdefault("HF_HUB_OFFLINE", "1")


def _table(write: bool) -> None:
    from sample_data.recipe import table

    if write:
        table.write_readme()
    else:
        print(table.render())


def main() -> int:
    """Runs the steps; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m sample_data.recipe", description=__doc__)
    parser.add_argument("steps", nargs="*", metavar="STEP", help="problems base rl distill samples ship table")
    parser.add_argument("--seed", type=int, default=0, help="seed of the experiment (0 is shipped)")
    parser.add_argument("--out", type=Path, default=Path("build/miniature"), help="folder for everything made")
    parser.add_argument("--write", action="store_true", help="table: put it into the README")
    arguments = parser.parse_args()
    if arguments.steps == ["table"]:
        _table(arguments.write)
        return 0
    if arguments.steps == ["references"]:
        from sample_data.recipe import references

        references.write()
        return 0

    from sample_data.recipe import config
    from sample_data.recipe.pipeline import STEPS, Workspace

    wanted = arguments.steps or list(STEPS)
    unknown = sorted(set(wanted) - set(STEPS))
    if unknown:
        parser.error(f"unknown step {', '.join(unknown)}; there are {', '.join(STEPS)} and table")
    import torch

    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    space = Workspace(config.load(), arguments.out, arguments.seed)
    for name in wanted:
        start = time.monotonic()
        print(f"== {name} (seed {arguments.seed})", file=sys.stderr, flush=True)
        STEPS[name](space)
        print(f"== {name} took {time.monotonic() - start:.0f} s", file=sys.stderr, flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
