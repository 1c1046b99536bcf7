"""A JSON document that is read piece by piece says what it says when it is read whole."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.importers import inspect_log, long_documents
from backend.importers.long_documents import members
from backend.store.layout import StoreLayout
from tests.importers import examples as made
from tests.support import everything_in, imported

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=20,
)


@settings(deadline=None)
@given(
    before=st.dictionaries(st.text(max_size=5).filter(lambda name: name != "samples"), VALUES, max_size=4),
    samples=st.lists(VALUES, max_size=6),
    piece=st.integers(1, 40),
    indent=st.sampled_from([None, 1]),
    escaped=st.booleans(),
)
def test_pieces_of_any_size(
    before: dict[str, Any], samples: list[Any], piece: int, indent: int | None, escaped: bool
) -> None:
    document = {**before, "samples": samples, "z": 12}
    data = json.dumps(document, indent=indent, ensure_ascii=escaped).encode("utf-8", "surrogatepass")
    usual, long_documents.PIECE = long_documents.PIECE, piece
    try:
        try:
            data.decode("utf-8")
        except ValueError:
            with pytest.raises(ValueError):
                list(members(io.BytesIO(data), "samples"))
            return
        found = list(members(io.BytesIO(data), "samples"))
        assert [value for name, value in found if name is None] == samples
        assert {name: value for name, value in found if name is not None} == {**before, "z": 12}
        for end in range(0, len(data.rstrip()), 7):
            with pytest.raises(ValueError):
                list(members(io.BytesIO(data[:end]), "samples"))
    finally:
        long_documents.PIECE = usual


def test_a_long_log_gives_what_a_short_one_gives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    samples = [made.inspect_sample(i, epoch, "CI"[i % 2], text="é" * i) for i in range(40) for epoch in (1, 2)]
    path = made.inspect_json(tmp_path / "log.json", samples)
    whole = StoreLayout(tmp_path / "whole.passk")
    imported(whole, path)
    monkeypatch.setattr(inspect_log, "LONG", 0)
    monkeypatch.setattr(long_documents, "PIECE", 1_000)
    piecewise = StoreLayout(tmp_path / "pieces.passk")
    imported(piecewise, path)
    assert everything_in(piecewise) == everything_in(whole)
    assert len(everything_in(whole)["outcomes"]) == 80
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(Exception, match="not JSON"):
        imported(StoreLayout(tmp_path / "cut.passk"), path)
