"""Runs in vLLM's own environment: loads an engine, does a list of steps from stdin, prints what came of each.

    python engine_program.py < PLAN.json > RESULTS.json

A plan is {"load": keywords of load_engine, "steps": [...]}; a step is one of

    {"generate": [requests], "params": {...}, "take": how many samples (all without it)}
    {"score": [items], "alternatives": how many (neither these nor ends without it)}
    {"score_some": [more items], "prompts": {problem: prompt}}: also of some samples of the step before
    {"load_fails": keywords of load_engine}
"""

from __future__ import annotations

import json
import os
import sys
import time
from dataclasses import asdict
from itertools import islice
from typing import Any

from backend.engines.protocol import Engine, PromptRequest, SamplingParams, TextToScore
from backend.engines.registry import load_engine
from backend.errors import UsageError


def samples(engine: Engine, step: dict[str, Any]) -> dict[str, Any]:
    requests = [
        PromptRequest(each["problem"], each["prompt"], *map(tuple, each["numbers"])) for each in step["generate"]
    ]
    found: list[dict[str, Any]] = []
    times: list[float] = []
    started = time.monotonic()
    error = None
    drawing = engine.generate(requests, SamplingParams(**step["params"]))
    try:
        for sample in islice(drawing, step.get("take")):
            found.append(asdict(sample))
            times.append(time.monotonic() - started)
    except (ValueError, UsageError) as refused:
        error = str(refused)
    drawing.close()  # type: ignore[attr-defined]
    return {"samples": found, "times": times, "error": error}


def scores(engine: Engine, step: dict[str, Any]) -> dict[str, Any]:
    items = [TextToScore(**item) for item in step["score"]]
    try:
        return {"scores": [asdict(score) for score in engine.score(items, step.get("alternatives"))]}
    except ValueError as refused:
        return {"error": str(refused)}


def some(step: dict[str, Any], drawn: dict[str, Any]) -> dict[str, Any]:
    """Every eighth sample, and those that ran out of tokens."""
    chosen = [each for each in drawn["samples"] if each["index"] % 8 == 0 or each["finish_reason"] == "length"]
    items = [{"prompt": step["prompts"][s["problem"]], **{k: s[k] for k in ("text", "finish_reason")}} for s in chosen]
    return {"score": [*items, *step["score_some"]]}


def failure(step: dict[str, Any]) -> dict[str, Any]:
    try:
        load_engine(**step["load_fails"]).close()
    except Exception as error:
        return {"error": str(error), "kind": type(error).__name__}
    return {"error": None}


def main() -> None:
    # Libraries print; what they print must not come between the results.
    results = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    plan = json.load(sys.stdin)
    engine = load_engine(**plan["load"])
    done: list[dict[str, Any]] = []
    for step in plan["steps"]:
        if "generate" in step:
            done.append(samples(engine, step))
        elif "load_fails" in step:
            done.append(failure(step))
        else:
            items = some(step, done[-1]) if "score_some" in step else step
            done.append(scores(engine, items) | {"items": items["score"]})
    json.dump({"version": engine.version, "steps": done}, results)
    results.close()
    engine.close()


if __name__ == "__main__":
    main()
