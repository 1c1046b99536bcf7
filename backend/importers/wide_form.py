"""Wide form: a problem a row, with lists of an entry a sample: Open-R1, NuminaMath, verl's main_generation and others.

Jsonl, a JSON array or Parquet; lists by usual names. Several lists of verdicts are several verifiers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from backend.importers.rows import Record, RowFormat, Sample, first_of, first_record, get
from backend.importers.source import SourceFile, input_error
from backend.importers.tables import SAMPLE_FIELDS
from backend.importers.values import CORRECT_WORDS, as_mapping, option_texts

TEXTS = (
    "generations", "responses", "completions", "outputs", "samples", "predictions_raw", "model_outputs", "response",
    "generated_texts", "texts", "generation", "completion", "output", "solutions", "code", "llm_responses",
    "model_responses", "rollouts",
)  # fmt: skip
VERDICTS = (
    "correctness_math_verify", "correctness", "corrects", "correct", "is_correct", "verdicts", "passed", "scores",
    "score", "rewards", "reward", "accs", "acc", "accuracies", "math_verify", "correctness_llama", "graded_list",
    "labels", "results",
)  # fmt: skip
VAGUE = ("labels", "results")
"""Lists of these names are verdicts only where they look like it."""
ANSWERS = (
    "extracted_answers", "pred", "preds", "predictions", "predicted_answers", "model_answers", "answers", "extracted",
)  # fmt: skip
REASONS = ("finish_reasons", "finish_reason", "stop_reasons", "stop_reason")
TOKENS = ("token_lengths", "num_tokens", "n_tokens", "completion_tokens", "response_lengths", "generated_token_counts",
          "lengths", "tokens", "output_tokens")  # fmt: skip
SEEDS = ("seeds",)
STATEMENT = (
    "statement", "question", "problem", "prompt", "problem_statement", "query", "input", "instruction", "messages",
)  # fmt: skip
IDS = ("problem_id", "id", "uuid", "task_id", "question_id", "doc_id", "idx", "index", "uid", "unique_id")
REFERENCE = ("reference", "reference_answer", "expected_answer", "ground_truth", "gold", "gt", "target", "answer")
LEVEL = ("level", "difficulty")
BENCHMARK = ("benchmark", "data_source", "dataset")
METADATA = ("subject", "type", "problem_type", "question_type", "ability", "split")


def texts_of(record: Record) -> str | None:
    """The field with the responses: a list of texts, or of dialogues; None where there is none."""
    return next((name for name in TEXTS if _are_texts(record.get(name))), None)


def _are_texts(value: Any) -> bool:
    if not isinstance(value, list) or not value:
        return False
    said = [entry for entry in value if entry is not None]
    return bool(said) and all(isinstance(entry, str) or _is_dialogue(entry) for entry in said)


def _is_dialogue(entry: Any) -> bool:
    return isinstance(entry, list) and bool(entry) and all(isinstance(turn, dict) and "role" in turn for turn in entry)


def _known(record: Record) -> bool:
    # A single text beside it is the response, and the list is something else.
    single = any(isinstance(record.get(name), str) for name in SAMPLE_FIELDS["text"])
    return texts_of(record) is not None and not single and first_of(record, *STATEMENT, *IDS) is not None


def _lists(
    source: SourceFile, row: int, record: Record, names: Iterable[str], size: int, like: Callable[[Any], bool]
) -> dict[str, list[Any]]:
    """The lists of these names whose entries are such, an entry a sample.

    Raises:
        InputError: one of them has more or fewer entries than there are samples.
    """
    found: dict[str, list[Any]] = {}
    for name in names:
        values = record.get(name)
        if not isinstance(values, list) or not values or not all(value is None or like(value) for value in values):
            continue
        if len(values) != size and name not in (*VAGUE, *ANSWERS):
            raise input_error(source, row, f"field {name}: {len(values)} entries for {size} samples")
        if len(values) == size:
            found[name] = values
    return found


def _is_verdict(value: Any) -> bool:
    return isinstance(value, bool | int | float) or (isinstance(value, str) and value.strip().lower() in CORRECT_WORDS)


def _samples(source: SourceFile, row: int, record: Record) -> Iterator[Sample]:
    name = texts_of(record) or texts_of(first_record(source) or {})
    if name is None:
        raise input_error(source, row, "no list of responses")
    texts = record.get(name)
    if texts is None:
        return
    if not isinstance(texts, list):
        raise input_error(source, row, f"field {name}: expected a list with an entry a sample")
    size = len(texts)
    names = [each for each in VERDICTS if each != name]
    verdicts = _lists(source, row, record, names, size, _is_verdict)
    if not verdicts and size == 1:
        verdicts = {each: [record[each]] for each in names if isinstance(record.get(each), bool | int | float)}
    left = [each for each in ANSWERS if each not in verdicts and each != name]
    answers = _lists(source, row, record, left, size, lambda value: isinstance(value, str | int | float))
    reasons = _lists(source, row, record, REASONS, size, lambda value: isinstance(value, str))
    # What holds for all samples may stand there once.
    reason = next(iter(reasons.values()), None) or [_scalar(record, REASONS)] * size
    tokens = next(iter(_lists(source, row, record, TOKENS, size, _is_whole).values()), [None] * size)
    seeds = next(iter(_lists(source, row, record, SEEDS, size, _is_whole).values()), [None] * size)
    truth = get(record, "reward_model", "ground_truth")
    reference = truth if truth is not None else _scalar(record, REFERENCE)
    extra = as_mapping(record.get("extra_info"))
    place = extra.get("index")
    statement = first_of(record, *STATEMENT)
    number = _scalar(record, IDS)
    if number is None and place is not None:
        number = f"{extra['split']}/{place}" if extra.get("split") else place
    choices = first_of(record, "choices", "options")
    shared: dict[str, Any] = {
        "problem": number,
        "statement": statement,
        "reference": reference,
        "answers_known": bool(answers),
        "level": _scalar(record, LEVEL),
        "benchmark": _scalar(record, BENCHMARK),
        "model": _scalar(record, ("model", "model_name")),
        "metadata": {each: record[each] for each in METADATA if isinstance(record.get(each), str)},
        "asked": {"options": option_texts(choices)} if choices is not None else {},
    }
    answer = next(iter(answers.values()), [None] * size)
    for i in range(size):
        yield Sample(
            verdicts={each: values[i] for each, values in verdicts.items()},
            text=texts[i],
            answer=answer[i],
            finish_reason=reason[i],
            tokens=tokens[i],
            seed=seeds[i],
            **shared,
        )


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _scalar(record: Record, names: tuple[str, ...]) -> Any:
    return next((record[name] for name in names if isinstance(record.get(name), str | int | float)), None)


wide_form = RowFormat(
    "wide-form",
    "wide form: a problem a row, lists with an entry a sample (jsonl, json, Parquet)",
    _known,
    _samples,
)
