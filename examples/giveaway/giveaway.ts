// Pays out a giveaway once, whatever happens in between: giveaway GIVEAWAY_ID COUNT TRADE_URL

import { AssignmentState, AstroError, Client, TradeUrl } from "@astro-platform/sdk";

/** Reserves the prizes, assigns them and follows them; answers the exit code. */
async function give(
  client: Client,
  giveawayId: string,
  count: number,
  tradeUrl: TradeUrl,
): Promise<number> {
  // [start: errors]
  let reservationId: string;
  try {
    const { reservation } = await client.items.reserve({ filter: { tradableNow: true }, count });
    reservationId = reservation?.id ?? "";
  } catch (error) {
    if (!(error instanceof AstroError) || error.reason !== "NOT_ENOUGH_ITEMS") throw error;
    console.log(`not enough items: found ${error.metadata["found"]}`);
    return 3;
  }
  // [end: errors]
  let assignmentId: string;
  try {
    assignmentId = await assign(client, reservationId, giveawayId, tradeUrl);
  } catch (error) {
    await client.items.releaseReservation({ reservationId });
    if (!(error instanceof AstroError) || error.reason !== "EXTERNAL_ID_EXISTS") throw error;
    console.log(`paid before: assignment ${error.metadata["assignment_id"]}`);
    return 0;
  }
  console.log(`assignment ${assignmentId}`);
  const state = await follow(client, assignmentId);
  if (!isDelivered(state)) {
    console.log(`ended ${AssignmentState[state]}`);
    return 1;
  }
  console.log(`delivered ${count} items to ${tradeUrl.partner}`);
  return 0;
}

/** Gives the prizes to the winner. The external id lets that happen once. */
async function assign(
  client: Client,
  reservationId: string,
  giveawayId: string,
  tradeUrl: TradeUrl,
): Promise<string> {
  const { assignment } = await client.assignments.create({
    userId: tradeUrl.partner,
    reservationId,
    assignmentType: "giveaway",
    externalSystem: "example.giveaway",
    externalId: giveawayId,
    tradeUrl: tradeUrl.toString(),
  });
  return assignment?.id ?? "";
}

/** Tells each state until the prizes are delivered, or will not be; answers the last one. */
async function follow(client: Client, assignmentId: string): Promise<AssignmentState> {
  let state = AssignmentState.UNSPECIFIED;
  // [start: watch]
  for await (const assignment of client.assignments.watch({ assignmentId })) {
    if (assignment.state !== state) {
      state = assignment.state;
      console.log(`state ${AssignmentState[state]}`);
    }
    // Leaving the loop cancels the watch.
    if (isDelivered(state)) break;
  }
  // [end: watch]
  return state;
}

function isDelivered(state: AssignmentState): boolean {
  return state === AssignmentState.DELIVERED || state === AssignmentState.SETTLED;
}

/** Runs the story; answers the exit code. */
async function main([giveawayId, count, tradeUrl, ...rest]: string[]): Promise<number> {
  if (
    giveawayId === undefined ||
    count === undefined ||
    tradeUrl === undefined ||
    rest.length > 0
  ) {
    console.error("usage: giveaway GIVEAWAY_ID COUNT TRADE_URL");
    return 2;
  }
  const client = new Client();
  try {
    return await give(client, giveawayId, Number(count), TradeUrl.parse(tradeUrl));
  } finally {
    client.close();
  }
}

process.exitCode = await main(process.argv.slice(2));
