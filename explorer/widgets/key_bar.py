"""The keys of a screen on its last line, from the action table. One widget: a widget a key takes 40 ms a screen."""

from __future__ import annotations

from textual.content import Content
from textual.widget import Widget

from explorer.actions import Action, actions_of
from explorer.render.literal import literal


class KeyBar(Widget):
    """What the keys do here; a click on one presses it."""

    def __init__(self, where: str) -> None:
        super().__init__()
        self._actions: list[Action] = [action for action in actions_of(where) if action.in_footer]

    def render(self) -> Content:
        """Keys and labels."""
        parts = [
            Content.assemble(literal(action.shown_key, "bold $accent"), " ", literal(action.label)).stylize(
                f"@click=press({index})"
            )
            for index, action in enumerate(self._actions)
        ]
        return Content("  ").join(parts)

    def action_press(self, index: int) -> None:
        """A click on a key."""
        self.app.simulate_key(self._actions[index].keys.split(",")[0])
