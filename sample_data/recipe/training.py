"""Next-token training in plain PyTorch, shared by the base and the distilled model, and saving models."""

from __future__ import annotations

import json
import math
import random
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sample_data.recipe.config import TrainConfig
from sample_data.recipe.progress import Progress

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedTokenizerBase

IGNORED = -100
BUCKETS = 20  # batches whose documents are sorted by length together, so that little is padding
MARKER = "recipe.json"


def complete(folder: Path) -> bool:
    """Whether a model folder was finished: its marker is written last."""
    return (folder / MARKER).is_file()


def save_model(model: Any, tokenizer: PreTrainedTokenizerBase, folder: Path, facts: dict[str, Any]) -> None:
    """Saves a model in bf16 with its tokenizer and a marker of facts, renamed into place when complete."""
    import copy

    import torch

    half = copy.deepcopy(model).to(torch.bfloat16)
    temporary = folder.with_name(folder.name + ".part")
    shutil.rmtree(temporary, ignore_errors=True)
    half.save_pretrained(temporary)
    tokenizer.save_pretrained(temporary)
    (temporary / MARKER).write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    for path in temporary.iterdir():
        path.chmod(0o644)  # safetensors writes files that only their owner can read
    shutil.rmtree(folder, ignore_errors=True)
    temporary.rename(folder)


def load_model(folder: Path) -> Any:
    """Loads a model in float32 for training."""
    import torch
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)


def load_tokenizer(folder: Path) -> PreTrainedTokenizerBase:
    """Loads the tokenizer of a model folder."""
    from transformers import AutoTokenizer

    tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(folder)
    return tokenizer


def batches(rows: list[list[int]], size: int, rng: random.Random) -> list[list[list[int]]]:
    """Shuffles rows of token ids and cuts them into batches of similar length."""
    order = rows[:]
    rng.shuffle(order)
    cut: list[list[list[int]]] = []
    for start in range(0, len(order), size * BUCKETS):
        chunk = sorted(order[start : start + size * BUCKETS], key=len)
        cut += [chunk[i : i + size] for i in range(0, len(chunk), size)]
    rng.shuffle(cut)
    return cut


def pad(batch: list[list[int]], pad_id: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Right-padded ids and labels, both [rows, longest]; padding is ignored in the labels."""
    import torch

    longest = max(map(len, batch))
    ids = torch.tensor([row + [pad_id] * (longest - len(row)) for row in batch])
    labels = torch.tensor([row + [IGNORED] * (longest - len(row)) for row in batch])
    return ids, labels


def rate(step: int, total: int, config: TrainConfig) -> float:
    """Learning rate: linear warm-up, then a cosine down to a twentieth."""
    if step < config.warmup:
        return config.learning_rate * (step + 1) / config.warmup
    share = (step - config.warmup) / max(total - config.warmup, 1)
    return config.learning_rate * (0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * share)))


def train(model: Any, rows: list[list[int]], pad_id: int, config: TrainConfig, seed: int, title: str) -> float:
    """Trains a model in place on rows of token ids; returns the mean loss of the last 50 steps.

    Causal attention makes the padding on the right harmless, so no attention mask is passed.
    """
    import torch

    rng = random.Random(f"{title}-{seed}")
    plan = [batch for _ in range(config.epochs) for batch in batches(rows, config.batch, rng)]
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=config.learning_rate, betas=(0.9, 0.98), weight_decay=config.weight_decay
    )
    model.train()
    losses: list[float] = []
    progress = Progress(title, len(plan), "steps")
    for step, batch in enumerate(plan):
        for group in optimizer.param_groups:
            group["lr"] = rate(step, len(plan), config)
        ids, labels = pad(batch, pad_id)
        loss = model(input_ids=ids, labels=labels, use_cache=False).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        losses.append(float(loss.detach()))
        progress.update(step + 1, f"loss {sum(losses[-50:]) / len(losses[-50:]):.4f}")
    final = sum(losses[-50:]) / len(losses[-50:])
    progress.close(f"loss {final:.4f}")
    model.eval()
    return final
