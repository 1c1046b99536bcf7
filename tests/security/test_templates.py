"""Prompt templates come with stores: none takes for ever, or all memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from backend.errors import UsageError
from backend.jobs import template_process
from backend.jobs.templates import needs_chat, render_prompt

LOOP = "{% for i in range(100000) %}{% for j in range(100000) %}{% endfor %}{% endfor %}"


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(template_process, "DEADLINE", 1.0)
    monkeypatch.setattr(template_process, "START", 20.0)


@pytest.mark.parametrize(
    "template",
    ["{{ 'a' * 10**10 }}", "{{ '%1000000000d' % 1 }}", "{{ statement * 10**9 }}", "{{ '{:>2000000000}'.format(1) }}"],
)
def test_a_template_that_needs_all_memory(template: str) -> None:
    assert not needs_chat(template), "looking for names computes nothing"
    with pytest.raises(UsageError, match=r"needs too much memory|more than 8,000,000 char|is not done"):
        render_prompt(template, "7")


def test_a_template_that_never_ends_and_the_next_one_after_it() -> None:
    assert render_prompt("{% for i in range(3) %}{{ i }}{% endfor %}{{ statement }}", "é\ud800") == "012é\ud800"
    with pytest.raises(UsageError, match="is not done within 1 s"):
        render_prompt(LOOP, "7")
    assert render_prompt("{% set a = 'x' %}{{ a }}{{ statement }}", "7") == "x7"


def test_a_chat_template_that_never_ends() -> None:
    def chat(messages: Sequence[Mapping[str, str]]) -> str:
        while True:
            pass

    with pytest.raises(UsageError, match="is not done within 5 s"):
        render_prompt("{{ chat([]) }}", "7", chat)


def test_the_usual_template_needs_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(template_process.Renderer, "render", None)
    for template in (
        "{{ statement }}",
        'Q: {{ statement|trim }}{{ "{" }}',
        "{% if statement %}{{ statement }}{% endif %}",
    ):
        assert "7" in render_prompt(template, "7")
