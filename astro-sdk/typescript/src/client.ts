import { Calls } from "./calls.js";
import { Connection } from "./connection.js";
import { Services } from "./gen/services.js";
import { type ClientOptions, settings } from "./settings.js";

/**
 * A client of an Astro server.
 *
 * It connects at the first call, and again whenever the connection is lost. Calls that may be
 * repeated are sent again when the server is away or asks to come back later: with growing random
 * pauses until the deadline, which is 30 s unless the call sets another. A
 * request that takes a `requestId` and has none gets one, so that the server recognises the
 * repetition.
 */
export class Client extends Services {
  readonly #connection: Connection;

  /**
   * Makes a client of the options, and of `ASTRO_ENDPOINT` and `ASTRO_API_KEY` for what they leave
   * out. Throws a {@link ConfigError} when they cannot be used.
   */
  constructor(options: ClientOptions = {}) {
    const found = settings(options, process.env);
    const connection = new Connection(found);
    super(new Calls(connection, found.watchIdleMs));
    this.#connection = connection;
  }

  /** Ends its calls and watches with a `CancelledError`. A second time does nothing more. */
  close(): void {
    this.#connection.close();
  }

  /** Closes it at the end of a block: `using client = new Client()`. */
  [Symbol.dispose](): void {
    this.close();
  }
}
