"""Which column of a tabular file holds what: by usual names, or as the user says with --column FIELD=COLUMN."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from backend.errors import UsageError, suggestion

RUN_FIELDS = {
    "run": ("run", "run_name"),
    "model": ("model", "model_name", "model_id"),
    "role": ("role", "model_role"),
    "from_model": ("from_model", "base_model"),
    "step": ("step", "global_step", "training_step"),
    "algorithm": ("algorithm",),
    "benchmark": ("benchmark", "dataset", "data_source", "task"),
}
"""Fields that say which run a row belongs to."""

PARAMETERS = ("temperature", "top_p", "top_k", "min_p", "max_tokens", "template", "prompt_template")
"""Sampling parameters; they are constant in a run."""

PROBLEM_FIELDS = {
    "problem": ("problem", "problem_id", "task_id", "question_id", "doc_id", "example_id", "id", "idx", "uid"),
    "statement": ("statement", "question", "prompt", "problem_statement", "problem_text", "query", "input"),
    "level": ("level", "difficulty"),
    "metadata": ("metadata",),
}

SAMPLE_FIELDS = {
    "text": ("text", "completion", "response", "generation", "output", "full_model_response", "model_output"),
    "verdict": ("verdict", "is_correct", "correct", "passed", "score", "reward", "acc", "accuracy"),
    "answer": ("extracted_answer", "model_answer", "prediction", "predicted_answer", "pred", "answer"),
    "reference": ("reference", "reference_answer", "expected_answer", "ground_truth", "gold", "gt", "target", "answer"),
    "index": ("index", "sample", "sample_index", "sample_idx", "completion_id", "epoch"),
    "tokens": ("tokens", "num_tokens", "n_tokens", "completion_tokens", "output_tokens", "response_length"),
    "finish_reason": ("finish_reason", "stop_reason"),
    "seed": ("seed",),
    "logprob_sum": ("logprob_sum", "cumulative_logprob"),
    "detail": ("detail", "result", "explanation"),
}

COUNT_FIELDS = {
    "n": ("n", "samples", "num_samples", "total"),
    "c": ("c", "num_correct", "correct", "n_correct"),
}


def map_columns(
    present: Iterable[str],
    fields: Mapping[str, tuple[str, ...]],
    chosen: Mapping[str, str],
    *,
    extra_allowed: bool = False,
) -> dict[str, str]:
    """Field -> column, for the fields that the file has. A column serves one field; the user's choice goes first.

    Raises:
        UsageError: a chosen column is not in the file, or the field does not exist.
    """
    present = list(present)
    taken: dict[str, str] = {}
    for field, column in chosen.items():
        if field not in fields:
            if extra_allowed:
                continue
            raise UsageError(
                f"--column {field}={column}: unknown field", next_step=suggestion(field, list(fields), "field")
            )
        if column not in present:
            raise UsageError(
                f"--column {field}={column}: no such column", next_step=suggestion(column, present, "column")
            )
        taken[field] = column
    for field, names in fields.items():
        free = [name for name in names if name in present and name not in taken.values()]
        if field not in taken and free:
            taken[field] = free[0]
    return taken
