"""Which function writes what in which form; its module is imported when it is wanted."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module

from backend.errors import UsageError
from backend.exporters.protocol import Exporter
from backend.records.exports import FIGURES, FORMS, ExportRequest

EXPORTERS: Mapping[tuple[str, str], str] = {
    ("sets", "csv"): "comparison_table:export_table",
    ("sets", "jsonl"): "comparison_table:export_table",
    ("sets", "parquet"): "comparison_table:export_table",
    ("sets", "md"): "comparison_markdown:export_markdown",
    ("sets", "tex"): "comparison_latex:export_latex",
    ("sets", "html"): "comparison_html:export_html",
    **{(what, form): "drawing:export_drawing" for what in FIGURES for form in ("svg", "pdf")},
    **{(what, "csv"): "figures:export_points" for what in FIGURES},
    ("paths", "jsonl"): "samples:export_samples",
    ("paths", "parquet"): "samples:export_samples",
    ("paths", "md"): "paths_markdown:export_paths",
    ("problems", "jsonl"): "problems:export_problems",
    ("problems", "parquet"): "problems:export_problems",
    ("problems", "verl"): "problems:export_verl",
    ("datasets", "folder"): "datasets_folder:export_folder",
}


def exporter_for(request: ExportRequest) -> Exporter:
    """The function that meets a request.

    Raises:
        UsageError: there is none.
    """
    name = EXPORTERS.get((request.what, request.form))
    if name is None:
        forms = ", ".join(FORMS.get(request.what, ()))
        raise UsageError(f"{request.what} cannot be exported as {request.form}", next_step=f"Forms: {forms or 'none'}.")
    module, _, function = name.partition(":")
    exporter: Exporter = getattr(import_module(f"{__package__}.{module}"), function)
    return exporter
