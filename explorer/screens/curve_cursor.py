"""The cursor on the curves: at a k, or in Cover@tau at a tau."""

from __future__ import annotations

from fractions import Fraction

from explorer.navigation import Place
from explorer.render.curve_look import View
from explorer.screens.filtered import FilteredScreen


class CursorScreen(FilteredScreen):
    """A screen of curves with a cursor; a subclass knows the largest k and shows what is there."""

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self.view: View = "pass@k"
        self.tau = Fraction(1, 2)

    def largest_k(self) -> int:
        """The largest k at which something is defined."""
        raise NotImplementedError

    def moved(self) -> None:
        """The cursor stands elsewhere."""
        raise NotImplementedError

    def move_k(self, k: int) -> None:
        """Put the cursor at another k."""
        k = min(max(k, 1), self.largest_k())
        if k != self.place.k:
            self.place = self.place.to(k=k)
            self.moved()

    def move_tau(self, tau: Fraction) -> None:
        """Put the cursor at another tau."""
        tau = min(max(tau, Fraction(1, 100)), Fraction(1))
        if tau != self.tau:
            self.tau = tau
            self.moved()

    def action_k_next(self) -> None:
        """To the next power of two, or to the end; to the next twentieth."""
        if self.view == "cover":
            self.move_tau(Fraction(self.tau * 20 // 1 + 1, 20))
        else:
            self.move_k(1 << self.place.k.bit_length())

    def action_k_previous(self) -> None:
        """To the power of two before; to the twentieth before."""
        if self.view == "cover":
            self.move_tau(Fraction(-(self.tau * -20 // 1) - 1, 20))
        else:
            self.move_k(1 << max((self.place.k - 1).bit_length() - 1, 0))

    def action_k_step(self, by: int) -> None:
        """To the k beside; by a hundredth."""
        if self.view == "cover":
            self.move_tau(self.tau + Fraction(by, 100))
        else:
            self.move_k(self.place.k + by)

    def action_k_first(self) -> None:
        """To k = 1; to the smallest tau."""
        if self.view == "cover":
            self.move_tau(Fraction(0))
        else:
            self.move_k(1)

    def action_k_last(self) -> None:
        """To the largest k; to tau = 1."""
        if self.view == "cover":
            self.move_tau(Fraction(1))
        else:
            self.move_k(self.largest_k())
