"""The engines by name, and loading a model into one. What there is to know of an engine stands in its module."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from backend.engines.protocol import Engine, EngineKind, EngineUnavailable
from backend.errors import UsageError, suggestion
from backend.plug_ins import PlugIns

ENGINES: PlugIns[EngineKind] = PlugIns(
    "passk.engines",
    "engine",
    {
        "transformers": "backend.engines.transformers:engine",
        "vllm": "backend.engines.vllm:engine",
        "server": "backend.engines.server:engine",
    },
)
"""The command line, the dialogs, config.toml and passk doctor take their engines from here; the first is the usual."""


def engine_option(text: str) -> tuple[str, Any]:
    """An option as the user writes it, NAME=VALUE: the value is read as JSON where it is JSON, else as text.

    >>> engine_option("tensor_parallel_size=2"), engine_option("dtype=bfloat16")
    (('tensor_parallel_size', 2), ('dtype', 'bfloat16'))

    Raises:
        UsageError: there is no =.
    """
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise UsageError(f"{text} is not an engine's option", next_step="Write NAME=VALUE, such as max_model_len=4096.")
    try:
        return name.strip().replace("-", "_"), json.loads(value)
    except ValueError:
        return name.strip().replace("-", "_"), value.strip()


def load_engine(model: str, *, name: str = "transformers", options: Mapping[str, Any] | None = None) -> Engine:
    """Load a model into an engine.

    Args:
        model: a model folder, or a hub name that is in the cache; for a server, the name it serves the model by.
        name: which engine, one of `ENGINES`.
        options: by the engine's own names.

    Raises:
        UsageError: the engine's packages, the model or the server are missing; the sentence says what to do.
    """
    kind, given = ENGINES.load(name), dict(options or {})
    for option in given:
        if kind.options is not None and option not in kind.options:
            known = suggestion(option, sorted(kind.options), "option")
            raise UsageError(f"The {name} engine has no option {option}", next_step=known)
    try:
        return kind.load(model, given)
    except EngineUnavailable as error:
        raise UsageError(str(error)) from error
