"""Prompts and completions that come as chat messages, as the one text that a path is."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from backend.importers.values import image_names, listed

THINKING = "reasoning that came apart from its answer, put before it between <think> and </think>"
"""The note for texts that `content_text` put together."""


_TURNS = {"tool": "<tool_response>\n{}\n</tool_response>", "user": "<user>\n{}\n</user>"}


def turn_text(role: str, text: str) -> str:
    """A turn of a completion as it stands in the one text: the model's as it is, another's between tags."""
    return _TURNS.get(str(role), "{}").format(text)


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
    """The text of one message; like `content_text`.

    `reasoning_content` or `reasoning` beside the content is reasoning too; calls of tools follow the text, each between
    `<tool_call>` and `</tool_call>`, as Hermes and Qwen templates write them.
    """
    if not isinstance(message, dict):
        return content_text(message, resolve)
    text, thought = content_text(message.get("content"), resolve)
    reasoning = next((message[key] for key in ("reasoning_content", "reasoning") if message.get(key)), None)
    if isinstance(reasoning, str) and not thought:
        text, thought = f"<think>\n{resolve(reasoning)}\n</think>\n\n{text or ''}", True
    calls = message.get("tool_calls")
    if isinstance(calls, list) and calls:
        text = "\n".join(([text] if text else []) + [f"<tool_call>\n{_call(call)}\n</tool_call>" for call in calls])
    return text, thought


def _call(call: Any) -> str:
    """One call of a tool as JSON: its name and its arguments, which come as an object or as JSON text."""
    if isinstance(call, str):
        return call
    function = call.get("function", call) if isinstance(call, dict) else call
    if not isinstance(function, dict) or "name" not in function:
        return json.dumps(call, ensure_ascii=False, default=str)
    arguments = function.get("arguments")
    if isinstance(arguments, str):
        with suppress(ValueError, RecursionError):
            arguments = json.loads(arguments)
    return json.dumps({"name": function.get("name"), "arguments": arguments}, ensure_ascii=False, default=str)


def response_messages(items: Any) -> list[dict[str, Any]]:
    """Items of OpenAI's Responses API as chat messages: what was said, thought, called and answered, in order."""
    messages: list[dict[str, Any]] = []
    thought: list[str] = []
    for item in listed(items):
        if not isinstance(item, dict):
            continue
        kind = str(item.get("type", "message"))
        if kind == "reasoning":
            parts = [part for name in ("content", "summary") for part in listed(item.get(name))]
            thought += [part["text"] for part in parts if isinstance(part, dict) and isinstance(part.get("text"), str)]
        elif kind.endswith("_call_output"):
            messages.append({"role": "tool", "content": item.get("output")})
        elif kind.endswith("_call"):
            messages.append({"role": "assistant", "content": None, "tool_calls": [item]})
        else:
            messages.append({"role": item.get("role", "assistant"), "content": item.get("content")})
        if thought and messages and messages[-1]["role"] == "assistant":
            messages[-1]["reasoning_content"], thought = "\n\n".join(thought), []
    if thought:
        messages.append({"role": "assistant", "content": None, "reasoning_content": "\n\n".join(thought)})
    return messages


def split_dialogue(messages: Any) -> tuple[list[Any], list[Any]]:
    """What was asked, and what the model made of it: all from its first message on."""
    entries = listed(messages)
    of_model = (
        place for place, entry in enumerate(entries) if isinstance(entry, dict) and entry.get("role") == "assistant"
    )
    first = next(of_model, len(entries))
    return entries[:first], entries[first:]


def are_messages(value: Any) -> bool:
    """Whether a value is a chat message, or a list of them."""
    entries = value if isinstance(value, list) else [value]
    return bool(entries) and all(
        isinstance(entry, dict) and "role" in entry and ("content" in entry or "tool_calls" in entry)
        for entry in entries
    )


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


def whole_prompt(prompt: Any) -> str | None:
    """A prompt as it is kept: a string as it is, chat messages as JSON."""
    if isinstance(prompt, str):
        return prompt
    return json.dumps(prompt, ensure_ascii=False, default=str) if isinstance(prompt, list) and prompt else None


def prompt_images(prompt: Any) -> tuple[str, ...]:
    """The images of a prompt's messages, as `image_names` knows them."""
    if not isinstance(prompt, list):
        return ()
    contents = [message.get("content") for message in prompt if isinstance(message, dict)]
    parts = [part for content in contents if isinstance(content, list) for part in content if isinstance(part, dict)]
    return image_names([part for part in parts if "image" in str(part.get("type", "")) or "image_url" in part])


def completion_text(completion: Any) -> tuple[str | None, bool]:
    """What happened in a completion: a string, one message, or the turns of several messages, in order.

    The assistant's messages are its text; what a tool answered stands between `<tool_response>` and `</tool_response>`,
    what a user said meanwhile between `<user>` and `</user>`, so that no turn is lost and each shows whose it is.
    """
    if not isinstance(completion, list):
        return message_text(completion)
    if all(isinstance(message, dict) and "role" in message for message in completion):
        said = [(message["role"], *message_text(message)) for message in completion]
        if not any(role == "assistant" and text is not None for role, text, _ in said):
            return None, False
        turns = [turn_text(role, text) for role, text, _ in said if text is not None and role != "system"]
        return "\n\n".join(turns), any(thought for _, _, thought in said)
    return content_text(completion)
