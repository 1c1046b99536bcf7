"""The user's configuration: config.toml in the user's configuration folder."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from backend.engines.registry import ENGINES
from backend.errors import InputError

KEYS = ("sampling", "models", "engines", "prices")
SAMPLING_KEYS = ("engine", "add")
DOCUMENTED = "passk config prints every key and what it means."


def example_configuration() -> str:
    """A config.toml with every key, as `passk config` prints it; its settings are all commented out."""
    return f"""\
# passk's configuration. Every key may be left out; a key that passk does not know is refused.
# A line that begins with "# key =" shows the default or an example: take the "# " away to set it.

[sampling]
# Samples that the dialog proposes to add to each problem of each run.
# add = 64
# The engine when none is named: one of [engines] below, or a kind by its own name.
# engine = "transformers"

[models]
# Model name, as passk runs shows it, and the path of its folder (or what a server calls the model). It is needed to
# add samples to runs whose files do not say where their model lies. A relative path begins at this file's folder.
# "Qwen2.5-7B" = "/models/Qwen2.5-7B"

# What a model costs: for a million tokens of prompt, and for a million that it answers. Estimates of judging say it.
[prices]
# "deepseek-chat" = [0.28, 0.42]

# Engines by a name of your own, for --engine and the dialog. `kind` is needed; all else are options of that kind, by
# its own names.
[engines]
{"".join(kind.example for kind in ENGINES.every().values())}"""


@dataclass(frozen=True, slots=True)
class Configuration:
    """What config.toml says; the defaults where it says nothing."""

    path: Path
    models: Mapping[str, str] = field(default_factory=dict)
    engines: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    engine: str = "transformers"
    add: int = 64
    prices: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """By model, for a million tokens in and out, in the user's currency."""

    @property
    def engine_names(self) -> tuple[str, ...]:
        """Every engine that can be named, the usual one first."""
        return tuple(dict.fromkeys((self.engine, *self.engines, *ENGINES.names())))

    def configured_name(self, name: str | None) -> str:
        """The engine of that name, the usual one when omitted, where it is one of the configuration's; else empty."""
        named = name or self.engine
        return named if named in self.engines else ""

    def engine_options(self, name: str) -> tuple[str, dict[str, Any]]:
        """Kind and options of an engine: one of the configured ones, or a kind by its own name with no options.

        Raises:
            InputError: neither.
        """
        if name in self.engines:
            options = dict(self.engines[name])
            return str(options.pop("kind")), options
        if name in ENGINES:
            return name, {}
        known = (*self.engines, *ENGINES.names())
        raise InputError(f"There is no engine {name}", next_step=f"Engines: {', '.join(known)}.")


def configuration_path() -> Path:
    """$PASSK_CONFIG, else config.toml in the user's configuration folder."""
    from platformdirs import user_config_path

    named = os.environ.get("PASSK_CONFIG")
    return Path(named).absolute() if named else user_config_path("passk", appauthor=False) / "config.toml"


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
        if not isinstance(options, dict) or options.get("kind") not in ENGINES:
            raise InputError(
                f"{path}: engines.{name} needs kind = one of {', '.join(ENGINES.names())}", next_step=DOCUMENTED
            )
        if (known := ENGINES.load(options["kind"]).options) is not None:
            _known(path, f"engines.{name}.", options, ("kind", *known))
    models = {}
    for name, model in data.get("models", {}).items():
        if not isinstance(model, str):
            raise InputError(f"{path}: models.{name} must be a path in quotes, not {model!r}")
        models[name] = model_place(model, path.parent)
    prices = {}
    for name, price in data.get("prices", {}).items():
        numbers = price if isinstance(price, list) else []
        if len(numbers) != 2 or not all(type(number) in (int, float) and number >= 0 for number in numbers):
            raise InputError(f"{path}: prices.{name} must be [price in, price out] of a million tokens, not {price!r}")
        prices[name] = (float(numbers[0]), float(numbers[1]))
    return Configuration(path, models, engines, str(sampling.get("engine", "transformers")), add, prices)


def _known(path: Path, prefix: str, data: Mapping[str, Any], keys: tuple[str, ...]) -> None:
    for key in data:
        if key not in keys:
            near = get_close_matches(key.lower(), keys, n=1, cutoff=0.0)
            raise InputError(
                f"{path}: unknown key {prefix}{key}",
                next_step=f"Did you mean {prefix}{near[0]}? Keys here: {', '.join(keys)}. {DOCUMENTED}",
            )


def model_place(model: str, folder: Path | None = None) -> str:
    """A model folder by its whole path, since it is loaded by another process; what is no folder stays as it is.

    Args:
        folder: where a relative path begins; the working folder when omitted.
    """
    named = Path(model).expanduser()
    place = (folder or Path.cwd()) / named
    return str(place.resolve()) if place.is_dir() else str(named) if model.startswith("~") else model


def model_path(model: str, parameters: Mapping[str, Any], configuration: Configuration) -> str | None:
    """Where a run's model lies: as configured, as the run says, or among the models of the sample data.

    Returns:
        A path, or None when nobody knows.
    """
    from importlib.resources import files

    if model in configuration.models:
        return configuration.models[model]
    if isinstance(parameters.get("model_path"), str):
        return str(parameters["model_path"])
    shipped = files("sample_data").joinpath("models", model)
    return str(shipped) if shipped.is_dir() else None
