"""Gives every VIP one item a month, once.

    python vip.py MONTH STEAM_ID...
"""

from __future__ import annotations

import sys

from astro_sdk import AstroError, Client, Item, ItemFilter, ItemState, Reason, SteamId

SYSTEM = "example.vip"


def give(client: Client, month: str, person: SteamId) -> bool:
    """Gives the person an item, and tells so; answers whether they need wait no longer."""
    free = ItemFilter(states=[ItemState.AVAILABLE], tradable_now=True)
    for item in client.items.list(filter=free):
        try:
            assign(client, item, month, person)
        except AstroError as error:
            if error.reason == Reason.ITEM_NOT_AVAILABLE:
                # Somebody else was faster.
                continue
            if error.reason == Reason.EXTERNAL_ID_EXISTS:
                print(f"{person} had it before")
                return True
            raise
        print(f"{person} gets {item.item_name}")
        return True
    print(f"{person} waits: no item left")
    return False


def assign(client: Client, item: Item, month: str, person: SteamId) -> None:
    """Gives the item to the person. The external id lets that happen once a month."""
    client.assignments.create(
        user_id=person,
        item_ids=[item.id],
        assignment_type="vip",
        external_system=SYSTEM,
        external_id=f"{month}/{person}",
    )


def main() -> int:
    """Runs the story; answers the exit code."""
    if len(sys.argv) < 3:
        print("usage: vip MONTH STEAM_ID...", file=sys.stderr)
        return 2
    month, people = sys.argv[1], [SteamId.parse(text) for text in sys.argv[2:]]
    with Client() as client:
        given = [give(client, month, person) for person in people]
    return 0 if all(given) else 3


if __name__ == "__main__":
    sys.exit(main())
