/** The contract as the driver needs it: methods by their name, messages from and to JSON. */

import * as sdk from "@astro-platform/sdk";
import {
  type DescField,
  type DescFile,
  type DescMessage,
  type DescMethod,
  type JsonObject,
  type JsonValue,
  type Message,
  create,
  createRegistry,
  mergeFromJson,
  toJson,
} from "@bufbuild/protobuf";

/** What a request is made of. */
export interface Asked {
  readonly method: string;
  readonly request?: JsonObject;
  readonly people?: Readonly<Record<string, string | readonly string[]>>;
  readonly embed?: readonly { readonly from: string; readonly path: string; readonly to: string }[];
}

type Fields = Message & Record<string, unknown>;

const registry = createRegistry(...Object.values<unknown>(sdk).filter(isFile));
const keptByName = new Map<string, Message>();

/** Keeps a message for later steps. */
export function keep(name: string, message: Message): void {
  keptByName.set(name, message);
}

/** A message that was kept. */
export function kept(name: string): Message | undefined {
  return keptByName.get(name);
}

/** The value at a dotted path of a kept message, as the SDK has it. */
export function peek(from: string, path: string): unknown {
  let value: unknown = kept(from);
  for (const step of path.split(".")) {
    value = Array.isArray(value)
      ? value[Number(step)]
      : (value as Fields)[local(value as Fields, step)];
  }
  return value;
}

/** The request of a step. */
export function request(asked: Asked): Message {
  const { input } = rpc(asked.method);
  const message = create(input) as Fields;
  for (const { from, path, to } of asked.embed ?? [])
    message[local(message, to)] = peek(from, path);
  mergeFromJson(input, message, asked.request ?? {});
  for (const [name, texts] of Object.entries(asked.people ?? {})) {
    message[local(message, name)] =
      typeof texts === "string" ? sdk.SteamId.parse(texts) : texts.map((text) => sdk.SteamId.parse(text));
  }
  return message;
}

/** The fields of a request with a rounded number at the path, as a program in JavaScript has them. */
export function rounded(method: string, path: string): object {
  let type: DescMessage | undefined = rpc(method).input;
  const request: Record<string, unknown> = {};
  let inside = request;
  for (const step of path.split(".")) {
    const field: DescField | undefined = type?.fields.find((field) => field.name === step);
    if (!field) throw new Error(`no ${path}`);
    type = field.message;
    const next = {};
    const number = field.fieldKind === "list" ? [76561198046968201] : 76561198046968201;
    inside[field.localName] = type ? next : number;
    inside = next;
  }
  return request;
}

/** A message of the contract in JSON, with the contract's names. */
export function json(message: Message): JsonValue {
  const found = registry.getMessage(message.$typeName);
  if (!found) throw new Error(`the SDK does not know ${message.$typeName}`);
  return toJson(found, message, { useProtoFieldName: true, registry });
}

/**
 * What a client calls an RPC, by the rule S1: `astro.v1.ItemService/ListItemHistory` is
 * `items.listHistory`.
 */
export function names(method: string): { accessor: string; name: string } {
  const { parent, name } = rpc(method);
  const noun = parent.name.replace(/Service$/, "");
  const plural = noun.endsWith("s") ? noun : `${noun}s`;
  const [, verb = "", rest = ""] = /^([A-Z][a-z0-9]*)(.*)$/.exec(name) ?? [];
  const own = [plural, noun].find(
    (own) => rest.startsWith(own) && !/^[a-z]/.test(rest.slice(own.length)),
  );
  return { accessor: lower(plural), name: lower(verb + rest.slice(own?.length ?? 0)) };
}

function rpc(method: string): DescMethod {
  const [service = "", name = ""] = method.split("/");
  const found = registry.getService(service)?.methods.find((method) => method.name === name);
  if (!found) throw new Error(`the contract has no ${method}`);
  return found;
}

function local(message: Message, name: string): string {
  const fields = registry.getMessage(message.$typeName)?.fields;
  const found = fields?.find((field) => field.name === name);
  if (!found) throw new Error(`${message.$typeName} has no ${name}`);
  return found.localName;
}

function lower(name: string): string {
  return name.slice(0, 1).toLowerCase() + name.slice(1);
}

function isFile(value: unknown): value is DescFile {
  return typeof value === "object" && value !== null && "kind" in value && value.kind === "file";
}
