/** TypeScript SDK for Astro. Begin with {@link Client}. */

export { Client } from "./client.js";
export type { CallOptions, WatchOptions } from "./connection.js";
export { EventType } from "./gen/event_types.js";
export * from "./gen/messages.js";
export * from "./gen/services.js";
export { VERSION } from "./gen/version.js";
export type { List } from "./list.js";
export {
  AbortedError,
  AlreadyExistsError,
  AstroError,
  CancelledError,
  type Code,
  DataLossError,
  DeadlineExceededError,
  FailedPreconditionError,
  type FieldViolation,
  InternalError,
  InvalidArgumentError,
  NotFoundError,
  OutOfRangeError,
  PermissionDeniedError,
  type Reason,
  ResourceExhaustedError,
  UnauthenticatedError,
  UnavailableError,
  UnimplementedError,
  UnknownError,
} from "./errors.js";
export type { Watch } from "./watch.js";
export type { Paths, Person, Time, Wide } from "./requests.js";
export {
  type ClientOptions,
  ConfigError,
  type ConfigProblem,
  DEFAULT_ENDPOINT,
} from "./settings.js";
export {
  SteamId,
  SteamIdError,
  type SteamIdProblem,
  TradeUrl,
  TradeUrlError,
  type TradeUrlProblem,
} from "./steam.js";
