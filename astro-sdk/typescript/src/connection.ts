/** One connection: single attempts at calls, and what ends them. */

import { setMaxListeners } from "node:events";
import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import { Client, Metadata, type ServiceError, type StatusObject, status } from "@grpc/grpc-js";
import { read } from "./answers.js";
import { readDetails } from "./details.js";
import { type AstroError, CancelledError, UnavailableError, errorOf } from "./errors.js";
import type { Settings } from "./settings.js";

/** A quiet connection is asked this often whether it still lives, while calls are open. */
const KEEP_ALIVE_INTERVAL_MS = 30_000;
/** A connection that does not answer for this long is given up. */
const KEEP_ALIVE_TIMEOUT_MS = 20_000;
/** Least and longest pause between two tries to connect; calls meanwhile fail at once, and are repeated. */
const RECONNECT_MS = { least: 100, longest: 1_000 };
/** The largest message that is read: several times what a server puts into a page. */
const MESSAGE_BYTES_MAX = 16 * 1024 * 1024;
/** Node's timers go no further: a longer one would end at once. */
const TIMER_MAX_MS = 2 ** 31 - 1;

/** What grpc-js calls `INTERNAL` when a connection ends without a status of the server's. */
const BROKEN = /^Received RST_STREAM with code (?:0\b|\d+ triggered by internal client error)/;

/** Options of one watch. */
export interface WatchOptions {
  /** Cancels it: the iteration ends, without an error. */
  readonly signal?: AbortSignal | undefined;
}

/** Options of one call. */
export interface CallOptions {
  /** Milliseconds for a call with its attempts and pauses, or each page of a list; `Infinity`: for ever. Default: 30000. */
  readonly timeoutMs?: number | undefined;
  /** Cancels it: it throws a `CancelledError`, with the signal's reason as its `cause`. */
  readonly signal?: AbortSignal | undefined;
}

/** One RPC of the contract. */
export interface Method<I extends DescMessage, O extends DescMessage> {
  readonly path: string;
  readonly input: I;
  readonly output: O;
  readonly mayRepeat: boolean;
}

/** One try at a call on the wire. */
export interface Attempt {
  /** The request. */
  readonly message: Uint8Array;
  /** Counted from 1. */
  readonly number: number;
  /** When its time is up, in milliseconds since 1970; `Infinity`: never. */
  readonly deadline: number;
  /** Ends it; its reason is what is then thrown. */
  readonly signal: AbortSignal;
}

export class Connection {
  readonly #client: Client;
  readonly #authorization: string;
  readonly #closing = new AbortController();

  constructor(settings: Settings) {
    this.#authorization = settings.authorization;
    // It connects at the first call.
    this.#client = new Client(settings.address, settings.credentials, {
      "grpc.primary_user_agent": settings.userAgent,
      "grpc.enable_retries": 0,
      "grpc.max_receive_message_length": MESSAGE_BYTES_MAX,
      "grpc.service_config_disable_resolution": 1,
      // A proxy would see what must not leave this machine unencrypted.
      "grpc.enable_http_proxy": settings.secure ? 1 : 0,
      "grpc.use_local_subchannel_pool": 1,
      "grpc.keepalive_time_ms": KEEP_ALIVE_INTERVAL_MS,
      "grpc.keepalive_timeout_ms": KEEP_ALIVE_TIMEOUT_MS,
      "grpc.initial_reconnect_backoff_ms": RECONNECT_MS.least,
      "grpc.max_reconnect_backoff_ms": RECONNECT_MS.longest,
    });
  }

  /** Ends every call and stream with `CANCELLED`. */
  close(): void {
    this.#closing.abort();
    this.#client.close();
  }

  /** What ends a call: closing this connection, or the caller's own signals. */
  scope(...callers: readonly (AbortSignal | undefined)[]): Scope {
    return new Scope(this.#closing.signal, callers);
  }

  /** One attempt at a call with one answer. */
  async unary<I extends DescMessage, O extends DescMessage>(
    method: Method<I, O>,
    attempt: Attempt,
  ): Promise<MessageShape<O>> {
    const { signal } = attempt;
    signal.throwIfAborted();
    let cancel = () => {};
    try {
      return await new Promise((resolve, reject) => {
        const call = this.#client.makeUnaryRequest<Uint8Array, MessageShape<O>>(
          method.path,
          (message) => Buffer.from(message),
          (message) => read(method.output, message),
          attempt.message,
          this.#metadata(attempt),
          { deadline: attempt.deadline },
          (error, answer) => (error ? reject(error) : resolve(answer as MessageShape<O>)),
        );
        cancel = () => call.cancel();
        signal.addEventListener("abort", cancel);
      });
    } catch (error) {
      // Made here and not in the callback, so that its stack tells who called.
      throw signal.aborted ? signal.reason : fromStatus(error as ServiceError);
    } finally {
      signal.removeEventListener("abort", cancel);
    }
  }

  /** One attempt at a stream. One that is silent for `idleMs` counts as broken. */
  async *stream<I extends DescMessage, O extends DescMessage>(
    method: Method<I, O>,
    attempt: Attempt,
    idleMs: number | undefined,
  ): AsyncGenerator<MessageShape<O>, void, undefined> {
    const { signal } = attempt;
    signal.throwIfAborted();
    const call = this.#client.makeServerStreamRequest<Uint8Array, MessageShape<O>>(
      method.path,
      (message) => Buffer.from(message),
      (message) => read(method.output, message),
      attempt.message,
      this.#metadata(attempt),
      { deadline: attempt.deadline },
    );
    // The loop below sees errors; without a listener, one after the loop would end the process.
    call.on("error", () => {});
    let stopped: unknown;
    const stop = (reason: unknown) => {
      stopped ??= reason;
      call.cancel();
    };
    const cancel = () => stop(signal.reason);
    signal.addEventListener("abort", cancel);
    const listen = () =>
      idleMs === undefined || idleMs > TIMER_MAX_MS
        ? undefined
        : setTimeout(() => stop(new UnavailableError("the stream fell silent")), idleMs);
    let idle = listen();
    try {
      for await (const message of call as AsyncIterable<MessageShape<O>>) {
        clearTimeout(idle);
        yield message;
        idle = listen();
      }
    } catch (error) {
      throw stopped ?? fromStatus(error as ServiceError);
    } finally {
      clearTimeout(idle);
      signal.removeEventListener("abort", cancel);
      call.cancel();
    }
  }

  #metadata(attempt: Attempt): Metadata {
    const metadata = new Metadata();
    metadata.set("authorization", this.#authorization);
    metadata.set("astro-attempt", String(attempt.number));
    return metadata;
  }
}

/** A signal that aborts with a connection's or a caller's, until it is let go. */
export class Scope {
  readonly #own = new AbortController();
  readonly #letGo: (() => void)[] = [];

  constructor(closing: AbortSignal, callers: readonly (AbortSignal | undefined)[]) {
    this.#follow(closing, "the client is closed");
    for (const caller of callers) if (caller) this.#follow(caller, "the call was cancelled");
  }

  get signal(): AbortSignal {
    return this.#own.signal;
  }

  /** Waits; throws the signal's reason if it aborts meanwhile. */
  pause(milliseconds: number): Promise<void> {
    const { signal } = this;
    return new Promise((resolve, reject) => {
      signal.throwIfAborted();
      const cancel = () => {
        clearTimeout(timer);
        reject(signal.reason);
      };
      const timer = setTimeout(() => {
        signal.removeEventListener("abort", cancel);
        resolve();
      }, Math.min(milliseconds, TIMER_MAX_MS));
      signal.addEventListener("abort", cancel);
    });
  }

  /** Lets go of the signals that it follows; they may outlive it by far. */
  end(): void {
    for (const letGo of this.#letGo) letGo();
  }

  #follow(signal: AbortSignal, message: string): void {
    const abort = () => {
      const error = new CancelledError(message);
      error.cause = signal.reason;
      this.#own.abort(error);
    };
    if (signal.aborted) return abort();
    // Many calls at once may share a signal; Node would take that for a leak.
    setMaxListeners(0, signal);
    signal.addEventListener("abort", abort);
    this.#letGo.push(() => signal.removeEventListener("abort", abort));
  }
}

function fromStatus(found: StatusObject | ServiceError): AstroError {
  const [details] = found.metadata?.get("grpc-status-details-bin") ?? [];
  return errorOf(
    isBroken(found) ? status.UNAVAILABLE : found.code,
    found.details,
    details instanceof Uint8Array ? readDetails(details) : undefined,
  );
}

/** Whether it is grpc-js that says so, because the connection was closed under the call. */
function isBroken({ code, details }: StatusObject | ServiceError): boolean {
  return code === status.INTERNAL && BROKEN.test(details);
}
