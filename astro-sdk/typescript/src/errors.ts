/** What a failed call throws: one class, and one below it for each gRPC code. */

import type { ErrorReason } from "./gen/messages.js";

/** Why a call was refused, within its code. A newer server may send others than are known here. */
export type Reason = Exclude<keyof typeof ErrorReason, "UNSPECIFIED"> | "" | (string & {});

/** One wrong field of a request. */
export interface FieldViolation {
  /** Path of the field, as the contract names it: `filter.states`. */
  readonly field: string;
  /** What is wrong with it. */
  readonly description: string;
}

/** What an error tells beside its code and message. */
export interface ErrorDetails {
  readonly reason: Reason;
  readonly metadata: Readonly<Record<string, string>>;
  readonly fieldViolations: readonly FieldViolation[];
  readonly retryDelayMs: number | undefined;
}

const NO_DETAILS: ErrorDetails = {
  reason: "",
  metadata: {},
  fieldViolations: [],
  retryDelayMs: undefined,
};

/**
 * A refused or failed call.
 *
 * A program branches on the class or `code`, and on `reason`; a person reads `message`.
 */
export abstract class AstroError extends Error {
  /** gRPC code. */
  abstract readonly code: Code;
  /** Reason within the code: `ITEM_NOT_FOUND`. Empty when the answer is not Astro's own. */
  readonly reason: Reason;
  /** Facts that belong to the reason: `item_id`, `state`, … */
  readonly metadata: Readonly<Record<string, string>>;
  /** Fields of the request that are wrong. */
  readonly fieldViolations: readonly FieldViolation[];
  /** How long to wait before trying again, if the server said so. */
  declare readonly retryDelayMs?: number;
  /** The `request_id` that the call carried, if it had one. */
  declare readonly requestId?: string;

  /** @internal */
  constructor(message: string, details: ErrorDetails = NO_DETAILS) {
    super(message);
    Object.defineProperty(this, "name", { value: new.target.name });
    this.reason = details.reason;
    this.metadata = details.metadata;
    this.fieldViolations = details.fieldViolations;
    if (details.retryDelayMs !== undefined) this.retryDelayMs = details.retryDelayMs;
  }
}

/** The call was cancelled: by its signal, by closing the client, or by the server. */
export class CancelledError extends AstroError {
  readonly code = "CANCELLED";
}

/** Something failed in a way that has no code. */
export class UnknownError extends AstroError {
  readonly code = "UNKNOWN";
}

/** The request is wrong, whatever the state of things. */
export class InvalidArgumentError extends AstroError {
  readonly code = "INVALID_ARGUMENT";
}

/** No answer came in time; the call may have been done all the same. */
export class DeadlineExceededError extends AstroError {
  readonly code = "DEADLINE_EXCEEDED";
}

/** What was named does not exist, or is not the key's to see. */
export class NotFoundError extends AstroError {
  readonly code = "NOT_FOUND";
}

/** What was to be made exists. */
export class AlreadyExistsError extends AstroError {
  readonly code = "ALREADY_EXISTS";
}

/** The key may not do this. */
export class PermissionDeniedError extends AstroError {
  readonly code = "PERMISSION_DENIED";
}

/** A limit is reached. */
export class ResourceExhaustedError extends AstroError {
  readonly code = "RESOURCE_EXHAUSTED";
}

/** The state of things does not allow it. */
export class FailedPreconditionError extends AstroError {
  readonly code = "FAILED_PRECONDITION";
}

/** Somebody else changed it meanwhile. */
export class AbortedError extends AstroError {
  readonly code = "ABORTED";
}

/** A place was named that is not there any more. */
export class OutOfRangeError extends AstroError {
  readonly code = "OUT_OF_RANGE";
}

/** The server does not know the method. */
export class UnimplementedError extends AstroError {
  readonly code = "UNIMPLEMENTED";
}

/** The server has a fault. */
export class InternalError extends AstroError {
  readonly code = "INTERNAL";
}

/** The server cannot be reached or is stopping. */
export class UnavailableError extends AstroError {
  readonly code = "UNAVAILABLE";
}

/** Data was lost. */
export class DataLossError extends AstroError {
  readonly code = "DATA_LOSS";
}

/** The key is missing, unknown or revoked. */
export class UnauthenticatedError extends AstroError {
  readonly code = "UNAUTHENTICATED";
}

/** Classes by the number of their code, from 1; 0 is no error. */
const BY_NUMBER = [
  CancelledError,
  UnknownError,
  InvalidArgumentError,
  DeadlineExceededError,
  NotFoundError,
  AlreadyExistsError,
  PermissionDeniedError,
  ResourceExhaustedError,
  FailedPreconditionError,
  AbortedError,
  OutOfRangeError,
  UnimplementedError,
  InternalError,
  UnavailableError,
  DataLossError,
  UnauthenticatedError,
] as const;

/** A gRPC code, as text: `NOT_FOUND`. */
export type Code = InstanceType<(typeof BY_NUMBER)[number]>["code"];

/** The error for a gRPC code's number. */
export function errorOf(code: number, message: string, details?: ErrorDetails): AstroError {
  const found = BY_NUMBER[code - 1] ?? UnknownError;
  return new found(message, details);
}
