"""Prompt templates: jinja2 texts that turn a problem's statement into a prompt."""

from __future__ import annotations

from pathlib import Path

from backend.errors import UsageError

PLAIN = "{{ statement }}"
"""The statement alone."""


def read_template(given: str) -> str:
    """The text of the template that the user named: `plain`, or a file.

    Raises:
        UsageError: no such file.
    """
    if given == "plain":
        return PLAIN
    try:
        return Path(given).expanduser().read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"--template {given}: {error}", next_step="Name a UTF-8 text file with {{ statement }} in it, or plain."
        ) from error


def render_prompt(template: str, statement: str) -> str:
    """The prompt for one statement.

    Raises:
        UsageError: the template is broken, or jinja2 is not installed.
    """
    try:
        from jinja2 import StrictUndefined, TemplateError
        from jinja2.sandbox import SandboxedEnvironment
    except ImportError as error:
        raise UsageError(
            "Prompt templates need the package jinja2", next_step="pip install 'passk-explorer[transformers]'"
        ) from error
    # A template may come with somebody's store: it can name the statement and do nothing else.
    environment = SandboxedEnvironment(autoescape=False, keep_trailing_newline=True, undefined=StrictUndefined)
    try:
        return environment.from_string(template).render(statement=statement)
    except TemplateError as error:
        raise UsageError(f"The prompt template is broken: {error}", template[:500]) from error
