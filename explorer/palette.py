"""The command palette: every action of the screen in front, from the action table."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Any

from textual.command import DiscoveryHit, Hit, Hits, Provider

from explorer.actions import Action, actions_of


class Actions(Provider):
    """Offers the actions of the screen in front."""

    def _offers(self) -> list[tuple[Action, Callable[[], Any]]]:
        where = getattr(self.screen, "WHERE", "")
        return [
            (action, partial(self.app.run_action, action.name, self.screen if where in action.where else self.app))
            for action in actions_of(where)
            if action.name != "command_palette"
        ]

    async def discover(self) -> AsyncIterator[DiscoveryHit]:
        """Everything, before anything is typed."""
        for action, run in self._offers():
            yield DiscoveryHit(action.help, run, help=f"key {action.shown_key}")

    async def search(self, query: str) -> Hits:
        """What matches."""
        matcher = self.matcher(query)
        for action, run in self._offers():
            if (score := matcher.match(action.help)) > 0:
                yield Hit(score, matcher.highlight(action.help), run, help=f"key {action.shown_key}")
