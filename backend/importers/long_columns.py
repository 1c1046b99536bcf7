"""Which columns of a table of samples hold what, and what passk's own exports add to them."""

from __future__ import annotations

from backend.importers.columns import PARAMETERS, PROBLEM_FIELDS, RUN_FIELDS, SAMPLE_FIELDS, map_columns
from backend.importers.protocol import Options, SourceFile
from backend.importers.tables import column_names, first_values

EXPORTED = {"position": ("position",), "parameters": ("parameters",)}
"""Columns of passk's own exports: the problem's place in its benchmark; further sampling parameters as JSON text."""
WHERE_FROM = ("export", "source", "format", "source_row")
"""Columns of passk's own exports that say where a row was before; they are not kept, and that goes without saying."""
OF_RUN = (*RUN_FIELDS, *PARAMETERS, "parameters")
FIELDS = {**RUN_FIELDS, **PROBLEM_FIELDS, **SAMPLE_FIELDS, **{name: (name,) for name in PARAMETERS}, **EXPORTED}


def table_columns(source: SourceFile, options: Options) -> dict[str, str] | None:
    """Field -> column; None when the file is not a table of samples."""
    present = column_names(source)
    if present is None:
        return None
    mapping = map_columns(present, FIELDS, options.columns, extra_allowed=True)
    named = mapping.get("problem")
    if named is not None and named not in options.columns.values() and "statement" not in mapping:
        # MATH-like files call the statement `problem`: then it holds a sentence and another column the id.
        values = first_values(source, [named])
        if values and isinstance(values[0], str) and any(space in values[0].strip() for space in " \n"):
            mapping["statement"] = named
            rest = [column for column in present if column not in mapping.values()]
            del mapping["problem"]
            mapping.update(map_columns(rest, {"problem": PROBLEM_FIELDS["problem"]}, {}))
    if "parameters" in mapping and "parameters" not in options.columns:
        # Other people's column of that name may be an object: then it is one that is not kept.
        values = first_values(source, [mapping["parameters"]])
        if values and not isinstance(values[0], str | None):
            del mapping["parameters"]
    return mapping
