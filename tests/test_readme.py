"""The README stays true: its key table is the action table, its commands exist, its files are there."""

from __future__ import annotations

import re
from pathlib import Path

from explorer.actions import key_table
from explorer.commands.main import COMMANDS

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_key_table_is_the_action_table() -> None:
    """To mend: put the output of `python -m explorer.actions` between the markers."""
    between = README.split("<!-- keys:begin -->\n")[1].split("\n<!-- keys:end -->")[0]
    assert between == key_table()


def test_every_command_is_explained() -> None:
    """Every sub-command stands in the README, and every `passk x` there exists."""
    named = set(re.findall(r"passk ([a-z]+)\b", README))
    assert set(COMMANDS) <= named
    assert named - set(COMMANDS) <= {"is", "asks", "aime"}


def test_links_lead_somewhere() -> None:
    """Every relative link is a file of the project."""
    targets = re.findall(r"\]\((?!https?:)([^)#]+)\)", README)
    assert targets
    missing = [target for target in targets if not (ROOT / target).exists()]
    assert not missing
