/** Reads the details of a gRPC status: google.rpc.Status and what Astro puts into it. */

import { BinaryReader, type WireType } from "@bufbuild/protobuf/wire";
import type { ErrorDetails, FieldViolation } from "./errors.js";

/** Who says so, in Astro's own errors. */
const DOMAIN = "astro.dev";

/** Reads a `grpc-status-details-bin` header; details that cannot be read are none. */
export function readDetails(status: Uint8Array): ErrorDetails | undefined {
  try {
    return readStatus(status);
  } catch {
    // The code and the message are there all the same.
    return undefined;
  }
}

/** google.rpc.Status: `details` (3) are google.protobuf.Any: `type_url` (1), `value` (2). */
function readStatus(status: Uint8Array): ErrorDetails {
  let reason = "";
  let metadata: Record<string, string> = {};
  let fieldViolations: FieldViolation[] = [];
  let retryDelayMs: number | undefined;
  for (const any of list(status, 3)) {
    const value = bytes(any, 2);
    switch (text(any, 1).replace(/^.*\//, "")) {
      case "google.rpc.ErrorInfo":
        // Another service's reasons mean something else.
        if (text(value, 2) !== DOMAIN) break;
        reason = text(value, 1);
        metadata = Object.fromEntries(list(value, 3).map((pair) => [text(pair, 1), text(pair, 2)]));
        break;
      case "google.rpc.BadRequest":
        fieldViolations = list(value, 1).map((one) => ({
          field: text(one, 1),
          description: text(one, 2),
        }));
        break;
      case "google.rpc.RetryInfo":
        retryDelayMs = milliseconds(bytes(value, 1));
        break;
    }
  }
  return { reason, metadata, fieldViolations, retryDelayMs };
}

/** google.protobuf.Duration: `seconds` (1), `nanos` (2); rounded up, so that no pause is short. */
function milliseconds(duration: Uint8Array): number {
  let [seconds, nanos] = [0, 0];
  for (const [number, reader, wireType] of fields(duration)) {
    if (number === 1) seconds = Number(reader.int64());
    else if (number === 2) nanos = reader.int32();
    else reader.skip(wireType, number);
  }
  return Math.max(0, seconds * 1000 + Math.ceil(nanos / 1e6));
}

function text(message: Uint8Array, field: number): string {
  return new TextDecoder().decode(bytes(message, field));
}

function bytes(message: Uint8Array, field: number): Uint8Array {
  return list(message, field).at(-1) ?? new Uint8Array();
}

/** Every value of a field with a length: text, bytes, messages. */
function list(message: Uint8Array, field: number): Uint8Array[] {
  const found: Uint8Array[] = [];
  for (const [number, reader, wireType] of fields(message)) {
    if (number === field) found.push(reader.bytes());
    else reader.skip(wireType, number);
  }
  return found;
}

/** Each field's number, with the reader before its value. */
function* fields(message: Uint8Array): Generator<[number, BinaryReader, WireType], void> {
  const reader = new BinaryReader(message);
  while (reader.pos < reader.len) {
    const [number, wireType] = reader.tag();
    yield [number, reader, wireType];
  }
}
