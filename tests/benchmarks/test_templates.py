"""Prompt templates: the named ones to the letter, the user's own, and those that need a tokenizer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from backend.errors import UsageError
from backend.jobs.templates import (
    PLAIN,
    needs_chat,
    read_template,
    render_prompt,
    resolved_template,
    template_hash,
    template_names,
    template_parameters,
    tokenizer_chat,
)

pytest.importorskip("jinja2", reason="jinja2 is not installed")

STATEMENT = "What is {{ 1 + 1 }}?\n  $x^2$"


def chat_template(messages: Sequence[Mapping[str, str]]) -> str:
    """As a tokenizer writes it, with what looks like jinja2 in it."""
    return "{# no comment #}{{tools}}" + "".join(f"<{m['role']}>{m['content']}</>" for m in messages) + "<assistant>\n"


def test_the_names() -> None:
    assert template_names() == ["abel", "chat", "plain", "qwen-boxed"]


@pytest.mark.parametrize(
    ("name", "prompt"),
    [
        (
            "qwen-boxed",
            "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n<|im_start|>user\nWhat is 2?\nPlease reason "
            "step by step, and put your final answer within \\boxed{}.<|im_end|>\n<|im_start|>assistant\n",
        ),
        ("abel", "Question:\nWhat is 2?\nAnswer:\nLet's think step by step.\n"),
        ("plain", "What is 2?"),
    ],
)
def test_a_named_template_to_the_letter(name: str, prompt: str) -> None:
    text = read_template(name)
    assert render_prompt(text, "What is 2?") == prompt
    assert read_template(name, chat_template) == text, "no tokenizer changes it"
    assert not needs_chat(text)


def test_plain_is_the_statement_alone() -> None:
    assert read_template("plain") == PLAIN
    assert render_prompt(PLAIN, STATEMENT) == STATEMENT, "a statement is never a template"


def test_chat_is_settled_by_the_tokenizer_and_then_needs_none() -> None:
    raw = read_template("chat")
    assert needs_chat(raw)
    with pytest.raises(UsageError, match="tokenizer"):
        render_prompt(raw, STATEMENT)
    text = read_template("chat", chat_template)
    assert not needs_chat(text)
    expected = chat_template([{"role": "user", "content": STATEMENT}])
    assert render_prompt(text, STATEMENT) == render_prompt(raw, STATEMENT, chat_template) == expected
    assert resolved_template(text, chat_template) == text


def test_a_chat_template_without_the_statement_is_refused() -> None:
    with pytest.raises(UsageError, match="leaves the statement out"):
        resolved_template(read_template("chat"), lambda messages: "<assistant>")


def test_the_users_file(tmp_path: Path) -> None:
    file = tmp_path / "mine.jinja"
    file.write_bytes(b"Q: {{ statement }}\r\nA:\n")
    assert render_prompt(read_template(str(file)), "Why?") == "Q: Why?\nA:\n"
    for broken, said in (("{{ statement", "broken"), ("{{ nothing_known }}", "broken"), ("{{ 1 + 'a' }}", "broken")):
        file.write_text(broken, encoding="utf-8")
        with pytest.raises(UsageError, match=said):
            render_prompt(read_template(str(file)), "Why?")
    file.write_text("{{ statement.__class__.__mro__[1].__subclasses__() }}", encoding="utf-8")
    with pytest.raises(UsageError, match="broken"):
        render_prompt(read_template(str(file)), "Why?")
    file.write_bytes(b"\xff")
    with pytest.raises(UsageError, match="utf-8"):
        read_template(str(file))


def test_no_such_template() -> None:
    with pytest.raises(UsageError) as error:
        read_template("qwen-boxd")
    assert "qwen-boxed" in error.value.detail


def test_a_run_keeps_text_and_hash() -> None:
    parameters = template_parameters(PLAIN)
    assert parameters == {"template": PLAIN, "template_hash": template_hash(PLAIN)}
    assert len(parameters["template_hash"]) == 16
    assert template_hash(PLAIN + "\n") != template_hash(PLAIN)


def test_with_a_real_tokenizer() -> None:
    tokenizers = pytest.importorskip("tokenizers", reason="tokenizers is not installed")
    transformers = pytest.importorskip("transformers", reason="transformers is not installed")
    words = tokenizers.Tokenizer(tokenizers.models.WordLevel({"[UNK]": 0}, "[UNK]"))
    tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_object=words)
    with pytest.raises(UsageError, match="no chat template"):
        read_template("chat", tokenizer_chat(tokenizer))
    tokenizer.chat_template = (
        "{% for m in messages %}<|{{ m.role }}|>{{ m.content | trim }}{% endfor %}"
        "{% if add_generation_prompt %}<|assistant|>{% endif %}"
    )
    text = read_template("chat", tokenizer_chat(tokenizer))
    assert text == "<|user|>{{ statement }}<|assistant|>"
    assert render_prompt(text, "Why?") == "<|user|>Why?<|assistant|>"
