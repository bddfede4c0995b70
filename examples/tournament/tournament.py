"""Gives the winners of a tournament their prizes: all of them, or nobody.

    python tournament.py TOURNAMENT_ID STEAM_ID...
"""

from __future__ import annotations

import sys

from astro_sdk import Assignment, AstroError, Client, ItemFilter, Reason, Reservation, SteamId

SYSTEM = "example.tournament"


def reserve(client: Client, places: int) -> list[Reservation]:
    """Reserves a prize for each place, as far as there are any."""
    prizes: list[Reservation] = []
    try:
        while len(prizes) < places:
            found = client.items.reserve(filter=ItemFilter(tradable_now=True), count=1)
            prizes.append(found.reservation)
    except AstroError as error:
        if error.reason != Reason.NOT_ENOUGH_ITEMS:
            release(client, prizes)
            raise
    return prizes


def release(client: Client, prizes: list[Reservation]) -> None:
    """Gives reserved prizes back."""
    for prize in prizes:
        client.items.release_reservation(reservation_id=prize.id)


def award(
    client: Client, tournament: str, winners: list[SteamId], prizes: list[Reservation]
) -> int:
    """Assigns the prizes; answers the exit code."""
    made: list[Assignment] = []
    try:
        for place, (winner, prize) in enumerate(zip(winners, prizes), start=1):
            response = client.assignments.create(
                user_id=winner,
                reservation_id=prize.id,
                assignment_type="tournament",
                external_system=SYSTEM,
                external_id=f"{tournament}/{place}",
            )
            made.append(response.assignment)
    except AstroError as error:
        for assignment in made:
            client.assignments.cancel(assignment_id=assignment.id, reason="a prize failed")
        release(client, prizes[len(made) :])
        print(f"nobody gets anything: {error.reason or error.code.name}")
        return 1
    for place, (winner, assignment) in enumerate(zip(winners, made), start=1):
        print(f"place {place}: {winner} assignment {assignment.id}")
    return 0


def main() -> int:
    """Runs the story; answers the exit code."""
    if len(sys.argv) < 3:
        print("usage: tournament TOURNAMENT_ID STEAM_ID...", file=sys.stderr)
        return 2
    tournament, winners = sys.argv[1], [SteamId.parse(text) for text in sys.argv[2:]]
    with Client() as client:
        prizes = reserve(client, len(winners))
        if len(prizes) < len(winners):
            release(client, prizes)
            print(f"nobody gets anything: {len(prizes)} of {len(winners)} prizes")
            return 3
        return award(client, tournament, winners, prizes)


if __name__ == "__main__":
    sys.exit(main())
