r"""LaTeX formulas as Unicode, where nothing is lost; else `None`, and the formula stays as it is.

One command becomes one character, scripts become raised or lowered characters or `^(...)`, fractions and roots are
bracketed as far as they must be. What only says how large or how far apart something is set (`\left`, `\,`) is no
content. Everything that is not listed here is lost, so it is not converted: environments, accents, fonts, alignment.
(pylatexenc makes `a+b/c` of `\frac{a+b}{c}`, unicodeit converts the half it knows: neither says what it lost.)
"""

from __future__ import annotations

import re
from dataclasses import dataclass

SYMBOLS = dict(
    pair.split()
    for pair in r"""alpha α|beta β|gamma γ|delta δ|epsilon ϵ|varepsilon ε|zeta ζ|eta η|theta θ|vartheta ϑ|iota ι
kappa κ|lambda λ|mu μ|nu ν|xi ξ|pi π|varpi ϖ|rho ρ|varrho ϱ|sigma σ|varsigma ς|tau τ|upsilon υ|phi ϕ|varphi φ|chi χ
psi ψ|omega ω|Gamma Γ|Delta Δ|Theta Θ|Lambda Λ|Xi Ξ|Pi Π|Sigma Σ|Upsilon ϒ|Phi Φ|Psi Ψ|Omega Ω|times ×|div ÷|cdot ·
pm ±|mp ∓|le ≤|ge ≥|ne ≠|equiv ≡|approx ≈|sim ∼|cong ≅|propto ∝|ll ≪|gg ≫|infty ∞|partial ∂|nabla ∇|sum ∑|prod ∏
int ∫|in ∈|notin ∉|ni ∋|subset ⊂|subseteq ⊆|supset ⊃|supseteq ⊇|cup ∪|cap ∩|setminus ∖|emptyset ∅|forall ∀|exists ∃
neg ¬|land ∧|lor ∨|to →|leftarrow ←|leftrightarrow ↔|Rightarrow ⇒|Leftarrow ⇐|Leftrightarrow ⇔|implies ⟹|iff ⟺|mapsto ↦
ldots …|cdots ⋯|vdots ⋮|angle ∠|triangle △|perp ⊥|parallel ∥|mid ∣|nmid ∤|circ ∘|bullet •|star ⋆|oplus ⊕|otimes ⊗
lfloor ⌊|rfloor ⌋|lceil ⌈|rceil ⌉|langle ⟨|rangle ⟩|therefore ∴|because ∵|ell ℓ|hbar ℏ|prime ′|aleph ℵ|square □
blacksquare ■|ast ∗|wedge ⋀|vee ⋁|models ⊨|vdash ⊢|top ⊤|bot ⟂|Re ℜ|Im ℑ""".replace("\n", "|").split("|")
)
"""Command -> the one character that means it."""

SYNONYMS = {
    "leq": "le", "geq": "ge", "neq": "ne", "rightarrow": "to", "gets": "leftarrow", "dots": "ldots", "lnot": "neg",
    "varnothing": "emptyset", "dfrac": "frac", "tfrac": "frac", "cfrac": "frac", "leqslant": "le", "geqslant": "ge",
    "Longrightarrow": "implies", "Longleftrightarrow": "iff", "longrightarrow": "to", "Box": "square",
}  # fmt: skip
"""Commands that mean the same."""

NAMES = frozenset(
    re.findall(
        r"\w+",
        """arccos arcsin arctan arg cos cosh cot csc deg det dim exp gcd inf ker lg lim ln log max min Pr sec sin sinh
        sup tan tanh""",
    )
)
"""Functions that are called by their names."""

SPACES = dict.fromkeys((",", ";", ":", " ", "quad", "qquad"), " ") | {"!": ""}
SIZES = frozenset(re.findall(r"\w+", "left right displaystyle textstyle limits"))
SIZED = re.compile("[bB]igg?[lr]?")
RAISED = dict(zip("0123456789+-=()ni", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿⁱ", strict=True))
LOWERED = dict(zip("0123456789+-=()ijkmn", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎ᵢⱼₖₘₙ", strict=True))
DOUBLE = dict(zip("CHNPQRZ", "ℂℍℕℙℚℝℤ", strict=True))
"""Blackboard letters."""

_TOKEN = re.compile(r"\\[A-Za-z]+|\\.|\s+|.", re.DOTALL)
_OPENS, _CLOSES = "\ue000", "\ue001"
"""Stand at the beginning and the end of what is boxed, until its place is known."""


class _Lost(Exception):
    """Something would be."""


@dataclass(frozen=True, slots=True)
class Formula:
    """A converted formula."""

    text: str
    boxes: tuple[tuple[int, int], ...]
    r"""Positions in the source and in `text` that belong together: the ends of what stands in a `\boxed{}`."""


def unicode_formula(source: str) -> Formula | None:
    """The formula as Unicode; None when something would be lost.

    Args:
        source: what stands between the delimiters.
    """
    if _OPENS in source or _CLOSES in source:
        return None
    parser = _Parser(source)
    try:
        text = parser.sequence(until=None)
    except (_Lost, RecursionError):
        return None
    boxes: list[tuple[int, int]] = []
    shown = ""
    for piece in re.split(f"([{_OPENS}{_CLOSES}])", text):
        if piece in (_OPENS, _CLOSES):
            boxes.append((parser.boxes[len(boxes)], len(shown)))
        else:
            shown += piece
    return Formula(shown, tuple(boxes))


_RAISED, _LOWERED = frozenset(RAISED.values()), frozenset(LOWERED.values())


def _run_together(last: str, first: str) -> bool:
    """Whether two neighbours would be read as one script, as in x²¹⁄₂."""
    return (last in _RAISED and first in _RAISED) or (last in _LOWERED and first in _LOWERED)


class _Parser:
    """Recursive descent through one formula."""

    def __init__(self, source: str) -> None:
        self.tokens = [(found.group(), found.start()) for found in _TOKEN.finditer(source)]
        self.at = 0
        self.boxes: list[int] = []

    def peek(self) -> str:
        """The next token that is no white space; empty at the end."""
        for at in range(self.at, len(self.tokens)):
            if not self.tokens[at][0].isspace():
                return self.tokens[at][0]
        return ""

    def take(self) -> str:
        """The next token that is no white space."""
        while self.at < len(self.tokens):
            token = self.tokens[self.at][0]
            self.at += 1
            if not token.isspace():
                return token
        raise _Lost

    def sequence(self, until: str | None) -> str:
        """Everything up to this token, which is taken; None for the end of the formula."""
        found = ""
        while self.at < len(self.tokens):
            token = self.tokens[self.at][0]
            if token == until:
                self.at += 1
                return found
            if token.isspace():
                self.at += 1
                found += " "
            else:
                item = self.item()
                if found and item and _run_together(found[-1], item[0]):
                    raise _Lost
                # A name must not grow together with the letters before it.
                found += f" {item}" if token[1:] in NAMES and found[-1:].isalnum() else item
        if until is not None:
            raise _Lost
        return found

    def item(self) -> str:
        """One thing: a character, a group, a command with what belongs to it."""
        token = self.take()
        if token == "{":
            return self.group()
        if token in ("^", "_"):
            return self.script(RAISED if token == "^" else LOWERED, token)
        if token.startswith("\\"):
            name = token[1:]
            return self.command(SYNONYMS.get(name, name))
        if token in "}&~#%$" or token == "\\":
            raise _Lost
        return token

    def group(self) -> str:
        """Braces that only hold together; where a script hangs on several things, the braces matter."""
        inner = self.sequence("}")
        if len(inner) > 1 and self.peek() in ("^", "_"):
            raise _Lost
        return inner

    def argument(self) -> str:
        """What a command or script is applied to."""
        if self.peek() == "{":
            self.take()
            return self.sequence("}").strip()
        return self.item()

    def script(self, raised: dict[str, str], sign: str) -> str:
        """A script: raised or lowered characters where there are such, else `^(...)`."""
        inner = self.argument()
        if sign == "^" and inner == "∘":
            return "°"
        if inner and all(letter in raised for letter in inner):
            return "".join(raised[letter] for letter in inner)
        if not inner:
            raise _Lost
        return f"{sign}{inner}" if len(inner) == 1 else f"{sign}({inner})"

    def command(self, name: str) -> str:
        """A command without its backslash."""
        if name in SYMBOLS:
            return SYMBOLS[name]
        if name in NAMES:
            return name
        if name in SPACES:
            return SPACES[name]
        if name in SIZES or SIZED.fullmatch(name):
            if self.peek() == ".":
                raise _Lost
            return ""
        if name in ("{", "}", "%", "$"):
            return name
        if name == "frac":
            return self.fraction()
        if name == "sqrt":
            return self.root()
        if name == "boxed":
            return self.boxed()
        if name == "mathbb" and (letter := self.argument()) in DOUBLE:
            return DOUBLE[letter]
        if name == "text":
            return self.words()
        raise _Lost

    def fraction(self) -> str:
        """Whole numbers as ³⁄₄, all others in brackets."""
        above, below = self.argument(), self.argument()
        if not above or not below:
            raise _Lost
        if above.isdecimal() and below.isdecimal() and self.peek() not in ("^", "_"):
            return "".join(RAISED[d] for d in above) + "⁄" + "".join(LOWERED[d] for d in below)
        above, below = (p if len(p) == 1 or p.isdecimal() else f"({p})" for p in (above, below))
        return f"({above}⁄{below})"

    def root(self) -> str:
        """√2 where nothing follows that could be taken in, else √(2)."""
        if self.peek() == "[":
            raise _Lost
        inner = self.argument()
        following = self.peek()
        if not inner or following in ("^", "_"):
            raise _Lost
        bare = (inner.isdecimal() or len(inner) == 1) and not (following.isalnum() or following[:1] in ("\\", "{", "("))
        return f"√{inner}" if bare else f"√({inner})"

    def boxed(self) -> str:
        """A box stays: it is where the answer is looked for."""
        if self.take() != "{":
            raise _Lost
        self.boxes.append(self.tokens[self.at][1] if self.at < len(self.tokens) else 0)
        inner = self.sequence("}")
        self.boxes.append(self.tokens[self.at - 1][1])
        return f"\\boxed{{{_OPENS}{inner}{_CLOSES}}}"

    def words(self) -> str:
        """Text among formulas, in quotes."""
        if self.take() != "{":
            raise _Lost
        inner = ""
        while (token := self.tokens[self.at][0] if self.at < len(self.tokens) else "") != "}":
            if not token or token[0] in "\\{^_$&%~#‘’":
                raise _Lost
            inner += token
            self.at += 1
        self.at += 1
        return f"‘{inner}’"
