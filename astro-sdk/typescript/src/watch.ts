/** Streams that outlive their connection. */

import { type DescMessage, type MessageShape, equals, toBinary } from "@bufbuild/protobuf";
import type { Connection, Method, WatchOptions } from "./connection.js";
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

/** Follows a stream across lost connections; `request` is its own to change. */
export async function* follow<I extends DescMessage, O extends DescMessage, Entry>(
  connection: Connection,
  method: WatchMethod<I, O, Entry>,
  request: MessageShape<I>,
  options: WatchOptions,
  idleMs: number,
): AsyncGenerator<Entry, void, undefined> {
  const scope = connection.scope(options.signal);
  let last: MessageShape<O> | undefined;
  // Before the first answer a failure is the program's to see; afterwards the stream is mended.
  let answered = false;
  let failed = 0;
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
          if (method.resume) {
            // Taken before the events are handed out: all of them are here already, so a
            // connection lost meanwhile neither repeats nor skips one.
            method.resume(request, message);
          } else {
            // A new stream begins with the state as it is, which may be known.
            if (last && equals(method.output, last, message)) continue;
            last = message;
          }
          yield* method.entries(message);
        }
        if (!method.resume) return;
      } catch (error) {
        if (!(error instanceof AstroError) || scope.signal.aborted) throw error;
        failure = error;
      }
      failed++;
      const mayOpen = answered ? mendPause : method.mayRepeat ? retryPause : () => undefined;
      const pause = mayOpen(failure, failed, Math.random());
      if (pause === undefined) throw failure;
      await scope.pause(pause);
    }
  } catch (error) {
    // Who cancels a watch has what they want.
    if (!options.signal?.aborted) throw error;
  } finally {
    scope.end();
  }
}
