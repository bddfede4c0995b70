// Gives each winner of a tournament a prize, or nobody: tournament TOURNAMENT_ID STEAM_ID...

import { AstroError, Client, SteamId } from "@astro-platform/sdk";

/** Reserves one item for each place, then gives them; answers the exit code. */
async function award(client: Client, tournamentId: string, winners: SteamId[]): Promise<number> {
  const reservations = await reserve(client, winners.length);
  if (reservations.length < winners.length) {
    await release(client, reservations);
    console.log(`nobody gets anything: ${reservations.length} of ${winners.length} prizes`);
    return 3;
  }
  const assignments: string[] = [];
  const lines: string[] = [];
  try {
    for (const [index, winner] of winners.entries()) {
      const { assignment } = await client.assignments.create({
        userId: winner,
        reservationId: reservations[index] ?? "",
        assignmentType: "tournament",
        externalSystem: "example.tournament",
        externalId: `${tournamentId}/${index + 1}`,
      });
      const id = assignment?.id ?? "";
      assignments.push(id);
      lines.push(`place ${index + 1}: ${winner} assignment ${id}`);
    }
  } catch (error) {
    if (!(error instanceof AstroError)) throw error;
    for (const assignmentId of assignments) await client.assignments.cancel({ assignmentId });
    await release(client, reservations.slice(assignments.length));
    console.log(`nobody gets anything: ${error.reason || error.message}`);
    return 1;
  }
  for (const line of lines) console.log(line);
  return 0;
}

/** Reserves prizes, one by one, until there are enough or none is left; answers their ids. */
async function reserve(client: Client, wanted: number): Promise<string[]> {
  const reservations: string[] = [];
  try {
    while (reservations.length < wanted) {
      const request = { filter: { tradableNow: true }, count: 1 };
      const { reservation } = await client.items.reserve(request);
      reservations.push(reservation?.id ?? "");
    }
  } catch (error) {
    if (!(error instanceof AstroError) || error.reason !== "NOT_ENOUGH_ITEMS") throw error;
  }
  return reservations;
}

async function release(client: Client, reservationIds: string[]): Promise<void> {
  for (const reservationId of reservationIds) {
    await client.items.releaseReservation({ reservationId });
  }
}

/** Runs the story; answers the exit code. */
async function main([tournamentId, ...ids]: string[]): Promise<number> {
  if (tournamentId === undefined || ids.length === 0) {
    console.error("usage: tournament TOURNAMENT_ID STEAM_ID...");
    return 2;
  }
  const winners = ids.map((id) => SteamId.parse(id));
  const client = new Client();
  try {
    return await award(client, tournamentId, winners);
  } finally {
    client.close();
  }
}

process.exitCode = await main(process.argv.slice(2));
