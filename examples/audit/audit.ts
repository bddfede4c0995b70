// Tells where an item is and how it got there: audit ITEM_ID

// [start: first-call]
import { AstroError, Client, ItemState } from "@astro-platform/sdk";

/** Prints where the item is. */
async function printItem(client: Client, itemId: string): Promise<void> {
  const { item } = await client.items.get({ itemId });
  console.log(`${item?.itemName}: ${name(item?.state)}`);
}
// [end: first-call]

/** Prints every movement of the item, oldest first. */
async function printHistory(client: Client, itemId: string): Promise<void> {
  // [start: list]
  // The list turns its pages by itself, newest entry first.
  const history = [];
  for await (const entry of client.items.listHistory({ itemId })) history.push(entry);
  for (const entry of history.reverse()) {
    const states = `${name(entry.fromState)} -> ${name(entry.toState)}`;
    console.log(`${entry.eventType} ${states} ${entry.source}`);
  }
  // [end: list]
}

/** The state's name; a dash for none. */
function name(state: ItemState | undefined): string {
  return state ? (ItemState[state] ?? String(state)) : "-";
}

/** Runs the story; answers the exit code. */
async function main([itemId, ...rest]: string[]): Promise<number> {
  if (itemId === undefined || rest.length > 0) {
    console.error("usage: audit ITEM_ID");
    return 2;
  }
  const client = new Client();
  try {
    await printItem(client, itemId);
    await printHistory(client, itemId);
    return 0;
  } catch (error) {
    if (!(error instanceof AstroError) || error.reason !== "ITEM_NOT_FOUND") throw error;
    console.log("no such item");
    return 3;
  } finally {
    client.close();
  }
}

process.exitCode = await main(process.argv.slice(2));
