/** When to send a request again, and how long to wait before. Pure: chance is an argument. */

import type { AstroError } from "./errors.js";

/** What grpc-js says of a message that is larger than it reads. */
const TOO_LARGE = /message larger than max/;
/** Attempts at one call in all, if the server says that it is full. */
const ATTEMPTS_MAX = 4;
/** Upper bound of the first pause; doubled for each later one. */
const PAUSE_FIRST_MS = 100;
/** Upper bound of all pauses that the server did not ask for. */
const PAUSE_MAX_MS = 5_000;
/** Longest pause that the server may ask for; beyond it the program is to decide. */
const ASKED_PAUSE_MAX_MS = 60_000;

/**
 * Milliseconds until the next attempt after `failed` attempts, the last with `error`; `undefined`:
 * give up. `chance` is in 0..1.
 */
export function retryPause(error: AstroError, failed: number, chance: number): number | undefined {
  const asked = error.retryDelayMs;
  switch (error.code) {
    case "UNAVAILABLE":
      // For as long as the call has time: a server that is started anew costs no call.
      break;
    case "RESOURCE_EXHAUSTED":
      // Without a time to come back at, more calls would only add to the load.
      if (asked === undefined || failed >= ATTEMPTS_MAX) return undefined;
      break;
    default:
      return undefined;
  }
  if (asked === undefined) return backoff(failed, chance);
  return asked > ASKED_PAUSE_MAX_MS ? undefined : asked;
}

/**
 * Milliseconds until a broken stream is opened again after `failed` failures in a row; `undefined`:
 * opening it again does not help.
 */
export function mendPause(error: AstroError, failed: number, chance: number): number | undefined {
  switch (error.code) {
    case "UNAVAILABLE":
      break;
    case "RESOURCE_EXHAUSTED":
      if (TOO_LARGE.test(error.message)) return undefined;
      break;
    case "UNKNOWN":
    case "INTERNAL":
    case "CANCELLED":
    case "DEADLINE_EXCEEDED":
      // Without one of Astro's reasons it is the connection that broke.
      if (error.reason !== "") return undefined;
      break;
    default:
      return undefined;
  }
  return error.retryDelayMs ?? backoff(failed, chance);
}

/** Random between 0 and a bound that doubles, so that many clients do not come back at once. */
function backoff(failed: number, chance: number): number {
  return Math.min(PAUSE_FIRST_MS * 2 ** (failed - 1), PAUSE_MAX_MS) * chance;
}
