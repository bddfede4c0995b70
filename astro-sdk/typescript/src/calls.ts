/** Calls as a program makes them: sent again when they may be, paged, followed. */

import { randomUUID } from "node:crypto";
import { type DescMessage, type MessageShape, clone, toBinary } from "@bufbuild/protobuf";
import type { CallOptions, Connection, Method, Scope, WatchOptions } from "./connection.js";
import { AstroError } from "./errors.js";
import { List } from "./list.js";
import { made } from "./requests.js";
import { retryPause } from "./retry.js";
import { Watch, type WatchMethod, follow } from "./watch.js";

/** Milliseconds for a call that sets no deadline. */
const TIMEOUT_MS_DEFAULT = 30_000;
/** Ten years, as good as for ever; gRPC has no word for much longer times. */
const TIMEOUT_MS_MAX = 3650 * 86_400_000;
/** Entries of a page, unless the program sets another number: the most that a server gives. */
const PAGE_SIZE = 500;

/** An RPC that lists page by page. */
export interface ListMethod<I extends DescMessage, O extends DescMessage, Entry> extends Method<
  I,
  O
> {
  readonly entries: (page: MessageShape<O>) => readonly Entry[];
  /** Where the page after this one begins. */
  readonly next: (page: MessageShape<O>) => string;
  /** Makes a request ask for the page that begins there. */
  readonly goOn: (request: MessageShape<I>, token: string) => void;
  /** Whether it ends with the first page without entries; otherwise with an empty `next`. */
  readonly endsWhenEmpty: boolean;
}

export class Calls {
  readonly #connection: Connection;
  readonly #watchIdleMs: number;

  constructor(connection: Connection, watchIdleMs: number) {
    this.#connection = connection;
    this.#watchIdleMs = watchIdleMs;
  }

  async call<I extends DescMessage, O extends DescMessage>(
    method: Method<I, O>,
    request: object,
    options: CallOptions,
  ): Promise<MessageShape<O>> {
    const [message, requestId] = withRequestId(method.input, made(method.input, request));
    const scope = this.#connection.scope(options.signal);
    try {
      return await this.#attempts(method, toBinary(method.input, message), options, scope);
    } catch (error) {
      const named = error instanceof AstroError && requestId !== undefined;
      throw named ? Object.assign(error, { requestId }) : error;
    } finally {
      scope.end();
    }
  }

  list<I extends DescMessage, O extends DescMessage, Entry>(
    method: ListMethod<I, O, Entry>,
    request: object,
    options: CallOptions,
  ): List<MessageShape<O>, Entry> {
    const first = made(method.input, request) as MessageShape<I> & { pageSize: number };
    first.pageSize ||= PAGE_SIZE;
    return new List(() => this.#pages(method, first, options), method.entries);
  }

  watch<I extends DescMessage, O extends DescMessage, Entry>(
    method: WatchMethod<I, O, Entry>,
    request: object,
    options: WatchOptions,
  ): Watch<Entry> {
    const stop = new AbortController();
    const batches = follow(
      this.#connection,
      method,
      made(method.input, request),
      [options.signal, stop.signal],
      this.#watchIdleMs,
    );
    return new Watch(batches, stop);
  }

  async *#pages<I extends DescMessage, O extends DescMessage, Entry>(
    method: ListMethod<I, O, Entry>,
    first: MessageShape<I>,
    options: CallOptions,
  ): AsyncGenerator<MessageShape<O>, void, undefined> {
    const request = clone(method.input, first);
    for (;;) {
      const page = await this.call(method, request, options);
      yield page;
      const next = method.next(page);
      if (method.endsWhenEmpty ? method.entries(page).length === 0 : next === "") return;
      method.goOn(request, next);
    }
  }

  async #attempts<I extends DescMessage, O extends DescMessage>(
    method: Method<I, O>,
    message: Uint8Array,
    options: CallOptions,
    scope: Scope,
  ): Promise<MessageShape<O>> {
    const timeoutMs = options.timeoutMs ?? TIMEOUT_MS_DEFAULT;
    const deadline = timeoutMs > TIMEOUT_MS_MAX ? Number.POSITIVE_INFINITY : Date.now() + timeoutMs;
    const { signal } = scope;
    for (let number = 1; ; number++) {
      try {
        return await this.#connection.unary(method, { message, number, deadline, signal });
      } catch (error) {
        if (!method.mayRepeat || !(error instanceof AstroError)) throw error;
        const pause = retryPause(error, number, Math.random());
        // A pause that ends too late would only turn a telling error into DEADLINE_EXCEEDED.
        if (pause === undefined || Date.now() + pause >= deadline) throw error;
        await scope.pause(pause);
      }
    }
  }
}

/** Names a call that has no name yet, so that the server recognises it when it is sent again. */
function withRequestId<I extends DescMessage>(
  input: I,
  message: MessageShape<I>,
): [MessageShape<I>, string | undefined] {
  if (input.fields.every((field) => field.name !== "request_id")) return [message, undefined];
  const named = message as MessageShape<I> & { requestId: string };
  named.requestId ||= randomUUID();
  return [named, named.requestId];
}
