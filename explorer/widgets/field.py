"""A line of input whose keys act in the order in which they are typed."""

from __future__ import annotations

from textual import events
from textual.widgets import Input


class Field(Input):
    """An input that does what its keys say at once.

    Textual lets a key that stands for an action (ctrl+u, enter) travel up to the app before it acts. Letters that come
    in the same packet, as they do over a slow connection, would overtake it.
    """

    async def _on_key(self, event: events.Key) -> None:
        bound = self._bindings.key_to_bindings.get(event.key)
        if bound and not event.is_printable:
            event.stop().prevent_default()
            await self.run_action(bound[0].action)
        else:
            await super()._on_key(event)
