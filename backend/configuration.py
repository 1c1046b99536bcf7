"""The user's configuration: config.toml in the user's configuration folder. Every key is described in `KEYS`."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from backend.errors import InputError

KEYS = {
    "models": "model name -> path of its folder, so that more samples of an imported run can be drawn",
    "engines": "name -> an engine: `kind` (transformers, vllm, server) and the engine's own options",
    "sampling": "defaults of the dialog: `engine` (a name) and `add` (samples a problem)",
}
"""Every key at the top, and what it is for."""

SAMPLING_KEYS = ("engine", "add")
ENGINE_KINDS = ("transformers", "vllm", "server")


@dataclass(frozen=True, slots=True)
class Configuration:
    """What config.toml says; the defaults where it says nothing."""

    path: Path
    models: Mapping[str, str] = field(default_factory=dict)
    engines: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    engine: str = "transformers"
    add: int = 64

    def engine_options(self, name: str) -> tuple[str, dict[str, Any]]:
        """Kind and options of an engine: one of the configured ones, or a kind by its own name with no options.

        Raises:
            InputError: neither.
        """
        if name in self.engines:
            options = dict(self.engines[name])
            return str(options.pop("kind")), options
        if name in ENGINE_KINDS:
            return name, {}
        known = (*self.engines, *ENGINE_KINDS)
        raise InputError(f"There is no engine {name}", next_step=f"Engines: {', '.join(known)}.")


def configuration_path() -> Path:
    """$PASSK_CONFIG, else config.toml in the user's configuration folder."""
    from platformdirs import user_config_path

    named = os.environ.get("PASSK_CONFIG")
    return Path(named) if named else user_config_path("passk", appauthor=False) / "config.toml"


def read_configuration() -> Configuration:
    """The user's configuration; the defaults when there is no file.

    Raises:
        InputError: not TOML, an unknown key, or a value of the wrong kind; names file and key.
    """
    path = configuration_path()
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Configuration(path)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"{path} cannot be read: {error}") from error
    _known(path, "", data, tuple(KEYS))
    for table in KEYS:
        if not isinstance(data.get(table, {}), dict):
            raise InputError(f"{path}: {table} must be a table", next_step=f"[{table}]: {KEYS[table]}.")
    sampling = data.get("sampling", {})
    _known(path, "sampling.", sampling, SAMPLING_KEYS)
    add = sampling.get("add", 64)
    if not isinstance(add, int) or isinstance(add, bool) or add < 1:
        raise InputError(f"{path}: sampling.add must be a whole number of 1 or more, not {add!r}")
    engines = data.get("engines", {})
    for name, options in engines.items():
        if not isinstance(options, dict) or options.get("kind") not in ENGINE_KINDS:
            raise InputError(f"{path}: engines.{name} needs kind = one of {', '.join(ENGINE_KINDS)}")
    models = data.get("models", {})
    for name, folder in models.items():
        if not isinstance(folder, str):
            raise InputError(f"{path}: models.{name} must be a path in quotes, not {folder!r}")
    return Configuration(path, models, engines, str(sampling.get("engine", "transformers")), add)


def _known(path: Path, prefix: str, data: Mapping[str, Any], keys: tuple[str, ...]) -> None:
    for key in data:
        if key not in keys:
            near = get_close_matches(key, keys, n=1, cutoff=0.0)
            raise InputError(
                f"{path}: unknown key {prefix}{key}",
                next_step=f"Did you mean {prefix}{near[0]}? Keys: {', '.join(keys)}.",
            )


def model_path(model: str, parameters: Mapping[str, Any], configuration: Configuration) -> str | None:
    """Where a run's model lies: as configured, as the run says, or among the models of the sample data.

    Returns:
        A path, or None when nobody knows.
    """
    from importlib.resources import files

    if model in configuration.models:
        return str(Path(configuration.models[model]).expanduser())
    if isinstance(parameters.get("model_path"), str):
        return str(parameters["model_path"])
    shipped = files("sample_data").joinpath("models", model)
    return str(shipped) if shipped.is_dir() else None
