"""The keys of a screen on its last line, from the action table. One widget: a widget a key takes 40 ms a screen."""

from __future__ import annotations

from textual.content import Content
from textual.widget import Widget

from explorer.actions import Action, actions_of
from explorer.render.literal import literal

LAST = 2
"""Keys of everywhere, at the end: back and help."""


def first_key(shown_key: str) -> str:
    """One key of an action; what is held down with it belongs to it: ctrl+o, but → of → and n."""
    first, *others = shown_key.split()
    return f"{first}+{others[0]}" if first in ("ctrl", "shift") and others else first


class KeyBar(Widget):
    """What the keys do here; a click on one presses it."""

    def __init__(self, where: str) -> None:
        super().__init__()
        self._actions: list[Action] = [action for action in actions_of(where) if action.in_footer]

    def render(self) -> Content:
        """Keys and labels, one key of each action. Where room is short, the way back and the help stay."""
        parts = [
            Content.assemble(literal(first_key(action.shown_key), "bold $accent"), " ", literal(action.label)).stylize(
                f"@click=press({index})"
            )
            for index, action in enumerate(self._actions)
        ]
        wide, tight = Content("  ").join(parts), Content(" ").join(parts)
        if wide.cell_length <= self.size.width:
            return wide
        while tight.cell_length > self.size.width and len(parts) > LAST:
            del parts[-LAST - 1]
            tight = Content(" ").join(parts)
        return tight

    def action_press(self, index: int) -> None:
        """A click on a key."""
        self.app.simulate_key(self._actions[index].keys.split(",")[0])
