"""The engines by name: what each is for and needs, and loading one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from backend.engines.protocol import Engine, EngineUnavailable
from backend.errors import UsageError, suggestion


@dataclass(frozen=True)
class EngineNeeds:
    """What an engine is for, and what must be installed for it."""

    name: str
    purpose: str
    modules: tuple[str, ...]
    install: str
    """How to get the modules."""

    @property
    def missing(self) -> tuple[str, ...]:
        """Modules that are not installed; looks without importing them."""
        return tuple(module for module in self.modules if find_spec(module) is None)


ENGINES = {
    needs.name: needs
    for needs in (
        EngineNeeds(
            "transformers",
            "draws samples on a CPU or one GPU",
            ("torch", "transformers"),
            "pip install 'passk-explorer[transformers]'",
        ),
        EngineNeeds("vllm", "draws samples fast, on one or more GPUs", ("vllm",), "pip install 'passk-explorer[vllm]'"),
        EngineNeeds(
            "server",
            "draws samples from OpenAI-compatible servers",
            (),
            "pip install passk-explorer",
        ),
    )
}


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


TRANSFORMERS_OPTIONS = ("device", "dtype", "batch")


def load_engine(model: str, *, name: str = "transformers", options: Mapping[str, Any] | None = None) -> Engine:
    """Load a model into an engine.

    Args:
        model: a model folder, or a hub name that is in the cache; for a server, the name it serves the model by.
        name: which engine, a key of `ENGINES`.
        options: by the engine's own names: `device`, `dtype` (float32 when omitted) and `batch` (samples drawn
            together) for transformers, vLLM's engine arguments for vllm, `ServerOptions` for a server.

    Raises:
        UsageError: the engine's packages, the model or the server are missing; the sentence says what to do.
    """
    if name not in ENGINES:
        raise UsageError(f"There is no engine {name}", next_step=suggestion(name, list(ENGINES), "engine"))
    given = dict(options or {})
    try:
        if name == "vllm":
            from backend.engines.vllm import VllmEngine

            return VllmEngine.load(model, dtype=str(given.pop("dtype", "auto")), options=given)
        if name == "server":
            from backend.engines.server import ServerEngine

            return ServerEngine.load(model, options=given)
        unknown = next((option for option in given if option not in TRANSFORMERS_OPTIONS), None)
        if unknown is not None:
            raise UsageError(
                f"The transformers engine has no option {unknown}",
                next_step=suggestion(unknown, list(TRANSFORMERS_OPTIONS), "option"),
            )
        from backend.engines.transformers import TransformersEngine

        return TransformersEngine.load(model, **given)
    except EngineUnavailable as error:
        raise UsageError(str(error)) from error
