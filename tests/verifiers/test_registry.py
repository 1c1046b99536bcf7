"""Verifiers by name: built in, from other packages, missing, and the one that fits."""

from __future__ import annotations

import pytest

from backend.errors import UsageError
from backend.verifiers import registry
from backend.verifiers.mathematics import MathVerifier
from backend.verifiers.registry import VERIFIERS, fitting_verifier, load_verifier


def test_every_built_in_verifier_has_its_name_and_a_version() -> None:
    assert set(VERIFIERS.built_in) == {"math", "exact", "number", "choice", "expression"}
    for name in set(VERIFIERS.built_in) - {"math"}:
        verifier = load_verifier(name)
        assert verifier.name == name and verifier.version


def test_an_unknown_name_gets_the_nearest() -> None:
    with pytest.raises(UsageError, match="There is no verifier maths") as error:
        load_verifier("maths")
    assert "math" in error.value.next_step


def test_a_missing_package_is_named_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MathVerifier, "needs", {"no_such_module": "pip install 'passk-explorer[verify]'"})
    with pytest.raises(UsageError) as error:
        load_verifier("math")
    assert error.value.title == (
        "The verifier math needs the package no-such-module: pip install 'passk-explorer[verify]'"
    )
    assert "math" in VERIFIERS, "it can be chosen for a benchmark all the same"


@pytest.mark.parametrize(
    ("problems", "without_math"),
    [
        ([(None, {"numbers": [1, 2], "target": 3})], "expression"),
        ([("5", {"numbers": "1 2", "target": 3})], "number"),
        ([("A", {}), ("(C)", {}), (None, {})], "math"),
        ([("A", {}), ("C", {}), (None, {})], "choice"),
        ([("5", {}), ("-1/2", {}), ("1,234", {}), ("x\n#### 7", {})], "number"),
        ([("5", {}), ("x", {})], "math"),
        ([(r"\frac{1}{2}", {}), (r"\sqrt{2}", {})], "math"),
        ([(None, {}), (" ", {})], None),
        ([], None),
    ],
)
def test_the_verifier_that_fits(
    problems: list[registry.Known], without_math: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where math-verify is installed, it judges numbers too."""
    with_math = fitting_verifier(problems)
    assert (with_math and with_math.name) == ("math" if without_math == "number" else without_math)
    monkeypatch.setattr(MathVerifier, "needs", {"no_such_module": "pip install it"})
    fitting = fitting_verifier(problems)
    assert (fitting and fitting.name) == without_math
    assert fitting is None or fitting.because
