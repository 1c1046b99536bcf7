"""Prompt templates: jinja2 texts that turn a problem's statement into a prompt.

`prompt_templates/` holds those that have a name: `qwen-boxed` and `abel` as the paper's evaluation used them, `plain`
(the statement alone) and `chat` (the tokenizer's own template). A user's file is a template too. It may name
`statement`, and call `chat(messages)`, which is the model's chat template with its beginning of an answer.

A run keeps a template that needs no tokenizer: `resolved_template` writes out what `chat` makes of it, with the
statement left open. So runs can be compared by their templates, and a job goes on without the tokenizer that it began
with.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from functools import cache, lru_cache
from hashlib import blake2b
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backend.errors import UsageError, suggestion
from backend.jobs.template_process import Renderer, bounded, compiled, environment

if TYPE_CHECKING:
    from types import FrameType

    from jinja2 import nodes

Chat = Callable[[Sequence[Mapping[str, str]]], str]
"""Messages (role and content) -> prompt."""

PLAIN = "{{ statement }}"
"""The statement alone."""

LONGEST_TEMPLATE = 1_000_000
"""Characters of a template; a tokenizer's longest have some ten thousand."""

_ENDING = ".jinja"
_OPEN = "⟨the statement stands here⟩"
"""Stands for the statement while a chat template is written out; no chat template holds it or alters it."""


def template_names() -> list[str]:
    names = (entry.name for entry in files("backend.jobs").joinpath("prompt_templates").iterdir())
    return sorted(name.removesuffix(_ENDING) for name in names if name.endswith(_ENDING))


def read_template(given: str, chat: Chat | None = None) -> str:
    """The text of the template that the user named: one of `template_names`, else a file.

    Args:
        given: a name goes before a file; a file of such a name is `./plain`.
        chat: the tokenizer's chat template (see `tokenizer_chat`); with it the text comes back settled.

    Raises:
        UsageError: neither, or the template is broken.
    """
    if given in template_names():
        text = files("backend.jobs").joinpath("prompt_templates", given + _ENDING).read_text(encoding="utf-8")
    else:
        try:
            text = Path(given).expanduser().read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(
                f"--template {given}: {error}",
                suggestion(given, template_names(), "template"),
                "Name one of these, or a UTF-8 text file with {{ statement }} in it.",
            ) from error
    return text if chat is None else resolved_template(text, chat)


def template_for(given: str, model: str) -> str:
    """The template that the user named, settled: one that calls `chat` takes the chat template of this model.

    Raises:
        UsageError: as `read_template`; or the model's tokenizer is needed and cannot be loaded.
    """
    text = read_template(given)
    if not needs_chat(text):
        return text
    try:
        from transformers import AutoTokenizer
    except ImportError as error:
        raise UsageError(
            f"--template {given} needs the model's tokenizer, and transformers is not installed",
            next_step="pip install 'passk-explorer[transformers]'",
        ) from error
    try:
        tokenizer = AutoTokenizer.from_pretrained(model)
    except (OSError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise UsageError(f"The tokenizer of {model} could not be loaded: {reason}") from error
    return resolved_template(text, tokenizer_chat(tokenizer))


def needs_chat(template: str) -> bool:
    """Whether the template calls `chat`, so that a tokenizer is needed to settle it.

    Raises:
        UsageError: the template is broken, or jinja2 is not installed.
    """
    tree = _parsed(template)
    from jinja2 import nodes

    # Not jinja2's own search for undeclared names, which computes constants: `"a" * 10**10`.
    uses = {name.ctx for name in tree.find_all(nodes.Name) if name.name == "chat"}
    return uses == {"load"}


def _parsed(template: str) -> nodes.Template:
    jinja = environment()
    from jinja2 import TemplateError

    if len(template) > LONGEST_TEMPLATE:
        raise UsageError(f"The prompt template has more than {LONGEST_TEMPLATE:,} characters", template[:500])
    try:
        return jinja.parse(template)
    except (TemplateError, RecursionError) as error:
        raise _broken(template, error) from error


def resolved_template(template: str, chat: Chat) -> str:
    """The template with its call of `chat` written out; one that makes none comes back as it is.

    Raises:
        UsageError: the template is broken, or its chat template does not repeat the statement.
    """
    if not needs_chat(template):
        return template
    pieces = render_prompt(template, _OPEN, chat).split(_OPEN)
    if len(pieces) == 1:
        raise UsageError("The chat template of this model leaves the statement out", template[:500])
    # What the tokenizer wrote is text, also where it looks like jinja2.
    return PLAIN.join(_literally(piece) for piece in pieces)


def _literally(text: str) -> str:
    if not any(mark in text for mark in ("{{", "{%", "{#")):
        return text
    return "".join('{{ "{" }}' if character == "{" else character for character in text)


def template_of_prompts(prompts: Iterable[tuple[str, str]]) -> str | None:
    """The template that made prompts of these statements; None where there is no one template that did.

    Args:
        prompts: statements with the prompts that a run was given; chat messages, as JSON, are none that can be asked.
    """
    found: set[tuple[str, str]] = set()
    for statement, prompt in prompts:
        before, there, after = prompt.partition(statement)
        if not there or prompt.startswith("[{"):
            return None
        found.add((before, after))
        if len(found) > 1:
            return None
    return next((PLAIN.join(map(_literally, ends)) for ends in found), None)


def template_hash(template: str) -> str:
    """BLAKE2b of a settled template, 16 hexadecimal digits; kept with a run beside the text."""
    return blake2b(template.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def template_parameters(template: str) -> dict[str, str]:
    """What a run's parameters say of its template."""
    return {"template": template, "template_hash": template_hash(template)}


def tokenizer_chat(tokenizer: Any) -> Chat:
    """The chat template of a tokenizer of transformers.

    Raises:
        UsageError: when it is called, and the tokenizer has none.
    """

    def chat(messages: Sequence[Mapping[str, str]]) -> str:
        try:
            return str(tokenizer.apply_chat_template(list(messages), tokenize=False, add_generation_prompt=True))
        except ValueError as error:
            raise UsageError(
                "The model's tokenizer has no chat template",
                str(error),
                "Name another with --template: qwen-boxed, abel, plain, or a file.",
            ) from error

    return chat


def render_prompt(template: str, statement: str, chat: Chat | None = None) -> str:
    """The prompt for one statement. A template may come with somebody's store: it gets neither for ever nor all memory.

    Raises:
        UsageError: the template is broken or takes too long, needs a tokenizer and none is given, or jinja2 is not
            installed.
    """
    try:
        if chat is None and not _is_simple(template):
            if needs_chat(template):
                _no_tokenizer(())
            return _renderer().render(template, {"statement": statement})
        with _deadline() if chat is not None else nullcontext():
            return compiled(template).render(statement=statement, chat=chat or _no_tokenizer)
    except UsageError:
        raise
    except Exception as error:
        # Expressions in a template raise what they like.
        raise _broken(template, error) from error


def render_text(template: str, values: Mapping[str, str]) -> str:
    """A text of a template that may use these names and no tokenizer, with the limits of `render_prompt`.

    Raises:
        UsageError: the template is broken, names something else, takes too long or becomes too long.
    """
    try:
        return bounded(template, values) if _is_simple(template) else _renderer().render(template, values)
    except UsageError:
        raise
    except Exception as error:
        raise _broken(template, error) from error


@lru_cache(maxsize=64)
def _is_simple(template: str) -> bool:
    """Whether it only puts the statement between texts, perhaps trimmed or under a condition: over in no time."""
    tree = _parsed(template)
    from jinja2 import nodes

    simple = (nodes.Output, nodes.TemplateData, nodes.Const, nodes.Name, nodes.If, nodes.CondExpr, nodes.Not)

    def is_simple(node: nodes.Node) -> bool:
        if isinstance(node, nodes.Filter):
            return node.name == "trim" and not (node.args or node.kwargs or node.dyn_args or node.dyn_kwargs)
        return isinstance(node, simple)

    return all(is_simple(node) for node in tree.find_all(nodes.Node))


@cache
def _renderer() -> Renderer:
    return Renderer()


@contextmanager
def _deadline(seconds: float = 5.0) -> Iterator[None]:
    """Ends what this thread computes in Python: a chat template needs the tokenizer, which no other process has."""
    until = time.monotonic() + seconds

    def look(frame: FrameType, event: str, argument: object) -> Any:
        if time.monotonic() > until:
            raise TimeoutError(f"it is not done within {seconds:g} s")
        return look

    before = sys.gettrace()
    sys.settrace(look)
    try:
        yield
    finally:
        sys.settrace(before)


def _no_tokenizer(messages: object) -> str:
    raise UsageError(
        "The template chat needs a model's tokenizer",
        next_step="Sample with an engine whose model folder has one, or name another template.",
    )


def _broken(template: str, error: Exception) -> UsageError:
    return UsageError(f"The prompt template is broken: {error}", template[:500])
