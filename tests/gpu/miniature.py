"""The sample store's own models: drawn anew, scored, killed and resumed, two at once, and what storing costs."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from tests.gpu.product import (
    BASE,
    DATA,
    RL,
    EngineUse,
    Store,
    kill,
    once,
    problems,
    shipped,
    template,
    wait_for,
)
from tests.gpu.report import MISSED, OK, CheckFailed, Report

EQUAL = 0.95
"""Share of texts that must be the shipped ones where the engine has their noise and their precision."""
OWN_TOKENS = 0.95
"""Share of texts whose tokens, found again from the text, must be those that were drawn: a model may draw others
that read the same (69 of the RL model's 4,800 texts, counted with its tokenizer alone)."""
SCORES = 1e-3
"""How much a perplexity in float32 may differ from the shipped one, relatively."""
RATIO = 0.95
"""Of the bare engine's speed, which the worker must reach."""


@dataclass
class Miniature:
    """The checks for one engine."""

    report: Report
    folder: Path
    use: EngineUse
    """In float32."""
    problems: int
    samples: int
    """Of each problem and model; 24 of 200 problems and two models are 9,600."""
    killed: int
    """Samples of each problem in the job that is killed."""
    batch: int | None
    """Rows drawn together; None for what the engine takes by itself."""
    killed_batch: int
    """The same in the job that is killed, which must not be over at once."""
    kills: tuple[float, ...]
    """At which shares of that job its worker is killed."""
    turns: int
    """How often worker and bare engine are compared."""
    models: tuple[str, ...] = (BASE, RL)
    alone: dict[str, float] = field(default_factory=dict)
    """Samples a second of each model's worker when it is alone."""

    @property
    def expected(self) -> int:
        """Samples of each model."""
        return self.problems * self.samples

    @property
    def named(self) -> str:
        """Stands before what is checked."""
        return f"{self.use.name}: "

    def all(self) -> None:
        """Every check."""
        self.report.check(self.named + "base and RL drawn anew", self.drawn_anew)
        self.report.check(self.named + "two workers on one GPU", self.two_workers, needs=40)
        self.report.check(self.named + "kill -9, resume", self.killed_and_resumed, needs=40)
        self.in_process("float32", ratio=True)
        self.in_process("bfloat16", ratio=False)

    # Through worker processes

    def store(self, name: str) -> Store:
        """A new store with the problems."""
        store = Store(self.folder / f"{self.use.name}-{name}.passk")
        store.add("countdown", problems()[: self.problems], template())
        return store

    def drawn_anew(self) -> tuple[str, str]:
        """Each model by a job of its own, compared with the shipped samples of the same seeds."""
        store, words, status = self.store("anew"), [], OK
        for model in self.models:
            job = self.begin(store, model, self.samples)
            self.alone[model], tokens = _speed(wait_for(job, max(self.report.left, 30)))
            samples = once(store.samples(f"{model}@countdown"), self.expected)
            found, good = compared(samples, shipped(model, self.problems, self.samples), self.has_our_noise)
            words.append(f"{model}: {self.alone[model]:,.0f} samples/s, {tokens:,.0f} tokens/s, {found}")
            status = status if good else MISSED
        what = f"float32, the first {self.samples} samples of {self.problems} problems each"
        return f"{'; '.join(words)} ({what}; shipped: float32 on a CPU)", status

    @property
    def has_our_noise(self) -> bool:
        """Whether its random numbers are ours; vLLM has its own."""
        return self.use.name == "transformers"

    def begin(self, store: Store, model: str, n: int, *more: object, **options: Any) -> Any:
        """Make a job for a model and start it."""
        batch = {"batch": self.batch} if self.has_our_noise and self.batch else {}
        use = self.use.but(**{**batch, **options})
        return store.sample(DATA / "models" / model, "countdown", n, use, *more)

    def two_workers(self) -> tuple[str, str]:
        """Base and RL at the same time, each in its worker, into one store."""
        store = self.store("two")
        share = {} if self.has_our_noise else {"gpu_memory_utilization": 0.4}
        began = time.monotonic()
        jobs = [self.begin(store, model, self.samples, **share) for model in (BASE, RL)]
        speeds = [_speed(wait_for(job, max(self.report.left, 30)))[0] for job in jobs]
        took = time.monotonic() - began
        for model in (BASE, RL):
            once(store.samples(f"{model}@countdown"), self.expected)
        beside = ""
        if len(self.alone) == len(speeds):
            shares = (speed / self.alone[model] for speed, model in zip(speeds, (BASE, RL), strict=True))
            beside = f", {' and '.join(f'{share:.2f}' for share in shares)} of what each does alone"
        each = " and ".join(f"{speed:,.0f}" for speed in speeds)
        return f"{each} samples/s{beside}; both in {took:.0f} s with loading; each sample exactly once", OK

    def killed_and_resumed(self) -> tuple[str, str]:
        """A worker killed with -9 in the middle, its successor too; the last one finishes."""
        store, wanted = self.store("killed"), self.problems * self.killed
        small = {"batch": self.killed_batch} if self.has_our_noise else {}
        job, at = self.begin(store, BASE, self.killed, **small), []
        for share in self.kills:
            status = wait_for(job, max(self.report.left, 30), samples=max(int(share * wanted), 1))
            if status.state == "finished" or not kill(job):
                break
            at.append(job.status().samples)
            store.passk("jobs", "resume", job.name)
            _begun_again(job, status.pid)
        wait_for(job, max(self.report.left, 30))
        samples = once(store.samples(f"{BASE}@countdown"), wanted)
        found, good = compared(samples, shipped(BASE, self.problems, self.killed), self.has_our_noise)
        killed = " and ".join(f"{count:,}" for count in at) if at else "no sample: it was too fast to be killed"
        status = OK if good and len(at) == len(self.kills) else MISSED
        return f"killed at {killed} of {wanted:,}; then each sample exactly once; {found}", status

    # In this process

    def in_process(self, dtype: str, *, ratio: bool) -> None:
        """What needs the engine itself: redraws in another precision, perplexities, the worker's share."""
        from backend import load_engine

        engines: dict[str, Any] = {}

        def engine(model: str) -> Any:
            if model not in engines:
                close()
                batch = {"batch": self.batch} if self.has_our_noise and self.batch else {}
                options = self.use.but(dtype=dtype, **batch).options
                engines[model] = load_engine(str(DATA / "models" / model), name=self.use.name, options=options)
            return engines[model]

        def close() -> None:
            while engines:
                engines.popitem()[1].close()

        try:
            if ratio:
                self.report.check(
                    self.named + "worker against bare engine", lambda: self.share_of_bare(engine(BASE)), needs=30
                )
            else:
                self.report.check(self.named + f"drawn anew in {dtype}", lambda: self.redrawn(engine, dtype), needs=20)
            self.report.check(self.named + f"perplexities in {dtype}", lambda: self.scored(engine, dtype), needs=20)
        finally:
            close()

    def redrawn(self, engine: Callable[[str], Any], dtype: str) -> tuple[str, str]:
        """Base and RL in another precision than that of the shipped samples."""
        words = []
        for model in self.models:
            began = time.perf_counter()
            rows = shipped(model, self.problems, self.samples)
            samples = list(engine(model).generate(_requests(rows.values()), _parameters(next(iter(rows.values())))))
            took = time.perf_counter() - began
            texts = [{"problem": s.problem, "index": s.index, "text": s.text, "tokens": s.tokens} for s in samples]
            found, drawn = "its own random numbers: texts are not compared", once(texts, len(rows))
            if self.has_our_noise:
                found, _ = compared(drawn, rows, True)
            batch = getattr(engine(model), "batch", None)
            words.append(f"{model}: {len(samples) / took:,.0f} samples/s with loading, {found}")
        return f"{'; '.join(words)} (bare engine{f', batch {batch:,}' if batch else ''})", OK

    def share_of_bare(self, engine: Any) -> tuple[str, str]:
        """Samples a second drawn, verified and stored, against the bare engine on the same requests."""
        from backend import StoreLayout, draw, verifier_for
        from tests.bench.throughput import bare

        store = self.store("plan")
        plan, _ = self.begin(store, BASE, self.samples, "--prepare").plan()
        shares, speeds = [], []
        for turn in range(self.turns + 1):
            began = time.perf_counter()
            tokens = bare(engine, plan)
            between = time.perf_counter()
            layout = StoreLayout(self.folder / f"{self.use.name}-share-{turn}.passk")
            drawn = draw(layout, plan, engine, verifier_for(plan)).tokens
            if turn:  # the first warms up
                mine = drawn / (time.perf_counter() - between)
                speeds.append(tokens / (between - began))
                shares.append(mine / speeds[-1])
        found = (
            f"drawn, verified and stored at {median(shares):.3f} of the bare engine's {median(speeds):,.0f} tokens/s"
            f" ({min(shares):.3f} to {max(shares):.3f} in {self.turns} turns of {plan.samples:,} samples; goal {RATIO})"
        )
        return found, OK if median(shares) >= RATIO else MISSED

    def scored(self, engine: Callable[[str], Any], dtype: str) -> tuple[str, str]:
        """Perplexities of the shipped samples under their models, against what was shipped."""
        from backend.engines.protocol import TextToScore

        words, worst = [], 0.0
        for model in self.models:
            rows = list(shipped(model, self.problems, self.samples).values())
            items = [TextToScore(row["statement"] + "\n", row["text"], row["finish_reason"]) for row in rows]
            began = time.perf_counter()
            scores = list(engine(model).score(items))
            took = time.perf_counter() - began
            # A text may have other tokens than those that were drawn, and then another perplexity.
            same = [(s, row) for s, row in zip(scores, rows, strict=True) if s.tokens == row["tokens"]]
            if len(same) < OWN_TOKENS * len(rows):
                raise CheckFailed(f"{len(rows) - len(same)} of {len(rows)} texts have other tokens than were drawn")
            ours = [math.exp(-score.logprob_sum / score.tokens) for score, _ in same]
            theirs = [math.exp(-row["logprob_sum"] / row["tokens"]) for _, row in same]
            other = f", {len(rows) - len(same)} left out that have other tokens" if len(same) < len(rows) else ""
            apart = max(abs(one / other - 1) for one, other in zip(ours, theirs, strict=True))
            worst = max(worst, apart)
            words.append(
                f"{model}: median {median(ours):.4f} (shipped {median(theirs):.4f}), of one text at most "
                f"{100 * apart:.2g} % off, {len(rows) / took:,.0f} texts/s with loading{other}"
            )
        if dtype == "float32" and worst > SCORES:
            raise CheckFailed(f"{'; '.join(words)}: more than {100 * SCORES:g} % off")
        return f"{'; '.join(words)} (shipped: float32 on a CPU; {self.expected:,} texts each)", OK


def compared(
    samples: dict[tuple[str, int], dict[str, Any]], rows: dict[tuple[str, int], dict[str, Any]], same_noise: bool
) -> tuple[str, bool]:
    """What samples have in common with the shipped ones of the same seeds, and whether that is as it must be."""
    if not same_noise:
        right = [sum(one["verdict"] == "correct" for one in some.values()) for some in (samples, rows)]
        share = [count / len(rows) for count in right]
        spread = math.sqrt(sum(each * (1 - each) for each in share) / len(rows))
        words = f"{100 * share[0]:.1f} % correct, shipped {100 * share[1]:.1f} %, n = {len(rows):,} each"
        return words, abs(share[0] - share[1]) <= 4 * spread
    equal = sum(samples[key]["text"] == row["text"] for key, row in rows.items())
    return f"{equal:,} of {len(rows):,} texts equal the shipped ones", equal >= EQUAL * len(rows)


def _requests(rows: Any) -> list[Any]:
    from backend.engines.protocol import PromptRequest

    by_problem: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        by_problem.setdefault(row["problem"], []).append(row)

    def request(problem: str, found: Sequence[dict[str, Any]]) -> PromptRequest:
        indices, seeds = ([row[name] for row in found] for name in ("index", "seed"))
        return PromptRequest(problem, found[0]["statement"] + "\n", tuple(indices), tuple(seeds))

    return [request(problem, found) for problem, found in by_problem.items()]


def _parameters(row: dict[str, Any]) -> Any:
    from backend.engines.protocol import SamplingParams

    return SamplingParams(row["temperature"], row["top_p"], row["max_tokens"])


def _speed(status: Any) -> tuple[float, float]:
    """Samples and tokens a second of a job, its model's loading left out."""
    return status.drawn / status.seconds, status.tokens / status.seconds


def _begun_again(job: Any, before: int) -> None:
    """Wait until another worker than that one says something."""
    until = time.monotonic() + 60
    while job.status().pid == before:
        if time.monotonic() > until:
            raise CheckFailed("no worker came when the job was resumed")
        time.sleep(0.05)
