"""passk sample."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from explorer.commands.options import add_store, positive, reading
from explorer.commands.output import say


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `passk sample`; sampling parameters carry vLLM's names."""
    add_store(parser, writing=True)
    parser.add_argument("--model", metavar="PATH", required=True, help="model folder, or a hub name in the cache")
    parser.add_argument("--benchmark", metavar="B", required=True, help="the benchmark whose problems are asked")
    parser.add_argument("--n", metavar="N", type=positive, required=True, help="samples wanted of each problem")
    parser.add_argument("--problem", metavar="P", action="append", default=[], help="only this problem; repeatable")
    parser.add_argument("--name", metavar="M", help="name of the model (default: its folder's name)")
    parser.add_argument("--run", metavar="NAME", help="name of the run (default: MODEL@BENCHMARK)")
    parser.add_argument("--role", metavar="R", help="role of the model: base, rl, sft, instruct, distill")
    parser.add_argument("--from-model", metavar="B", help="the model that it was trained from")
    parser.add_argument("--step", metavar="N", type=int, help="training step")
    parser.add_argument("--temperature", metavar="T", type=float, help="default: the run's own, else 0.6")
    parser.add_argument("--top-p", metavar="P", type=float, help="default: the run's own, else 0.95")
    parser.add_argument("--max-tokens", metavar="N", type=positive, help="default: the run's own, else 16384")
    parser.add_argument("--template", metavar="FILE", help="prompt template (default: that of the benchmark's runs)")
    parser.add_argument("--verifier", metavar="V", help="default: the one that fits the problems")
    parser.add_argument("--device", metavar="D", help="cpu or cuda (default: cuda where there is one)")
    parser.add_argument("--dtype", metavar="D", default="float32", help="default float32: exact redraws")
    parser.add_argument("--batch", metavar="N", type=positive, default=256, help="samples drawn together")


class _Progress:
    """A line on stderr, rewritten in place on a terminal, every ten seconds in a log."""

    def __init__(self, wanted: int) -> None:
        self.wanted = wanted
        self.started = self.last = time.monotonic()
        self.every = 0.2 if sys.stderr.isatty() else 10.0

    def __call__(self, samples: int, tokens: int) -> None:
        now = time.monotonic()
        if now - self.last < self.every and samples < self.wanted:
            return
        self.last = now
        share = samples / self.wanted
        filled = round(30 * share)
        rate = tokens / max(now - self.started, 1e-6)
        left = (now - self.started) * (1 - share) / max(share, 1e-9)
        line = f"{'█' * filled}{'░' * (30 - filled)} {samples:,} of {self.wanted:,} samples, {rate:,.0f} tokens/s, "
        end = "" if sys.stderr.isatty() else "\n"
        print(f"\r{line}{left:,.0f} s left ", end=end, file=sys.stderr, flush=True)

    def clear(self) -> None:
        """Leave the line."""
        if sys.stderr.isatty():
            print(file=sys.stderr)


def run(arguments: argparse.Namespace) -> int:
    """Draw the samples that are missing."""
    from backend import RunOptions, draw, load_engine, merge, plan_run, read_template, verifier_for

    with reading(arguments.store) as reader:
        layout = reader.database.layout
        benchmark = reader.benchmark(arguments.benchmark)
        given = {
            "temperature": arguments.temperature,
            "top_p": arguments.top_p,
            "max_tokens": arguments.max_tokens,
        }
        plan = plan_run(
            reader,
            benchmark=benchmark,
            n=arguments.n,
            run_options=RunOptions(
                run=arguments.run,
                model=arguments.name or Path(arguments.model).name,
                role=arguments.role,
                from_model=arguments.from_model,
                step=arguments.step,
            ),
            parameters={name: value for name, value in given.items() if value is not None},
            template=None if arguments.template is None else read_template(arguments.template),
            problems=arguments.problem,
        )
    if not plan.samples:
        say(f"{plan.target.run} has {arguments.n} samples of every problem already; nothing to draw.")
        return 0
    verifier = verifier_for(plan, arguments.verifier)
    say(
        f"Drawing {plan.samples:,} samples of {len(plan.problems):,} problems into {plan.target.run}"
        + (f", verified by {verifier.name} {verifier.version}" if verifier else ", unverified: no verifier fits")
    )
    engine = load_engine(arguments.model, device=arguments.device, dtype=arguments.dtype, batch=arguments.batch)
    progress = _Progress(plan.samples)
    try:
        drawn = draw(layout, plan, engine, verifier, progress)
    finally:
        progress.clear()
        engine.close()
    merge(layout)
    verdicts = ", ".join(f"{times:,} {verdict.replace('_', ' ')}" for verdict, times in sorted(drawn.verdicts.items()))
    rate = drawn.tokens / max(drawn.seconds, 1e-6)
    say(f"{drawn.samples:,} samples, {drawn.tokens:,} tokens, {drawn.seconds:,.1f} s, {rate:,.0f} tokens/s: {verdicts}")
    return 0
