"""Pays out a giveaway once, whatever happens in between.

    python giveaway.py GIVEAWAY_ID COUNT TRADE_URL
"""

from __future__ import annotations

import sys

from astro_sdk import AssignmentState, AstroError, Client, ItemFilter, Reason, Reservation, TradeUrl

SYSTEM = "example.giveaway"
# Who connects again late finds the delivery settled.
DELIVERED = (AssignmentState.DELIVERED, AssignmentState.SETTLED)


def give(client: Client, giveaway_id: str, count: int, trade_url: TradeUrl) -> int:
    """Reserves the prizes, assigns them and follows them; answers the exit code."""
    # [start: errors]
    try:
        prizes = client.items.reserve(filter=ItemFilter(tradable_now=True), count=count).reservation
    except AstroError as error:
        if error.reason != Reason.NOT_ENOUGH_ITEMS:
            raise
        print(f"not enough items: found {error.metadata['found']}")
        return 3
    # [end: errors]
    try:
        assignment_id = assign(client, prizes, giveaway_id, trade_url)
    except AstroError as error:
        client.items.release_reservation(reservation_id=prizes.id)
        if error.reason != Reason.EXTERNAL_ID_EXISTS:
            raise
        print(f"paid before: assignment {error.metadata['assignment_id']}")
        return 0
    print(f"assignment {assignment_id}", flush=True)
    return follow(client, assignment_id, count, trade_url)


def assign(client: Client, prizes: Reservation, giveaway_id: str, trade_url: TradeUrl) -> str:
    """Gives the prizes to the winner. The external id lets that happen once."""
    response = client.assignments.create(
        user_id=trade_url.partner,
        reservation_id=prizes.id,
        assignment_type="giveaway",
        external_system=SYSTEM,
        external_id=giveaway_id,
        trade_url=str(trade_url),
    )
    return response.assignment.id


def follow(client: Client, assignment_id: str, count: int, trade_url: TradeUrl) -> int:
    """Tells each state until the prizes are delivered, or will not be."""
    state = AssignmentState.UNSPECIFIED
    # [start: watch]
    with client.assignments.watch(assignment_id=assignment_id) as changes:
        for assignment in changes:
            if assignment.state != state:
                state = AssignmentState(assignment.state)
                print(f"state {state.name}", flush=True)
            if state in DELIVERED:
                # Leaving the block cancels the watch.
                break
    # [end: watch]
    if state not in DELIVERED:
        print(f"ended {state.name}")
        return 1
    print(f"delivered {count} items to {trade_url.partner}")
    return 0


def main() -> int:
    """Runs the story; answers the exit code."""
    if len(sys.argv) != 4:
        print("usage: giveaway GIVEAWAY_ID COUNT TRADE_URL", file=sys.stderr)
        return 2
    _, giveaway_id, count, trade_url = sys.argv
    with Client() as client:
        return give(client, giveaway_id, int(count), TradeUrl.parse(trade_url))


if __name__ == "__main__":
    sys.exit(main())
