/** Requests of what programs give: plain objects, messages, dates, SteamIds. */

import {
  type DescField,
  type DescMessage,
  type Message,
  type MessageInitShape,
  type MessageShape,
  ScalarType,
  create,
} from "@bufbuild/protobuf";
import {
  type FieldMaskSchema,
  type TimestampSchema,
  timestampFromDate,
} from "@bufbuild/protobuf/wkt";
import { SteamId } from "./steam.js";

/** 64 bits in a request. A `number` would round them, to another account's for instance. */
export type Wide = string | bigint;
/** A person in a request: a {@link SteamId}, or the SteamID64 as text or `bigint`. */
export type Person = SteamId | Wide;
/** A time in a request. */
export type Time = Date | MessageInitShape<typeof TimestampSchema>;
/** Names of fields in a request. */
export type Paths = readonly string[] | MessageInitShape<typeof FieldMaskSchema>;

type Fields = Record<string, unknown>;

/** Google's messages that a message has as plain values. */
const PLAIN = /^google\.protobuf\.(?:Struct|\w+Value)$/;

/**
 * The request with these fields, as a message of its own. Throws a `TypeError` that names the field
 * when one has 64 bits and a number is given.
 */
export function made<I extends DescMessage>(input: I, given: object): MessageShape<I> {
  return message(input, given, "") as MessageShape<I>;
}

function message(type: DescMessage, given: unknown, path: string): Message {
  if (typeof given !== "object" || given === null) {
    throw new TypeError(`${path || "a request"} must be an object with the fields of ${type.name}`);
  }
  const made = create(type) as Message & Fields;
  const from = given as Partial<Message> & Fields;
  for (const field of type.fields) {
    const found = choice(field, from, path) ?? from[field.localName];
    if (found === undefined || found === null) continue;
    const value = whole(field, found, path === "" ? field.localName : `${path}.${field.localName}`);
    if (field.oneof) made[field.oneof.localName] = { case: field.localName, value };
    else made[field.localName] = value;
  }
  // What a newer server sent is sent back.
  if (from.$unknown) made.$unknown = [...from.$unknown];
  return made;
}

/** The value of a field of a oneof: as it is in a message; otherwise its choices are plain fields. */
function choice({ oneof, localName }: DescField, from: Fields, path: string): unknown {
  if (!oneof) return undefined;
  const given = oneof.fields.filter((field) => from[field.localName] !== undefined);
  if (given.length > 1) {
    const names = given.map((field) => field.localName).join(" and ");
    throw new TypeError(`${path && `${path}: `}${names} exclude each other`);
  }
  const chosen = from[oneof.localName] as { case?: string; value?: unknown } | undefined;
  return chosen?.case === localName ? chosen.value : undefined;
}

/** The value of a field: one, a list or a map. */
function whole(field: DescField, value: unknown, path: string): unknown {
  if (field.fieldKind === "list") {
    if (!Array.isArray(value)) throw new TypeError(`${path} must be an array`);
    return value.map((entry, place) => single(field, entry, `${path}[${place}]`));
  }
  if (field.fieldKind === "map") {
    const entries = Object.entries(value as object);
    return Object.fromEntries(
      entries.map(([key, entry]) => [key, single(field, entry, `${path}.${key}`)]),
    );
  }
  return single(field, value, path);
}

function single(field: DescField, value: unknown, path: string): unknown {
  if (field.message) {
    const name = field.message.typeName;
    if (PLAIN.test(name)) return value;
    if (name === "google.protobuf.Timestamp" && value instanceof Date) {
      return timestampFromDate(value);
    }
    const isPaths = name === "google.protobuf.FieldMask" && Array.isArray(value);
    return message(field.message, isPaths ? { paths: value } : value, path);
  }
  return isWide(field.scalar) ? wide(value, isText(field), path) : value;
}

function isWide(scalar: ScalarType | undefined): boolean {
  switch (scalar) {
    case ScalarType.INT64:
    case ScalarType.UINT64:
    case ScalarType.SINT64:
    case ScalarType.FIXED64:
    case ScalarType.SFIXED64:
      return true;
    default:
      return false;
  }
}

/** Whether a message has the field's 64 bits as text, and not as `bigint`. */
function isText(field: DescField): boolean {
  return "longAsString" in field && field.longAsString;
}

function wide(value: unknown, asText: boolean, path: string): Wide {
  if (typeof value === "number") {
    throw new TypeError(
      `${path}: a number does not hold 64 bits and may have become another one already: ` +
        "give a string, a bigint or a SteamId",
    );
  }
  const text = String(value);
  if (!/^-?[0-9]+$/.test(text)) {
    throw new TypeError(`${path} must be decimal digits; SteamId.parse reads other forms of an id`);
  }
  return asText ? text : BigInt(text);
}
