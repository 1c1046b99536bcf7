"""Reads a table of problems through the package datasets: a hub name, or a local folder or file."""

from __future__ import annotations

import csv
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backend.errors import InputError, UsageError, suggestion

FILES = {".json": "json", ".jsonl": "json", ".csv": "csv", ".tsv": "csv", ".parquet": "parquet", ".arrow": "arrow"}
"""Ending of a file -> datasets' name of the format."""


@dataclass(frozen=True, slots=True)
class Table:
    """An opened source."""

    data: Any
    """A datasets.Dataset."""
    columns: tuple[str, ...]
    """Those that can be read as text."""
    left_out: tuple[str, ...]
    """Images, sounds and the like."""
    split: str | None
    """The split that was read; None where the source has no choice."""

    def rows(self, limit: int | None = None) -> Iterator[dict[str, Any]]:
        """The rows in their order, labels as their names."""
        data = self.data.select_columns(list(self.columns))
        labels = {name: kind for name, kind in data.features.items() if hasattr(kind, "int2str")}
        for number, row in enumerate(data):
            if number == limit:
                return
            yield {
                name: labels[name].int2str(value) if name in labels and value is not None else value
                for name, value in row.items()
            }


@contextmanager
def open_source(source: str, *, split: str | None = None, config: str | None = None) -> Iterator[Table]:
    """Open what the user named.

    Args:
        split: which split; needed where there are several and none is called test.
        config: which configuration of a dataset on the hub.

    Raises:
        UsageError: datasets is not installed, or no such file, split or configuration.
        InputError: it cannot be read.
    """
    datasets = _datasets()
    path = Path(source).expanduser()
    with tempfile.TemporaryDirectory(prefix="passk-") as cache:
        try:
            found = _load(datasets, path, source, config, cache)
        except (UsageError, KeyboardInterrupt):
            raise
        except Exception as error:
            raise _unreadable(source, path, error) from error
        data, name = _chosen(found, source, split)
        readable = [column for column, kind in data.features.items() if _is_text(datasets, kind)]
        others = [column for column in data.column_names if column not in readable]
        yield Table(data, tuple(readable), tuple(others), name)


def _datasets() -> Any:
    try:
        import datasets
    except ImportError as error:
        raise UsageError(
            "Adding a benchmark needs the package datasets: pip install 'passk-explorer[datasets]'"
        ) from error
    datasets.disable_progress_bars()
    datasets.logging.set_verbosity_error()
    return datasets


def _load(datasets: Any, path: Path, source: str, config: str | None, cache: str) -> Any:
    """A Dataset or a DatasetDict. What is local is unpacked into a folder that goes away, not into the user's cache."""
    if path.is_dir():
        if (path / "dataset_info.json").is_file() or (path / "dataset_dict.json").is_file():
            return datasets.load_from_disk(str(path))
        return datasets.load_dataset(str(path), config, cache_dir=cache)
    known = FILES.get(path.suffix.lower())
    if path.is_file():
        if known is None:
            raise UsageError(
                f"{source}: files that end in {path.suffix or 'nothing'} cannot be read",
                next_step=f"Endings: {', '.join(FILES)}.",
            )
        options = _csv_options(datasets, path) if known == "csv" else {}
        return datasets.load_dataset(known, data_files=str(path), cache_dir=cache, **options)
    if known is not None or source.startswith(("/", ".", "~")) or source.count("/") > 1:
        raise UsageError(f"{source}: no such file or folder")
    return datasets.load_dataset(source, config)


def _csv_options(datasets: Any, path: Path) -> dict[str, Any]:
    """A csv file holds text: 007, None and 1e5 are answers, not numbers and gaps."""
    separator = "\t" if path.suffix.lower() == ".tsv" else ","
    with open(path, encoding="utf-8-sig", newline="") as file:
        header = next(csv.reader(file, delimiter=separator), [])
    features = datasets.Features({name: datasets.Value("string") for name in header})
    return {"sep": separator, "features": features, "keep_default_na": False, "na_values": [""]}


def _unreadable(source: str, path: Path, error: Exception) -> InputError:
    cause: BaseException = error
    while cause.__cause__ is not None:
        cause = cause.__cause__
    said = " ".join(f"{type(cause).__name__}: {cause}".split())
    if path.exists():
        return InputError(f"{source} cannot be read", said[:500], "Nothing was added.")
    offline = os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "ON", "YES", "TRUE")
    return InputError(
        f"{source} is no file or folder here, and cannot be had from the Hugging Face hub",
        ("HF_HUB_OFFLINE is set, and it is not in the cache. " if offline else "") + said[:500],
        "Check the name (and --config), or name a local file or folder, which needs no network.",
    )


def _chosen(found: Any, source: str, split: str | None) -> tuple[Any, str | None]:
    """The split to read, and its name."""
    if not isinstance(found, Mapping):
        if split is not None:
            raise UsageError(f"{source} has no splits", next_step="Leave out --split.")
        return found, None
    names = sorted(map(str, found))
    if split is not None and split not in names:
        raise UsageError(f"{source} has no split {split}", next_step=suggestion(split, names, "split"))
    name = split or (names[0] if len(names) == 1 else "test" if "test" in names else None)
    if name is None:
        raise UsageError(f"Which split of {source}?", next_step=f"Name one with --split: {', '.join(names)}")
    return found[name], None if len(names) == 1 and split is None else name


def _is_text(datasets: Any, kind: Any) -> bool:
    """Whether a column holds nothing but text, numbers and lists of them."""
    if isinstance(kind, Mapping):
        return all(_is_text(datasets, inner) for inner in kind.values())
    if isinstance(kind, list):
        return all(_is_text(datasets, inner) for inner in kind)
    if isinstance(kind, datasets.Value):
        return "binary" not in kind.dtype
    inner = getattr(kind, "feature", None)
    return isinstance(kind, datasets.ClassLabel) or (inner is not None and _is_text(datasets, inner))
