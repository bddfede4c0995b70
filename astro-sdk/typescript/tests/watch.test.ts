/** Watches against a server in this process that answers as the test says. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { after, before, test } from "node:test";
import * as sdk from "@astro-platform/sdk";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { Server, ServerCredentials, type ServerWritableStream } from "@grpc/grpc-js";

type Stream = ServerWritableStream<Buffer, Buffer>;

const server = new Server();
let endpoint = "";
/** What the server does with the streams that come. */
let answer: (stream: Stream, token: string) => void = () => {};
let streams: Stream[] = [];

before(async () => {
  server.register(
    "/astro.v1.EventService/WatchEvents",
    (stream: Stream) => {
      streams.push(stream);
      const { start } = fromBinary(sdk.WatchEventsRequestSchema, stream.request);
      answer(stream, start.case === "resumeToken" ? start.value : "0");
    },
    (answer: Buffer) => answer,
    (request: Buffer) => request,
    "serverStream",
  );
  const credentials = ServerCredentials.createInsecure();
  const port = await new Promise<number>((resolve, reject) => {
    const bound = (error: Error | null, port: number) => (error ? reject(error) : resolve(port));
    server.bindAsync("127.0.0.1:0", credentials, bound);
  });
  endpoint = `http://127.0.0.1:${port}`;
});

after(() => server.forceShutdown());

/** The event after the token. */
function tell(stream: Stream, token: string): void {
  const id = String(Number(token) + 1);
  const message = create(sdk.WatchEventsResponseSchema, { events: [{ id }], resumeToken: id });
  stream.write(Buffer.from(toBinary(sdk.WatchEventsResponseSchema, message)));
}

function open(options: sdk.ClientOptions = {}): sdk.Client {
  streams = [];
  return new sdk.Client({ endpoint, apiKey: "astro_sk_test", ...options });
}

/** Whoever waits for something waits in earnest after that. */
async function roundTrip(client: sdk.Client): Promise<void> {
  await assert.rejects(client.access.getCaller({}), sdk.UnimplementedError);
}

const END = { done: true, value: undefined };

test("return ends a watch at once and whoever waits is told", { timeout: 10_000 }, async () => {
  answer = tell;
  const client = open();
  const events = client.events.watch({});
  assert.equal((await events.next()).value?.id, "1");
  const waiting = [events.next(), events.next()];
  const place = events.position();
  const gone = once(streams[0] as Stream, "cancelled");
  await roundTrip(client);
  assert.deepEqual(await events.return(), END);
  assert.deepEqual(await Promise.all(waiting), [END, END]);
  assert.equal(await place, "1");
  await gone;
  assert.deepEqual(await events.next(), END);
  assert.equal(streams.length, 1);
  client.close();
});

test("return ends a watch that pauses after a break", { timeout: 10_000 }, async () => {
  answer = (stream, token) => {
    tell(stream, token);
    stream.end();
  };
  const client = open();
  const events = client.events.watch({});
  await events.next();
  const waiting = events.next();
  await roundTrip(client);
  await events.return();
  // The next one may have come just before.
  assert.ok([undefined, "2"].includes((await waiting).value?.id));
  assert.deepEqual(await events.next(), END);
  client.close();
});

test("return before the first entry asks for nothing", { timeout: 10_000 }, async () => {
  const client = open();
  const events = client.events.watch({});
  assert.deepEqual(await events.return(), END);
  assert.deepEqual(await events.next(), END);
  assert.equal(streams.length, 0);
  client.close();
});

test("leaving the loop cancels the stream", { timeout: 10_000 }, async () => {
  answer = tell;
  const client = open();
  for await (const event of client.events.watch({})) {
    assert.equal(event.id, "1");
    break;
  }
  const [stream] = streams as [Stream];
  if (!stream.cancelled) await once(stream, "cancelled");
  client.close();
});

test("a silent log is opened again, but not one that may be silent for ages", {
  timeout: 20_000,
}, async () => {
  answer = tell;
  const client = open({ watchIdleMs: 100 });
  const events = client.events.watch({});
  const seen = [await events.next(), await events.next()].map(({ value }) => value?.id);
  assert.deepEqual(seen, ["1", "2"]);
  client.close();
  for (const watchIdleMs of [2 ** 31, Number.MAX_VALUE, Number.POSITIVE_INFINITY]) {
    const patient = open({ watchIdleMs });
    const events = patient.events.watch({});
    await events.next();
    const waiting = events.next();
    // A timer that overflows is over in a millisecond, and the stream is opened again.
    for (let calls = 0; calls < 20; calls++) await roundTrip(patient);
    assert.equal(streams.length, 1, `${watchIdleMs}`);
    await events.return();
    assert.deepEqual(await waiting, END);
    patient.close();
  }
});
