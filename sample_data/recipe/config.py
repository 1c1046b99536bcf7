"""Reads ``config.toml`` into frozen dataclasses: the only place the recipe takes numbers from."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

CONFIG_PATH = Path(__file__).with_name("config.toml")
T = TypeVar("T")


@dataclass(frozen=True)
class TaskConfig:
    """The Countdown task: ranges of numbers, and how often a count of numbers or a plan is drawn."""

    smallest_number: int
    largest_number: int
    smallest_target: int
    largest_target: int
    largest_intermediate: int
    counts: tuple[int, ...]
    count_weights: tuple[float, ...]
    plans: tuple[str, ...]
    plan_weights: tuple[float, ...]


@dataclass(frozen=True)
class ProblemsConfig:
    """Sizes of the problem sets."""

    seed: int
    heldout_usual: int
    heldout_five: int
    heldout_rare: int
    development_usual: int
    development_five: int
    development_rare: int
    usual_counts: tuple[int, ...]
    usual_count_weights: tuple[float, ...]
    rl: int
    distill: int


@dataclass(frozen=True)
class DocumentsConfig:
    """How the base model's documents are written."""

    count: int
    hit: float
    retry: float
    tries: int


@dataclass(frozen=True)
class ModelConfig:
    """Shape of the Llama model."""

    hidden_size: int
    intermediate_size: int
    num_hidden_layers: int
    num_attention_heads: int
    max_position_embeddings: int
    tie_word_embeddings: bool


@dataclass(frozen=True)
class TrainConfig:
    """Next-token training (base and distilled model)."""

    batch: int
    learning_rate: float
    warmup: int
    weight_decay: float
    epochs: int


@dataclass(frozen=True)
class RlConfig:
    """GRPO training and the choice of its learning rate and step."""

    learning_rates: tuple[float, ...]
    trial_steps: int
    trial_seed: int
    steps: int
    save_steps: int
    prompts: int
    completions: int
    warmup: int
    beta: float
    temperature: float
    max_completion_length: int
    development_samples: int


@dataclass(frozen=True)
class SamplingConfig:
    """What is sampled from which model."""

    top_p: float
    max_tokens: int
    batch: int
    temperature: float
    samples: int
    low_temperature: float
    low_samples: int
    checkpoint_samples: int
    noreason_samples: int
    noreason_max_tokens: int
    report_seeds: tuple[int, ...]


@dataclass(frozen=True)
class Config:
    """The whole configuration file."""

    task: TaskConfig
    problems: ProblemsConfig
    documents: DocumentsConfig
    model: ModelConfig
    base: TrainConfig
    rl: RlConfig
    distill: TrainConfig
    sampling: SamplingConfig


def _section(cls: type[T], values: dict[str, Any]) -> T:
    known = {field.name for field in fields(cls)}  # type: ignore[arg-type]
    if set(values) != known:
        raise ValueError(f"config.toml: {cls.__name__} wants exactly {sorted(known)}, got {sorted(values)}")
    return cls(**{k: tuple(v) if isinstance(v, list) else v for k, v in values.items()})


def load(path: Path = CONFIG_PATH) -> Config:
    """Reads the configuration; raises ValueError when a key is missing or unknown."""
    raw = tomllib.loads(path.read_text(encoding="utf-8"))
    return Config(
        task=_section(TaskConfig, raw["task"]),
        problems=_section(ProblemsConfig, raw["problems"]),
        documents=_section(DocumentsConfig, raw["documents"]),
        model=_section(ModelConfig, raw["model"]),
        base=_section(TrainConfig, raw["base"]),
        rl=_section(RlConfig, raw["rl"]),
        distill=_section(TrainConfig, raw["distill"]),
        sampling=_section(SamplingConfig, raw["sampling"]),
    )
