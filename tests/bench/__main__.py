"""Runs the benchmark and prints its tables."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from tests.bench import explore, exports, following, formats, intake, memory, sampling
from tests.bench.build_store import Plan, build_store


def main() -> int:
    """See --help."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--samples", type=int, default=1_000_000, help="size of the store (default: 1,000,000)")
    parser.add_argument("--characters", type=int, default=1_500, help="mean length of a text (default: 1,500)")
    parser.add_argument("--intake-samples", type=int, default=200_000, help="samples that are imported")
    parser.add_argument(
        "--cache", type=Path, default=Path(tempfile.gettempdir()) / "passk-bench", help="where stores are kept"
    )
    parser.add_argument("--rounds", type=int, default=8, help="walks through the explorer")
    parser.add_argument("--starts", type=int, default=5, help="starts of the explorer")
    parts = ("explore", "exports", "intake", "formats", "following", "sampling", "memory")
    parser.add_argument("--only", choices=parts, help="only one of them")
    parser.add_argument("--quick", action="store_true", help="100,000 samples and few repetitions: does it run at all?")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.samples, arguments.intake_samples = 100_000, 20_000
        arguments.rounds = arguments.starts = 2

    def say(text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    if arguments.only in (None, "explore", "exports"):
        built = build_store(Plan(arguments.samples, arguments.characters), arguments.cache, say)
        say(f"{built.root}: {built.samples:,} samples, built in {built.seconds:.0f} s")
    if arguments.only in (None, "explore"):
        print("\n".join(explore.table(built, starts=arguments.starts, rounds=arguments.rounds)), flush=True)
    if arguments.only in (None, "exports"):
        print("\n".join(exports.table(built)), flush=True)
    repeats = 2 if arguments.quick else 3
    if arguments.only in (None, "intake"):
        found = intake.table(
            arguments.cache, samples=arguments.intake_samples, characters=arguments.characters, repeats=repeats
        )
        print("\n".join(found), flush=True)
    if arguments.only in (None, "formats"):
        samples = max(arguments.intake_samples // 4, 5_000)
        print("\n".join(formats.table(arguments.cache, samples=samples, repeats=repeats)), flush=True)
    if arguments.only in (None, "following"):
        quick = {"idle": 5.0, "rows": 8, "repeats": 1} if arguments.quick else {}
        print("\n".join(following.table(**quick)), flush=True)
    if arguments.only in (None, "sampling"):
        size = {"problems": 50, "n": 8, "repeats": 1, "rounds": 2} if arguments.quick else {"rounds": arguments.rounds}
        print("\n".join(sampling.table(**size)), flush=True)
    if arguments.only in (None, "memory"):
        sizes = {"jsonl": 100 << 20, "log": 30 << 20} if arguments.quick else {}
        print("\n".join(memory.table(arguments.cache, **sizes)), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
