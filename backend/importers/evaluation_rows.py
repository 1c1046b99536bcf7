"""Results of evaluation tools, a record each: NeMo-Skills, EvalScope, Every Eval Ever, batches of OpenAI's API."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import orjson

from backend.importers.blocks import sampling_parameters
from backend.importers.chat import message_text, split_dialogue
from backend.importers.rows import Record, RowFormat, Sample, first_of, get
from backend.importers.source import SourceFile
from backend.importers.values import as_mapping, as_text, listed

# NeMo-Skills `output-rs{seed}.jsonl`: a row of the data set with what was generated and judged.

GRADED = {
    "symbolic_correct", "judgement", "num_generated_tokens", "generation_start_time", "generation_time",
    "is_correct-plus",
}  # fmt: skip
SEED = re.compile(r"output-rs(\d+)")
JUDGED = re.compile(r"\s*(?:\*\*)?(?:judge?ment:?)?(?:\*\*)?:?\s*\**(yes|no)\b", re.IGNORECASE)
LAST_JUDGED = re.compile(r"judge?ment:?\**:?\s*\**(yes|no)\b", re.IGNORECASE)


def judged(text: object) -> bool | None:
    """What a judge of NeMo-Skills says at last: `Judgement: Yes`."""
    if not isinstance(text, str):
        return text if isinstance(text, bool) else None
    found = LAST_JUDGED.findall(text)
    said = found[-1] if found else (match[1] if (match := JUDGED.match(text)) else None)
    return None if said is None else said.lower() == "yes"


def _skills_samples(source: SourceFile, row: int, record: Record) -> Iterator[Sample]:
    named = SEED.search(source.path.name)
    verdicts: dict[str, Any] = {}
    for name in ("symbolic_correct", "is_correct", "is_correct-plus", "passed"):
        if name in record:
            verdicts[name] = record[name]
    if "judgement" in record:
        verdicts["judgement"] = judged(record["judgement"])
    choices = record.get("options")
    yield Sample(
        verdicts=verdicts,
        problem=first_of(record, "id", "problem_id", "task_id", "question_id", "index"),
        statement=first_of(record, "problem", "question", "prompt"),
        text=message_text({**record, "content": record.get("generation")})[0],
        reference=first_of(record, "expected_answer", "reference_answer"),
        answer=record.get("predicted_answer"),
        answers_known="predicted_answer" in record,
        tokens=record.get("num_generated_tokens"),
        finish_reason=record.get("finish_reason"),
        seed=int(named[1][:9]) if named else None,
        failure=record.get("error"),
        level=first_of(record, "level", "difficulty"),
        metadata={
            name: record[name] for name in ("subject", "subset_for_metrics", "category") if record.get(name) is not None
        },
        asked={"options": tuple(map(str, choices))} if isinstance(choices, list) else {},
    )


nemo_skills = RowFormat(
    "nemo-skills",
    "NeMo-Skills output jsonl",
    lambda first: isinstance(first.get("generation"), str) and not GRADED.isdisjoint(first),
    _skills_samples,
)

# EvalScope `reviews/{model}/{benchmark}_{subset}.jsonl`: with a score for each sample; before 1.0 with a review.


def _under(source: SourceFile, folder: str) -> str | None:
    """The model whose folder a file lies in."""
    return source.path.parent.name if source.path.parent.parent.name == folder else None


def _stem(source: SourceFile) -> str:
    return source.path.name.split(".jsonl")[0].split(".json")[0]


def _scope_samples(source: SourceFile, row: int, record: Record) -> Iterator[Sample]:
    model, benchmark = _under(source, "reviews"), _stem(source)
    if "sample_score" in record:
        graded = as_mapping(record["sample_score"])
        score = as_mapping(graded.get("score"))
        values = score.get("value")
        verdicts: Mapping[str, Any] = values if isinstance(values, dict) else {"score": values}
        main = as_text(score.get("main_score_name"))
        if main is not None and main in verdicts:
            verdicts = {main: verdicts[main], **verdicts}
        asked, said = split_dialogue(record.get("messages"))
        group = graded.get("group_id")
        yield Sample(
            verdicts=verdicts,
            problem=group if group is not None else record.get("index"),
            statement=asked or record.get("input"),
            text=said or score.get("prediction"),
            reference=record.get("target"),
            answer=score.get("extracted_prediction"),
            answers_known="extracted_prediction" in score,
            tokens=get(said, -1, "perf_metrics", "output_tokens") if len(said) == 1 else None,
            failure=graded.get("error"),
            model=model or get(said, -1, "model"),
            benchmark=benchmark,
        )
        return
    raw, prompt = as_mapping(record.get("raw_input")), get(record, "origin_prompt", "data", -1)
    choices = listed(record.get("choices"))
    for choice in choices:
        review = as_mapping(get(choice, "review"))
        result = review.get("result")
        yield Sample(
            verdicts={str(name): value for name, value in result.items()}
            if isinstance(result, dict)
            else {"result": result},
            problem=record.get("index"),
            statement=first_of(raw, "question", "prompt", "problem", "query") or prompt,
            text=get(choice, "message"),
            reference=review.get("gold"),
            answer=review.get("pred"),
            answers_known="pred" in review,
            tokens=get(record, "usage", "completion_tokens") if len(choices) == 1 else None,
            finish_reason=get(choice, "finish_reason"),
            model=model or record.get("model"),
            benchmark=benchmark,
        )


evalscope = RowFormat(
    "evalscope",
    "EvalScope reviews jsonl",
    lambda first: (
        isinstance(get(first, "sample_score", "score"), dict)
        or (isinstance(first.get("choices"), list) and isinstance(get(first, "choices", 0, "review"), dict))
    ),
    _scope_samples,
)

# Every Eval Ever: one record for every instance, whatever tool made it.


def _instance_samples(source: SourceFile, row: int, record: Record) -> Iterator[Sample]:
    asked, output = as_mapping(record.get("input")), as_mapping(record.get("output"))
    references = asked.get("reference")
    said = output.get("raw")
    if record.get("messages"):
        said = [split_dialogue([_turn(turn) for turn in listed(record["messages"])])[1]]
    elif not isinstance(said, list):
        said = [said]
    thoughts = output.get("reasoning_trace")
    thoughts = thoughts if isinstance(thoughts, list) else [thoughts]
    found = [
        entry
        for entry in listed(record.get("answer_attribution"))
        if isinstance(entry, dict) and entry.get("is_terminal")
    ]
    graded = as_mapping(record.get("evaluation"))
    choices = asked.get("choices")
    for place, text in enumerate(said):
        if isinstance(text, str) and (thought := get(thoughts, place)):
            text = {"content": text, "reasoning_content": thought}
        yield Sample(
            # One judgement of several responses is none of each.
            verdicts={"is_correct": graded.get("is_correct") if len(said) == 1 else None},
            problem=record.get("sample_id"),
            statement=asked.get("raw"),
            text=text,
            reference="; ".join(map(str, references)) if isinstance(references, list) else references,
            answer=get(found, -1, "extracted_value") if len(said) == 1 else None,
            tokens=get(record, "token_usage", "output_tokens") if len(said) == 1 else None,
            failure=record.get("error"),
            details={"score": graded.get("score")},
            model=record.get("model_id"),
            benchmark=record.get("evaluation_name"),
            asked={"options": tuple(map(str, choices))} if isinstance(choices, list) else {},
        )


def _turn(turn: Any) -> Any:
    if not isinstance(turn, dict):
        return turn
    return {**turn, "reasoning_content": turn.get("reasoning_trace")}


every_eval_ever = RowFormat(
    "every-eval-ever",
    "Every Eval Ever instances jsonl",
    lambda first: {"evaluation_id", "model_id", "sample_id", "input", "evaluation"} <= first.keys(),
    _instance_samples,
)

# Output of OpenAI's batch API, as vLLM and others write it too. The prompts are in the file that was sent.

LOOKED_AT = 50
"""Files beside an output that are looked at for the requests."""
BATCH_PARAMETERS = {
    "temperature": "temperature", "top_p": "top_p", "max_tokens": "max_tokens", "max_completion_tokens": "max_tokens",
    "seed": "seed",
}  # fmt: skip


@lru_cache(maxsize=8)
def _requests(folder: Path, known: str, stamp: int) -> Mapping[str, Mapping[str, Any]]:
    """The body of every request by its custom_id, where a file of the folder has the one that is known."""
    for path in sorted(folder.glob("*.jsonl"))[:LOOKED_AT]:
        found: dict[str, Mapping[str, Any]] = {}
        try:
            with open(path, "rb") as file:
                for line in file:
                    request = orjson.loads(line) if line.strip() else {}
                    if not isinstance(request, dict) or "body" not in request or "custom_id" not in request:
                        break
                    found[str(request["custom_id"])] = as_mapping(request["body"])
        except (OSError, ValueError):
            continue
        if known in found:
            return found
    return {}


def _batch_samples(source: SourceFile, row: int, record: Record) -> Iterator[Sample]:
    name = as_text(record.get("custom_id")) or ""
    response = as_mapping(record.get("response"))
    body = as_mapping(response.get("body"))
    folder = source.path.parent
    first = as_text((source.first_object or record).get("custom_id")) or ""
    sent = _requests(folder, first, folder.stat().st_mtime_ns).get(name, {})
    error = record.get("error") or body.get("error")
    status = response.get("status_code")
    if error is None and isinstance(status, int) and status >= 400:
        error = f"status {status}"
    choices = [choice for choice in listed(body.get("choices")) if isinstance(choice, dict)]
    for choice in choices or [{}]:
        yield Sample(
            problem=name or None,
            statement=first_of(sent, "messages", "prompt"),
            text=first_of(choice, "message", "text"),
            tokens=get(body, "usage", "completion_tokens") if len(choices) == 1 else None,
            finish_reason=choice.get("finish_reason"),
            failure=error,
            # A request that failed names no model: that of the first line.
            model=body.get("model") or sent.get("model") or get(source.first_object, "response", "body", "model"),
            parameters=sampling_parameters(sent, BATCH_PARAMETERS),
        )


openai_batch = RowFormat(
    "openai-batch",
    "output of a batch of OpenAI's API (vLLM and others write it too)",
    lambda first: {"custom_id", "response"} <= first.keys() and "body" not in first,
    _batch_samples,
)
