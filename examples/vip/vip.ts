// Gives each VIP one item a month, and never two: vip MONTH STEAM_ID...

import { AstroError, Client, type Item, ItemState, SteamId } from "@astro-platform/sdk";

type Gift = { item: Item } | "had it before" | "no item left";

/** Gives one of the free items. Who had one this month gets no other, however often this runs. */
async function give(
  client: Client,
  month: string,
  vip: SteamId,
  free: AsyncIterator<Item>,
  kept: Item[],
): Promise<Gift> {
  for (;;) {
    const item = kept.pop() ?? (await next(free));
    if (!item) return "no item left";
    try {
      await client.assignments.create({
        userId: vip,
        itemIds: [item.id],
        assignmentType: "vip",
        externalSystem: "example.vip",
        externalId: `${month}/${vip}`,
      });
      return { item };
    } catch (error) {
      if (!(error instanceof AstroError)) throw error;
      // Somebody else was faster: the next item of the list will do.
      if (error.reason === "ITEM_NOT_AVAILABLE") continue;
      if (error.reason !== "EXTERNAL_ID_EXISTS") throw error;
      kept.push(item);
      return "had it before";
    }
  }
}

async function next(free: AsyncIterator<Item>): Promise<Item | undefined> {
  const found = await free.next();
  return found.done ? undefined : found.value;
}

/** Gives to all of them; answers the exit code. */
async function giveAll(client: Client, month: string, vips: SteamId[]): Promise<number> {
  // Pages are asked for as they are needed.
  const filter = { states: [ItemState.AVAILABLE], tradableNow: true };
  const free = client.items.list({ filter })[Symbol.asyncIterator]();
  const kept: Item[] = [];
  let code = 0;
  for (const vip of vips) {
    const gift = await give(client, month, vip, free, kept);
    if (gift === "no item left") {
      console.log(`${vip} waits: no item left`);
      code = 3;
    } else {
      console.log(
        gift === "had it before" ? `${vip} ${gift}` : `${vip} gets ${gift.item.itemName}`,
      );
    }
  }
  return code;
}

/** Runs the story; answers the exit code. */
async function main([month, ...ids]: string[]): Promise<number> {
  if (month === undefined || ids.length === 0) {
    console.error("usage: vip MONTH STEAM_ID...");
    return 2;
  }
  const vips = ids.map((id) => SteamId.parse(id));
  const client = new Client();
  try {
    return await giveAll(client, month, vips);
  } finally {
    client.close();
  }
}

process.exitCode = await main(process.argv.slice(2));
