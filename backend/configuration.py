"""The user's configuration: config.toml in the user's configuration folder. Every key is described in `EXAMPLE`."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from backend.errors import InputError

EXAMPLE = """\
# passk's configuration. Every key may be left out; a key that passk does not know is refused.
# A line that begins with "# key =" shows the default or an example: take the "# " away to set it.

[sampling]
# Samples that the dialog proposes to add to each problem of each run.
# add = 64
# The engine when none is named: one of [engines] below, or a kind by its own name.
# engine = "transformers"

[models]
# Model name, as passk runs shows it, and the path of its folder (or what a server calls the model). It is needed to
# add samples to runs whose files do not say where their model lies.
# "Qwen2.5-7B" = "/models/Qwen2.5-7B"

# Engines by a name of your own, for --engine and the dialog. `kind` is needed; all else are options of that kind, by
# its own names.
[engines]
# transformers: batch (samples drawn together), device (cuda where there is one, else cpu), dtype.
# cpu = { kind = "transformers", batch = 256, device = "cpu", dtype = "float32" }
# vllm: vLLM's engine arguments, whatever this vLLM has.
# node = { kind = "vllm", tensor_parallel_size = 2, dtype = "bfloat16", gpu_memory_utilization = 0.9 }
# server: base_url (one or a list), concurrency (requests in flight), timeout (seconds for a sample), retries, backoff
# (seconds), api_key_env (the environment variable that holds the key; the key itself never stands here), eos_token_id.
# cluster = { kind = "server", base_url = ["http://gpu1:8000/v1", "http://gpu2:8000/v1"], concurrency = 64 }
"""
"""A config.toml with every key, as `passk config` prints it; its settings are all commented out."""

KEYS = ("sampling", "models", "engines")
SAMPLING_KEYS = ("engine", "add")
DOCUMENTED = "passk config prints every key and what it means."
ENGINE_KINDS = ("transformers", "vllm", "server")


@dataclass(frozen=True, slots=True)
class Configuration:
    """What config.toml says; the defaults where it says nothing."""

    path: Path
    models: Mapping[str, str] = field(default_factory=dict)
    engines: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    engine: str = "transformers"
    add: int = 64

    @property
    def engine_names(self) -> tuple[str, ...]:
        """Every engine that can be named, the usual one first."""
        return tuple(dict.fromkeys((self.engine, *self.engines, *ENGINE_KINDS)))

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
    _known(path, "", data, KEYS)
    for table in KEYS:
        if not isinstance(data.get(table, {}), dict):
            raise InputError(f"{path}: {table} must be a table: [{table}]", next_step=DOCUMENTED)
    sampling = data.get("sampling", {})
    _known(path, "sampling.", sampling, SAMPLING_KEYS)
    add = sampling.get("add", 64)
    if not isinstance(add, int) or isinstance(add, bool) or add < 1:
        raise InputError(f"{path}: sampling.add must be a whole number of 1 or more, not {add!r}")
    engines = data.get("engines", {})
    for name, options in engines.items():
        if not isinstance(options, dict) or options.get("kind") not in ENGINE_KINDS:
            raise InputError(
                f"{path}: engines.{name} needs kind = one of {', '.join(ENGINE_KINDS)}", next_step=DOCUMENTED
            )
        if (known := _option_names(str(options["kind"]))) is not None:
            _known(path, f"engines.{name}.", options, ("kind", *known))
    models = data.get("models", {})
    for name, folder in models.items():
        if not isinstance(folder, str):
            raise InputError(f"{path}: models.{name} must be a path in quotes, not {folder!r}")
    return Configuration(path, models, engines, str(sampling.get("engine", "transformers")), add)


def _known(path: Path, prefix: str, data: Mapping[str, Any], keys: tuple[str, ...]) -> None:
    for key in data:
        if key not in keys:
            near = get_close_matches(key.lower(), keys, n=1, cutoff=0.0)
            raise InputError(
                f"{path}: unknown key {prefix}{key}",
                next_step=f"Did you mean {prefix}{near[0]}? Keys here: {', '.join(keys)}. {DOCUMENTED}",
            )


def _option_names(kind: str) -> tuple[str, ...] | None:
    """The options of an engine of this kind; None for vllm, which alone knows its own."""
    if kind == "vllm":
        return None
    if kind == "transformers":
        from backend.engines.registry import TRANSFORMERS_OPTIONS

        return TRANSFORMERS_OPTIONS
    from backend.engines.server import ServerOptions

    return tuple(ServerOptions.__dataclass_fields__)


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
