"""Step "rl": the base model trained by TRL's GRPOTrainer with a 0/1 reward from the verifier.

Completions are drawn by the project's own transformers engine (TRL's `rollout_func`), which drops finished
rows and is several times faster on a CPU than the trainer's default. Everything else is TRL's: advantages
within a prompt's group, the clipped loss, the optimizer, checkpoints. A run continues from its last
checkpoint, so a trial of a learning rate is the beginning of the full run.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from backend.engines.protocol import SamplingParams, make_request
from backend.engines.transformers import TransformersEngine
from backend.verifiers.expression import ExpressionVerifier
from backend.verifiers.protocol import Task
from sample_data.recipe import countdown, training
from sample_data.recipe.config import Config, RlConfig
from sample_data.recipe.countdown import Key
from sample_data.recipe.progress import Progress

VERIFIER = ExpressionVerifier()


def reward(completions: list[str], numbers: list[list[int]], target: list[int], **_: Any) -> list[float]:
    """1 for every completion the verifier calls correct, else 0."""
    facts = [{"numbers": n, "target": t} for n, t in zip(numbers, target, strict=True)]
    verdicts = (VERIFIER.judge(Task(c, metadata=m)).verdict for c, m in zip(completions, facts, strict=True))
    return [float(verdict == "correct") for verdict in verdicts]


def rollout(config: RlConfig, run: str) -> Any:
    """A rollout function for TRL: one completion for each prompt it is given (prompts come repeated)."""
    params = SamplingParams(
        temperature=config.temperature, top_p=1.0, max_tokens=config.max_completion_length, logprobs=True
    )

    def draw(prompts: list[str], trainer: Any) -> dict[str, Any]:
        engine = TransformersEngine(trainer.accelerator.unwrap_model(trainer.model), trainer.processing_class)
        name = f"{run}/step-{trainer.state.global_step}"
        requests = [make_request(name, str(place), prompt, [0]) for place, prompt in enumerate(prompts)]
        samples = sorted(engine.generate(requests, params), key=lambda sample: int(sample.problem))
        trainer.model.train()
        if len(samples) != len(prompts):
            raise RuntimeError(f"{len(samples)} completions for {len(prompts)} prompts")
        return {
            "prompt_ids": [trainer.processing_class(prompt)["input_ids"] for prompt in prompts],
            "completion_ids": [list(sample.token_ids) for sample in samples],
            "logprobs": [list(sample.logprobs or ()) for sample in samples],
        }

    return draw


def checkpoint(folder: Path, step: int) -> Path:
    """Where the trainer keeps a step."""
    return folder / f"checkpoint-{step}"


def _last(folder: Path) -> Path | None:
    """The newest checkpoint whose trainer state was written."""
    found = [path for path in folder.glob("checkpoint-*") if (path / "trainer_state.json").is_file()]
    return max(found, key=lambda path: int(path.name.split("-")[1]), default=None)


def train(config: Config, base: Path, folder: Path, problems: list[Key], rate: float, steps: int, seed: int) -> None:
    """Trains to `steps` with one learning rate, from the last checkpoint in `folder` if there is one."""
    if (checkpoint(folder, steps) / "trainer_state.json").is_file():
        return
    os.environ.setdefault("TRL_EXPERIMENTAL_SILENCE", "1")
    from datasets import Dataset
    from transformers import TrainerCallback
    from trl import GRPOConfig, GRPOTrainer

    rl = config.rl
    rows = Dataset.from_list(
        [
            {
                "prompt": countdown.prompt(countdown.statement(numbers, target)),
                "numbers": list(numbers),
                "target": target,
            }
            for numbers, target in problems
        ]
    )
    arguments = GRPOConfig(
        output_dir=str(folder),
        max_steps=steps,
        per_device_train_batch_size=rl.prompts * rl.completions,
        num_generations=rl.completions,
        max_completion_length=rl.max_completion_length,
        temperature=rl.temperature,
        beta=rl.beta,
        learning_rate=rate,
        lr_scheduler_type="constant_with_warmup",
        warmup_steps=rl.warmup,
        save_steps=rl.save_steps,
        logging_steps=1,
        seed=seed,
        use_cpu=True,
        bf16=False,
        gradient_checkpointing=False,
        report_to="none",
        disable_tqdm=True,
        dataloader_pin_memory=False,
    )
    start = _last(folder)
    first = int(start.name.rsplit("-", 1)[1]) if start else 0
    progress = Progress(f"rl {rate:g}", steps, "steps", first)

    class Report(TrainerCallback):  # type: ignore[misc]
        """Shows steps and rewards instead of the trainer's own printing."""

        def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, float] | None = None, **_: Any) -> None:
            progress.update(state.global_step, f"reward {(logs or {}).get('reward', float('nan')):.3f}")

    trainer = GRPOTrainer(
        model=training.load_model(base),
        reward_funcs=reward,
        args=arguments,
        train_dataset=rows,
        processing_class=training.load_tokenizer(base),
        rollout_func=rollout(rl, f"rl-seed-{seed}"),
        callbacks=[Report()],
    )
    from transformers.trainer_callback import PrinterCallback

    trainer.remove_callback(PrinterCallback)
    trainer.train(resume_from_checkpoint=str(start) if start else None)
    progress.close()


def export(folder: Path, step: int, base: Path, target: Path, facts: dict[str, Any]) -> None:
    """Saves a trainer's checkpoint as a model folder."""
    import json

    start = time.monotonic()
    source = checkpoint(folder, step)
    history = json.loads((source / "trainer_state.json").read_text(encoding="utf-8"))["log_history"]
    rewards = [(row["step"], row["reward"]) for row in history if "reward" in row and row["step"] <= step]
    recent = [value for at, value in rewards if at > step - 10]
    facts = {**facts, "step": step, "reward_last_10_steps": sum(recent) / max(len(recent), 1)}
    training.save_model(training.load_model(source), training.load_tokenizer(base), target, facts)
    print(f"rl: saved {target.name} in {time.monotonic() - start:.1f} s", flush=True)
