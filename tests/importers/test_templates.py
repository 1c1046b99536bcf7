"""Templates come off prompts, so that a base and an RL model's problems are the same. See `importers.prompts`."""

from __future__ import annotations

from pathlib import Path

import pytest

from backend import RunOptions, plan_run, solve_sets
from backend.importers.prompts import common_ends, question_of
from backend.store.layout import StoreLayout
from tests.support import SHARED_DATA, imported, jsonl, with_reader

Q = "How many stand?\nCount them: 1, 2."
BOXED = " Please reason step by step, and put your final answer within \\boxed{}."
TEMPLATES = {
    "instruction": f"{Q}\n{BOXED.strip()}",
    "gsm8k": f'{Q} Let\'s think step by step and output the final answer after "####".',
    "chatml": f"<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n<|im_start|>user\n{Q}{BOXED}<|im_end|>\n"
    "<|im_start|>assistant\n",
    "chatml with examples": "<|im_start|>user\n1+1?<|im_end|>\n<|im_start|>assistant\n2<|im_end|>\n<|im_start|>user\n"
    f"{Q}<|im_end|>\n<|im_start|>assistant\n",
    "chatml without its markers": f"system\nYou are a helpful assistant.\nuser\n{Q}\n{BOXED}\nassistant\n",
    "llama 3": "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nCutting<|eot_id|><|start_header_id|>user"
    f"<|end_header_id|>\n\n{Q}{BOXED}<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n",
    "llama 3 without its markers": f"system\n\nCutting Knowledge Date: 2023\n\nuser\n\n{Q}{BOXED}assistant\n\n",
    "mistral": f"<s>[INST] {Q}{BOXED} [/INST]",
    "llama 2": f"<s>[INST] <<SYS>>\nBe nice.\n<</SYS>>\n\n{Q} [/INST]",
    "gemma": f"<bos><start_of_turn>user\n{Q}{BOXED}<end_of_turn>\n<start_of_turn>model\n",
    "deepseek": f"<｜begin▁of▁sentence｜><｜User｜>{Q}{BOXED}<｜Assistant｜><think>\n",
    "phi": f"<|system|>\nBe.<|end|>\n<|user|>\n{Q}<|end|>\n<|assistant|>\n",
    "harmony": f"<|start|>system<|message|>You<|end|><|start|>user<|message|>{Q}<|end|><|start|>assistant",
    "r1-zero": f"A conversation between User and Assistant. The User asks. User: {Q} Assistant: <think>",
    "tinyzero": f"A conversation between User and Assistant.\nUser: {Q}\nAssistant: Let me solve this.\n<think>",
    "vicuna": f"A chat. USER: {Q} ASSISTANT:",
    "examples": f"Q: 1+1?\nA: 2\n\nQ: {Q}\nA:",
    "minerva": f"Problem:\nFind y.\n\nSolution:\nIt is 2.\n\nProblem:\n{Q}\n\nSolution:",
    "alpaca": f"Below is an instruction that describes a task.\n\n### Instruction:\n{Q}{BOXED}\n\n### Response:",
    "dapo": "Solve the following math problem step by step. The last line of your response should be of the form "
    f'Answer: $Answer (without quotes).\n\n{Q}\n\nRemember to put your answer on its own line after "Answer:".',
}


@pytest.mark.parametrize("name", TEMPLATES)
def test_known_templates_come_off(name: str) -> None:
    assert question_of(TEMPLATES[name]) == Q


@pytest.mark.parametrize(
    "question",
    [
        "Explain step by step how to fold it.",
        "Using [1, 2], make 3. Is it possible step by step?",
        "def f(x):\n    return x",
        "What does <b>user</b> mean?\nAnswer: it depends.",
        "The user\nasked: A or B?",
    ],
)
def test_questions_stay_whole(question: str) -> None:
    assert question_of(question) == question


@pytest.mark.parametrize(
    ("prompts", "ends"),
    [
        (["Find a.", "Find b.", "Find c."], ("", "")),
        (["What is it?\na", "What is it?\nb", "What is it?\nc"], ("", "")),
        (["Be brief.\na\nGo.", "Be brief.\nb\nGo."], ("", "")),
        (["Be brief.\nFind a\nGo.", "Be brief.\nFind b\nGo.", "Be brief.\nFind c\nGo."], ("Be brief.\n", "\nGo.")),
        (["<<ASK>> Find a. <<REPLY>>", "<<ASK>> Find b. <<REPLY>>"], ("<<ASK>> ", " <<REPLY>>")),
        (["Hi.\nQuestion: Find a\nAnswer: ", "Hi.\nQuestion: Find b\nAnswer: "], ("Hi.\nQuestion: ", "\nAnswer: ")),
        (["Only one.\nFind a."], ("", "")),
        (["Same\na", "Same\na\n", "Same\na"], ("", "")),
    ],
)
def test_of_an_unknown_format_comes_off_what_all_prompts_share(prompts: list[str], ends: tuple[str, str]) -> None:
    assert common_ends(prompts) == ends


def compared(store: StoreLayout, base: str, rl: str) -> tuple[int, int]:
    """Problems that are compared, and those that are not."""
    sets = with_reader(store, lambda reader: solve_sets(reader, [reader.run(base), reader.run(rl)]))
    return len(sets.problems), sets.not_compared.total


def test_an_unknown_template_is_said_and_kept(store: StoreLayout, tmp_path: Path) -> None:
    def rows(template: str) -> list[dict[str, object]]:
        return [
            {"id": f"p{i}", "prompt": template.format(f"Find {i}."), "response": f"It is {i}.", "correct": i % 2 == 0}
            for i in range(5)
        ]

    imported(store, jsonl(tmp_path / "a.jsonl", rows("{}")), model="base")
    report = imported(store, jsonl(tmp_path / "b.jsonl", rows("%% pupil %%\n{}\n%% master %%\n")), model="rl")
    said = "prompts whose template was taken off and is kept beside: “%% pupil %%” … “%% master %%”"
    assert report.notes[said] == 5
    assert compared(store, "base@b", "rl@b") == (5, 0)
    plan = with_reader(
        store,
        lambda reader: plan_run(reader, benchmark="b", add=1, run_options=RunOptions(run="rl@b"), parameters={}),
    )
    assert plan.problems[0].prompt == "%% pupil %%\nFind 0.\n%% master %%\n", "what resampling asks with"
    assert plan.target.parameters["template"] == "%% pupil %%\n{{ statement }}\n%% master %%\n"


def test_a_prompt_in_the_same_words_is_the_same_problem(store: StoreLayout, tmp_path: Path) -> None:
    """What a file of two prompts cannot show to be a template, another file of the same run can."""
    texts = [f"Be brief.\nFind {i}.\nGo." for i in range(4)]
    rows = [{"prompt": text, "response": text[::-1], "correct": True} for text in texts]
    imported(store, jsonl(tmp_path / "few.jsonl", rows[:2]), model="base")
    imported(store, jsonl(tmp_path / "many.jsonl", rows), model="rl")
    assert compared(store, "base@b", "rl@b") == (2, 2)


CASES = SHARED_DATA / "cases" / "pairing"


@pytest.mark.skipif(not CASES.is_dir(), reason=f"{CASES} is not there")
@pytest.mark.parametrize(
    ("case", "base", "rl"),
    [
        ("verl-chat-template", "base.jsonl", "rl.jsonl"),
        ("lm-eval-unusual-field", "org__Base", "org__Rl"),
        ("long-form-prompt-with-id", "base.jsonl", "rl.jsonl"),
        ("trl-text-and-messages", "base.parquet", "rl.parquet"),
    ],
)
@pytest.mark.parametrize("first", ["base", "rl"])
def test_cases_of_pairing(store: StoreLayout, case: str, base: str, rl: str, first: str) -> None:
    files = {"base": base, "rl": rl}
    for model in (first, *(name for name in files if name != first)):
        imported(store, CASES / case / files[model], model=model, role=model)
    assert compared(store, "base", "rl") == (4, 0)
