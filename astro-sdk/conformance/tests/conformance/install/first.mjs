import { Client } from "@astro-platform/sdk";

const client = new Client();
const { apiKey } = await client.access.getCaller({});
console.log(apiKey.orgId);
client.close();
