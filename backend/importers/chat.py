"""Prompts and completions that come as chat messages, as the one text that a path is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

THINKING = "reasoning that came apart from its answer, put before it between <think> and </think>"
"""The note for texts that `content_text` put together."""


def content_text(content: Any, resolve: Callable[[str], str] = str) -> tuple[str | None, bool]:
    """The text of a message's content, and whether reasoning was put before it.

    Args:
        content: a string, or a list of parts such as {"type": "text", "text": ...}, {"type": "reasoning", ...}.
        resolve: gives what a reference such as attachment://... stands for.

    Returns:
        None when there is no text in it.
    """
    if isinstance(content, str):
        return resolve(content), False
    if not isinstance(content, list):
        return None, False
    said: list[str] = []
    thought = False
    for part in content:
        if isinstance(part, str):
            said.append(resolve(part))
        elif isinstance(part, dict):
            text, reasoning = part.get("text"), part.get("reasoning", part.get("thinking"))
            if isinstance(reasoning, str) and reasoning:
                said.append(f"<think>\n{resolve(reasoning)}\n</think>\n\n")
                thought = True
            elif isinstance(text, str):
                said.append(resolve(text))
    return ("".join(said) if said else None), thought


def message_text(message: Any, resolve: Callable[[str], str] = str) -> tuple[str | None, bool]:
    """The text of one message; like `content_text`. `reasoning_content` beside the content is reasoning too."""
    if not isinstance(message, dict):
        return content_text(message, resolve)
    text, thought = content_text(message.get("content"), resolve)
    reasoning = message.get("reasoning_content")
    if isinstance(reasoning, str) and reasoning and not thought:
        return f"<think>\n{resolve(reasoning)}\n</think>\n\n{text or ''}", True
    return text, thought


def prompt_text(prompt: Any, resolve: Callable[[str], str] = str) -> str | None:
    """What a prompt asks: a string as it is; of chat messages what the user says, not the system."""
    if isinstance(prompt, str):
        return resolve(prompt)
    if not isinstance(prompt, list):
        return None
    messages = [message for message in prompt if isinstance(message, dict)]
    of_user = [message for message in messages if message.get("role") == "user"]
    texts = [message_text(message, resolve)[0] for message in of_user or messages]
    return "\n\n".join(text for text in texts if text) or None


def completion_text(completion: Any) -> tuple[str | None, bool]:
    """What a model said in a completion: a string, one message, or the assistant's messages of several, in order."""
    if not isinstance(completion, list):
        return message_text(completion)
    if all(isinstance(message, dict) and "role" in message for message in completion):
        said = [message_text(m) for m in completion if m["role"] == "assistant"]
        texts = [text for text, _ in said if text is not None]
        return ("\n\n".join(texts) if texts else None), any(thought for _, thought in said)
    return content_text(completion)
