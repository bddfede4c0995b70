// Tells what happens, in Node: node log.mjs [LAST_EVENT_ID]
import { follow } from "./follow.mjs";

const { ASTRO_ENDPOINT, ASTRO_API_KEY } = process.env;
const tell = (event) => console.log(`${event.eventType} ${event.resumeToken}`);
const from = { query: "fromEarliest=true", token: process.argv[2] };
await follow(ASTRO_ENDPOINT, ASTRO_API_KEY, tell, from);
