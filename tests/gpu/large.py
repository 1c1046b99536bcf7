"""A model of real size with random weights: long samples, and batches that grow until memory runs out."""

from __future__ import annotations

import gc
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from tests.gpu.miniature import RATIO
from tests.gpu.product import EngineUse, Store, once, wait_for
from tests.gpu.report import ABSENT, MISSED, OK, CheckFailed, Report

PEAKED = 7.0
"""The last norm's weights: random logits are then as far apart as those of a trained model, so top-p has work to do."""
GIB = 1 << 30


@dataclass(frozen=True)
class LargeSize:
    """How large, and how long."""

    shape: dict[str, int]
    long: int
    """Tokens of a whole sample."""
    drawn: int
    """Tokens that are drawn where batches grow; the prompt is the rest of `long`."""
    batches: tuple[int, ...]
    batch: int
    """Samples of the two jobs."""
    short: int
    """Tokens of the samples by which worker and bare engine are compared."""


FULL = LargeSize(
    # Like Qwen2.5-1.5B.
    {
        "vocab_size": 151_936,
        "hidden_size": 1536,
        "intermediate_size": 8960,
        "num_hidden_layers": 28,
        "num_attention_heads": 12,
        "num_key_value_heads": 2,
        "head_dim": 128,
        "max_position_embeddings": 8192,
    },
    long=4096,
    drawn=64,
    batches=(64, 128, 256, 512, 1024, 2048, 4096, 8192),
    batch=256,
    short=128,
)
SMALL = LargeSize(
    {
        "vocab_size": 8000,
        "hidden_size": 64,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
        "head_dim": 32,
        "max_position_embeddings": 128,
    },
    long=64,
    drawn=8,
    batches=(4, 8),
    batch=8,
    short=16,
)


@dataclass
class Large:
    """The checks for one engine."""

    report: Report
    folder: Path
    use: EngineUse
    """In bfloat16."""
    size: LargeSize
    device: str
    """Where the weights are made."""
    step: float = 0.0
    """Seconds a token takes all rows of a batch."""

    @property
    def model(self) -> Path:
        """The model's folder."""
        return self.folder / "large-model"

    @property
    def named(self) -> str:
        """Stands before what is checked."""
        return f"{self.use.name}, large model: "

    def all(self) -> None:
        """Every check."""
        if not self.model.exists():
            status = self.report.check("large model: made on the spot", self.make, needs=60)
            if status != OK:
                return
        self.report.check(self.named + "worker against bare engine", self.share_of_bare, needs=45)
        if self.use.name == "transformers":
            self.report.check(self.named + "batches grow", self.growing, needs=45)
            self.report.check(self.named + "too small for it", self.too_small, needs=15)
        self.report.check(self.named + f"samples of {self.size.long:,} tokens", self.long_samples, needs=60)

    def make(self) -> tuple[str, str]:
        """Write the model and a tokenizer with a word for every token."""
        import torch
        from tokenizers import Tokenizer, models, pre_tokenizers
        from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

        count = self.size.shape["vocab_size"]
        words = Tokenizer(models.WordLevel({f"w{number}": number for number in range(count)}, unk_token="w0"))
        words.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
        PreTrainedTokenizerFast(tokenizer_object=words, eos_token="w1", pad_token="w0").save_pretrained(self.model)
        torch.manual_seed(0)
        before = torch.get_default_dtype()
        torch.set_default_dtype(torch.bfloat16)
        try:
            with torch.device(self.device):
                model = LlamaForCausalLM(
                    LlamaConfig(**self.size.shape, tie_word_embeddings=True, eos_token_id=1, pad_token_id=0)
                )
            model.model.norm.weight.data.fill_(PEAKED)
            model.save_pretrained(self.model)
        finally:
            torch.set_default_dtype(before)
        parameters = sum(each.numel() for each in model.parameters())
        del model
        _free()
        shape = self.size.shape
        return (
            f"{parameters / 1e9:.2f} billion random weights in bfloat16, {shape['num_hidden_layers']} layers, "
            f"{shape['num_attention_heads']} heads of {shape['head_dim']} ({shape['num_key_value_heads']} for keys and "
            f"values), vocabulary {count:,}",
            OK,
        )

    def store(self, name: str) -> Store:
        """A new store with eight problems of ten words."""
        store = Store(self.folder / f"{self.use.name}-{name}.passk")
        rows = [
            {"problem": f"p{at}", "statement": " ".join(f"w{at * 17 + word + 2}" for word in range(10))}
            for at in range(8)
        ]
        store.add("made", [row | {"reference": "w7"} for row in rows], "{{ statement }}")
        return store

    def engine(self, **options: Any) -> Any:
        """The engine with the model, in this process."""
        from backend import load_engine

        return load_engine(str(self.model), name=self.use.name, options=self.use.but(**options).options)

    @property
    def batched(self) -> dict[str, int]:
        """The option for a batch, which vLLM has no need of."""
        return {"batch": self.size.batch} if self.use.name == "transformers" else {}

    def share_of_bare(self) -> tuple[str, str]:
        """Tokens a second drawn, verified and stored, against the bare engine, samples of some length."""
        from backend import StoreLayout, draw, verifier_for
        from tests.bench.throughput import bare

        store = self.store("plan")
        n = self.size.batch // 8
        words = ("--prepare", "--verifier", "exact")
        plan, _ = store.sample(self.model, "made", n, self.use, *words, max_tokens=self.size.short).plan()
        began = time.perf_counter()
        engine = self.engine(**self.batched)
        loaded = time.perf_counter() - began
        try:
            shares, speeds = [], []
            for turn in range(3):
                began = time.perf_counter()
                tokens = bare(engine, plan)
                between = time.perf_counter()
                layout = StoreLayout(self.folder / f"{self.use.name}-large-share-{turn}.passk")
                drawn = draw(layout, plan, engine, verifier_for(plan)).tokens
                speeds.append(tokens / (between - began))
                shares.append(drawn / (time.perf_counter() - between) / speeds[-1])
                self.step = (between - began) / self.size.short
        finally:
            engine.close()
            _free()
        best = median(shares[1:])
        turns = " and ".join(f"{share:.3f}" for share in shares[1:])
        found = (
            f"drawn, verified and stored at {turns} of the bare engine's {median(speeds[1:]):,.0f} tokens/s (2 turns "
            f"after one to warm up, {plan.samples} samples of up to {self.size.short} tokens, goal {RATIO}); "
            f"a step takes {1000 * self.step:.0f} ms; loaded in {loaded:.0f} s"
        )
        return found, OK if best >= RATIO else MISSED

    def growing(self) -> tuple[str, str]:
        """Sequences of the whole length, of which the last tokens are drawn, in ever larger batches."""
        from backend.engines.protocol import SamplingParams, make_request

        size, words, said = self.size, [], _Said()
        prompt = " ".join(f"w{number % 1000 + 2}" for number in range(size.long - size.drawn))
        until = time.monotonic() + 0.2 * 60 * self.report.minutes
        first = self.engine(batch=1)
        logging.getLogger("backend").addHandler(said)
        try:
            for batch in size.batches:
                engine = type(first)(first._model, first._tokenizer, batch)
                requests = [make_request("growing", "p", prompt, range(batch))]
                _forget_peak()
                began = time.perf_counter()
                tokens = sum(s.tokens for s in engine.generate(requests, SamplingParams(0.6, 0.95, size.drawn)))
                took = time.perf_counter() - began
                words.append(f"{batch}: {tokens / took:,.0f} tokens/s{_peak()}")
                if said.lines:
                    words[-1] = f"{batch} said: {said.lines[0]} It went on to the end with {engine.batch} together"
                    break
                if time.monotonic() > until:
                    words.append("no time for more")
                    break
        finally:
            logging.getLogger("backend").removeHandler(said)
            first.close()
            _free()
        if said.lines and "--option batch=" not in said.lines[0]:
            raise CheckFailed(f"out of memory does not say what to change: {said.lines[0]}")
        return (
            f"{size.long:,} tokens long, the last {size.drawn} drawn, prompt included in the time; {'; '.join(words)}",
            OK,
        )

    def too_small(self) -> tuple[str, str]:
        """What is said where the GPU is too small for the model, or for one sample beside it."""
        import torch

        from backend.engines.protocol import SamplingParams, make_request
        from backend.errors import UsageError

        if not torch.cuda.is_available() or self.device == "cpu":
            return "needs a GPU", ABSENT
        words = []
        with _only(1.5):
            try:
                self.engine().close()
                raise CheckFailed("3 GiB of weights were loaded into 1.5 GiB")
            except UsageError as error:
                words.append(str(error))
        engine = self.engine(batch=4)
        prompt = " ".join(f"w{number % 1000 + 2}" for number in range(self.size.long))
        try:
            with _only(1 / 16):
                list(engine.generate([make_request("small", "p", prompt, range(2))], SamplingParams(max_tokens=8)))
                raise CheckFailed("a prompt of 4,096 tokens was read in 64 MiB")
        except RuntimeError as error:
            words.append(str(error))
        finally:
            engine.close()
        if not all("GPU with more memory" in each for each in words):
            raise CheckFailed(f"it does not say what to change: {' | '.join(words)}")
        return " | ".join(words), OK

    def long_samples(self) -> tuple[str, str]:
        """A job of long samples in a worker process."""
        room = max(self.report.left - 30, 10)
        # A step takes longer the more stands before it, and its worker must load the model.
        fits = int(room / (1.15 * self.step)) if self.step else self.size.long
        length = min(self.size.long, max(fits, self.size.short))
        store, n = self.store("long"), self.size.batch // 8
        options = self.use.but(**self.batched)
        job = store.sample(self.model, "made", n, options, "--verifier", "exact", max_tokens=length)
        status = wait_for(job, max(self.report.left, 0) + 60)
        samples = once(store.samples(f"{self.model.name}@made"), 8 * n)
        whole = sum(sample["tokens"] == length for sample in samples.values())
        shorter = "" if length == self.size.long else f" (no time for {self.size.long:,})"
        return (
            f"{len(samples)} samples in one batch, {whole} of them {length:,} tokens long{shorter}: "
            f"{status.tokens / status.seconds:,.0f} tokens/s, {status.seconds:.0f} s, by a worker, verified and stored",
            OK,
        )


class _Said(logging.Handler):
    """Keeps what the engine logs."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


@contextmanager
def _only(gibibytes: float) -> Iterator[None]:
    """Take all of the GPU but so much."""
    import torch

    _free()
    ballast = torch.empty(int(torch.cuda.mem_get_info()[0] - gibibytes * GIB), dtype=torch.uint8, device="cuda")
    try:
        yield
    finally:
        del ballast
        _free()


def _free() -> None:
    import torch

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def _forget_peak() -> None:
    import torch

    _free()
    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()


def _peak() -> str:
    import torch

    return f", {torch.cuda.max_memory_allocated() / GIB:.0f} GiB" if torch.cuda.is_available() else ""
