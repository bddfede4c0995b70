/** Streams that outlive their connection. */

import { type DescMessage, type MessageShape, equals, toBinary } from "@bufbuild/protobuf";
import type { Connection, Method } from "./connection.js";
import { AstroError, UnavailableError } from "./errors.js";
import { mendPause, retryPause } from "./retry.js";

/** An RPC whose stream is followed. */
export interface WatchMethod<I extends DescMessage, O extends DescMessage, Entry> extends Method<
  I,
  O
> {
  /** What a message tells; nothing in a checkpoint. */
  readonly entries: (message: MessageShape<O>) => readonly Entry[];
  /** Makes the request go on after this message; without it a stream begins with what is now. */
  readonly resume?: (request: MessageShape<I>, message: MessageShape<O>) => void;
}

/** Milliseconds for which it is tried to open a stream for the first time. */
const OPENING_MS = 30_000;

/** What one message tells. */
interface Batch<Entry> {
  readonly entries: readonly Entry[];
  /** The tokens before and after it. */
  readonly before: string;
  readonly after: string;
}

/**
 * What happens, in order, across lost connections: iterate it. Leaving the loop cancels it, and so
 * does `return()`.
 */
export class Watch<Entry> implements AsyncIterableIterator<Entry> {
  readonly #batches: AsyncGenerator<Batch<Entry>, void, undefined>;
  readonly #stop: AbortController;
  #last: Batch<Entry> | undefined;
  #given = 0;
  #asked: Promise<unknown> = Promise.resolve();

  /** @internal */
  constructor(batches: AsyncGenerator<Batch<Entry>, void, undefined>, stop: AbortController) {
    this.#batches = batches;
    this.#stop = stop;
  }

  /**
   * The resume token that goes on after what was given so far, for a program to store at the very
   * start, before the first event, for which it does not wait. Empty for a stream without tokens.
   */
  position(): Promise<string> {
    return this.#afterOthers(async () => {
      if (!this.#last) await this.#turn();
      const isAmid = this.#given < (this.#last?.entries.length ?? 0);
      return (isAmid ? this.#last?.before : this.#last?.after) ?? "";
    });
  }

  /** The next entry. */
  next(): Promise<IteratorResult<Entry, undefined>> {
    return this.#afterOthers(async () => {
      for (;;) {
        if (this.#stop.signal.aborted) return { done: true, value: undefined };
        const entries = this.#last?.entries ?? [];
        if (this.#given < entries.length) {
          return { done: false, value: entries[this.#given++] as Entry };
        }
        if (!(await this.#turn())) return { done: true, value: undefined };
      }
    });
  }

  /** Cancels it at once: a `next()` that waits is told that there is no more. */
  async return(): Promise<IteratorResult<Entry, undefined>> {
    // The generator alone would first go on to its next message, which may never come.
    this.#stop.abort();
    await this.#batches.return();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Who asks again before an answer came gets the one after. */
  #afterOthers<T>(work: () => Promise<T>): Promise<T> {
    const answer = this.#asked.then(work);
    this.#asked = answer.catch(() => {});
    return answer;
  }

  /** Waits for the next message; false at the end. */
  async #turn(): Promise<boolean> {
    const { done, value } = await this.#batches.next();
    if (done) return false;
    this.#last = value;
    this.#given = 0;
    return true;
  }
}

/**
 * Follows a stream across lost connections; `request` is its own to change. Any of the signals ends
 * it, which is no error.
 */
export async function* follow<I extends DescMessage, O extends DescMessage, Entry>(
  connection: Connection,
  method: WatchMethod<I, O, Entry>,
  request: MessageShape<I>,
  signals: readonly (AbortSignal | undefined)[],
  idleMs: number,
): AsyncGenerator<Batch<Entry>, void, undefined> {
  const scope = connection.scope(...signals);
  let last: MessageShape<O> | undefined;
  // Before the first answer a failure is the program's to see; afterwards the stream is mended.
  let answered = false;
  let failed = 0;
  const opensUntil = Date.now() + OPENING_MS;
  try {
    for (;;) {
      const attempt = {
        message: toBinary(method.input, request),
        number: answered ? failed : failed + 1,
        deadline: Number.POSITIVE_INFINITY,
        signal: scope.signal,
      };
      let failure: AstroError = new UnavailableError("the server ended the stream");
      try {
        const messages = connection.stream(method, attempt, method.resume && idleMs);
        for await (const message of messages) {
          answered = true;
          failed = 0;
          const before = place(method.input, request);
          if (method.resume) {
            // Taken before the events are handed out: all of them are here already, so a
            // connection lost meanwhile neither repeats nor skips one.
            method.resume(request, message);
          } else {
            // A new stream begins with the state as it is, which may be known.
            if (last && equals(method.output, last, message)) continue;
            last = message;
          }
          const after = place(method.input, request);
          yield { entries: method.entries(message), before, after };
        }
        if (!method.resume) return;
      } catch (error) {
        if (!(error instanceof AstroError) || scope.signal.aborted) throw error;
        failure = error;
      }
      failed++;
      const mayOpen = answered ? mendPause : method.mayRepeat ? retryPause : () => undefined;
      const pause = mayOpen(failure, failed, Math.random());
      if (pause === undefined || (!answered && Date.now() + pause >= opensUntil)) throw failure;
      await scope.pause(pause);
    }
  } catch (error) {
    // Who cancels a watch has what they want.
    if (!signals.some((signal) => signal?.aborted)) throw error;
  } finally {
    scope.end();
  }
}

/** The token that a request begins after; empty if it names none. */
function place<I extends DescMessage>(input: I, request: MessageShape<I>): string {
  const field = input.fields.find((field) => field.name === "resume_token");
  if (!field) return "";
  const fields = request as MessageShape<I> & Record<string, unknown>;
  if (!field.oneof) return String(fields[field.localName]);
  const chosen = fields[field.oneof.localName] as { case?: string; value?: unknown };
  return chosen.case === field.localName ? String(chosen.value) : "";
}
