"""The engines by name, and loading one."""

from __future__ import annotations

from backend.engines.protocol import Engine, EngineUnavailable
from backend.errors import UsageError


def load_engine(
    model: str, *, name: str = "transformers", device: str | None = None, dtype: str = "float32", batch: int = 256
) -> Engine:
    """Load a model into an engine.

    Args:
        model: a model folder, or a hub name that is in the cache.
        name: which engine; `transformers` is the only one so far.
        device: `cpu` or `cuda`; a GPU where there is one when omitted.
        dtype: torch's name of the precision.
        batch: samples drawn together.

    Raises:
        UsageError: the engine's packages or the model are missing; the sentence says what to install.
    """
    if name != "transformers":
        raise UsageError(f"There is no engine {name}", next_step="Engines: transformers.")
    from backend.engines.transformers import TransformersEngine

    try:
        return TransformersEngine.load(model, device=device, dtype=dtype, batch=batch)
    except EngineUnavailable as error:
        raise UsageError(str(error)) from error
