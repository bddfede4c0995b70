/** Does what the conformance runner asks, through the SDK's public API; see DRIVER.md. */

import { createInterface } from "node:readline";
import { inspect } from "node:util";
import * as sdk from "@astro-platform/sdk";
import type { JsonObject, JsonValue, Message } from "@bufbuild/protobuf";
import { type Asked, json, keep, kept, names, peek, request, rounded } from "./contract.js";

/** One line from the runner. */
interface Ask extends Asked {
  readonly id: number;
  readonly op: string;
  readonly client: string;
  readonly call: string;
  readonly watch: string;
  readonly count: number;
  readonly limit?: number;
  readonly timeout_ms?: number;
  readonly keep?: string;
  readonly text: string;
  readonly from: string;
  readonly path: string;
  readonly env?: Readonly<Record<string, string | null>>;
  readonly [setting: string]: unknown;
}

/** What a method of the SDK is to the driver, which finds it by its name. */
type Call = (request: Message, options: sdk.CallOptions) => unknown;

/** A failure with what came before it. */
class Interrupted {
  constructor(
    readonly error: unknown,
    readonly before: JsonObject,
  ) {}
}

/** Names of the settings: in the protocol, in the SDK. */
const SETTINGS = {
  endpoint: "endpoint",
  api_key: "apiKey",
  allow_insecure: "allowInsecure",
  ca_pem: "caCertificate",
  cert_pem: "clientCertificate",
  key_pem: "clientKey",
  user_agent: "userAgent",
  watch_idle_ms: "watchIdleMs",
};

const clients = new Map<string, sdk.Client>();
const calls = new Map<string, { answer: Promise<JsonObject>; abort: AbortController }>();
const watches = new Map<string, { entries: sdk.Watch<Message>; abort: AbortController }>();

const OPS: Record<string, (ask: Ask) => JsonObject | Promise<JsonObject>> = {
  hello: () => ({ language: "typescript", flavour: "promises", version: sdk.VERSION }),
  open,
  close: (ask) => {
    // One that could not be made has nothing to close.
    clients.get(ask.client)?.close();
    return {};
  },
  call: (ask) => call(ask),
  start,
  finish: (ask) => named(calls, ask.call).answer,
  cancel: (ask) => (ask.watch === undefined ? cancelCall(ask) : cancelWatch(ask)),
  list: async (ask) => ({ items: await take(list(ask), "items", ask.limit) }),
  pages: async (ask) => ({ pages: await take(list(ask).pages(), "pages", ask.limit) }),
  watch: (ask) => {
    const abort = new AbortController();
    const found = method(ask)(request(ask), { signal: abort.signal }) as sdk.Watch<Message>;
    watches.set(ask.watch, { entries: found, abort });
    return {};
  },
  next,
  position: async (ask) => ({ token: await named(watches, ask.watch).entries.position() }),
  peek: (ask) => {
    const value = peek(ask.from, ask.path);
    return { type: typeof value, text: String(value) };
  },
  json: (ask) => ({ text: JSON.stringify(kept(ask.from)) }),
  rounded: async (ask) => {
    try {
      const asked = method(ask)(rounded(ask.method, ask.path) as Message, {});
      // A list asks for nothing before its first entry is wanted.
      await asked;
    } catch (error) {
      if (error instanceof TypeError) return { refused: error.message };
      throw error;
    }
    return {};
  },
  steam_id: (ask) => {
    const id = sdk.SteamId.parse(ask.text);
    return {
      steam_id64: id.steamId64,
      account_id: String(id.accountId),
      steam2: id.steam2,
      steam3: id.steam3,
      profile_url: id.profileUrl,
    };
  },
  trade_url: (ask) => {
    const url = sdk.TradeUrl.parse(ask.text);
    const shown = inspect(url, { showHidden: true, customInspect: false }) + inspect(url);
    return { partner: url.partner.steamId64, token: url.token, url: String(url), shown };
  },
};

function open(ask: Ask): JsonObject {
  const options = Object.entries(SETTINGS).filter(([name]) => ask[name] !== undefined);
  const before = { ...process.env };
  try {
    for (const [name, value] of Object.entries(ask.env ?? {})) {
      if (value === null) delete process.env[name];
      else process.env[name] = value;
    }
    const client = new sdk.Client(
      Object.fromEntries(options.map(([name, own]) => [own, setting(name, ask[name])])),
    );
    clients.set(ask.client, client);
    return { shown: forms(client) };
  } finally {
    process.env = before;
  }
}

function setting(name: string, value: unknown): unknown {
  return name === "watch_idle_ms" ? endless(value as number) : value;
}

async function call(ask: Ask, signal?: AbortSignal): Promise<JsonObject> {
  const response = (await method(ask)(request(ask), {
    timeoutMs: timeout(ask),
    signal,
  })) as Message;
  if (ask.keep !== undefined) keep(ask.keep, response);
  return { response: json(response) };
}

function start(ask: Ask): JsonObject {
  const abort = new AbortController();
  const answer = call(ask, abort.signal);
  // It may fail before anybody asks.
  answer.catch(() => {});
  calls.set(ask.call, { answer, abort });
  return {};
}

function cancelCall(ask: Ask): JsonObject {
  named(calls, ask.call).abort.abort();
  return {};
}

async function cancelWatch(ask: Ask): Promise<JsonObject> {
  const { entries, abort } = named(watches, ask.watch);
  const last = entries.next();
  abort.abort();
  const { done, value } = await last;
  return { items: done ? [] : [json(value)], ended: true };
}

async function next(ask: Ask): Promise<JsonObject> {
  const { entries } = named(watches, ask.watch);
  const items: JsonValue[] = [];
  while (items.length < ask.count) {
    const { done, value } = await entries.next().catch((error: unknown) => {
      throw new Interrupted(error, { items });
    });
    if (done) return { items, ended: true };
    items.push(json(value));
  }
  return { items };
}

function list(ask: Ask): sdk.List<Message, Message> {
  return method(ask)(request(ask), { timeoutMs: timeout(ask) }) as sdk.List<Message, Message>;
}

async function take(
  from: AsyncIterable<Message>,
  name: string,
  limit = Number.POSITIVE_INFINITY,
): Promise<JsonValue[]> {
  const taken: JsonValue[] = [];
  if (limit === 0) return taken;
  try {
    for await (const message of from) {
      taken.push(json(message));
      if (taken.length >= limit) break;
    }
  } catch (error) {
    throw new Interrupted(error, { [name]: taken });
  }
  return taken;
}

function timeout({ timeout_ms }: Ask): number | undefined {
  return timeout_ms === undefined ? undefined : endless(timeout_ms);
}

function endless(milliseconds: number): number {
  return milliseconds === -1 ? Number.POSITIVE_INFINITY : milliseconds;
}

function method(ask: Ask): Call {
  const { accessor, name } = names(ask.method);
  const client = named(clients, ask.client) as unknown as Record<string, Record<string, Call>>;
  const found = client[accessor]?.[name];
  if (!found) throw new Error(`the SDK has no client.${accessor}.${name}`);
  return found.bind(client[accessor]);
}

function named<T>(all: Map<string, T>, name: string): T {
  const found = all.get(name);
  if (found === undefined) throw new Error(`there is no ${name}`);
  return found;
}

/** Every way in which JavaScript shows a value. */
function forms(value: object): string {
  const plain = inspect(value, { depth: null, showHidden: true, customInspect: false });
  const json = JSON.stringify(value);
  return [String(value), inspect(value, { depth: null }), plain, json].join("\n");
}

/** An error of the SDK's as the protocol has it; any other is thrown on. */
function failure(thrown: unknown): JsonObject {
  const { error, before } = thrown instanceof Interrupted ? thrown : { error: thrown, before: {} };
  if (error instanceof sdk.AstroError) {
    return {
      kind: "call",
      type: error.constructor.name.replace(/Error$/, ""),
      code: error.code,
      message: error.message,
      reason: error.reason,
      metadata: { ...error.metadata },
      field_violations: error.fieldViolations.map((violation) => ({ ...violation })),
      ...(error.retryDelayMs !== undefined && { retry_delay_ms: error.retryDelayMs }),
      ...(error.requestId !== undefined && { request_id: error.requestId }),
      ...before,
      shown: forms(error),
    };
  }
  if (error instanceof sdk.ConfigError) {
    const { problem, message } = error;
    return { kind: "config", problem, message, shown: forms(error) };
  }
  if (error instanceof sdk.SteamIdError) return { kind: "steam_id", problem: error.problem };
  if (error instanceof sdk.TradeUrlError) return { kind: "trade_url", problem: error.problem };
  throw error;
}

async function answer(line: string): Promise<void> {
  const ask = JSON.parse(line) as Ask;
  const op = OPS[ask.op];
  if (!op) throw new Error(`there is no op ${ask.op}`);
  let said: JsonObject;
  try {
    said = { id: ask.id, ok: await op(ask) };
  } catch (error) {
    said = { id: ask.id, error: failure(error) };
  }
  process.stdout.write(`${JSON.stringify(said)}\n`);
}

const lines = createInterface({ input: process.stdin });
lines.on("line", (line) => {
  answer(line).catch((error: unknown) => {
    console.error(error);
    process.exit(1);
  });
});
lines.on("close", () => process.exit(0));
