"""Tells where an item is and how it got there.

    python audit.py ITEM_ID
"""

from __future__ import annotations

import sys

# [start: first-call]
from astro_sdk import AstroError, Client, ItemState, Reason


def name(state: int) -> str:
    """The state's name; a dash for none."""
    return ItemState(state).name if state else "-"


def audit(client: Client, item_id: str) -> None:
    """Prints the item and every movement of it, oldest first."""
    item = client.items.get(item_id=item_id).item
    print(f"{item.item_name}: {name(item.state)}")
    # [end: first-call]
    # [start: list]
    # The list turns its pages by itself, newest entry first.
    history = list(client.items.list_history(item_id=item_id))
    for entry in reversed(history):
        states = f"{name(entry.from_state)} -> {name(entry.to_state)}"
        print(f"{entry.event_type} {states} {entry.source}")
    # [end: list]


def main() -> int:
    """Runs the story; answers the exit code."""
    if len(sys.argv) != 2:
        print("usage: audit ITEM_ID", file=sys.stderr)
        return 2
    with Client() as client:
        try:
            audit(client, sys.argv[1])
        except AstroError as error:
            if error.reason != Reason.ITEM_NOT_FOUND:
                raise
            print("no such item")
            return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
