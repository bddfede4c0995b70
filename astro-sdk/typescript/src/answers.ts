/** Answers that `JSON.stringify` takes: in protobuf's own JSON, with times as text. */

import {
  type DescMessage,
  type Message,
  type MessageShape,
  fromBinary,
  toJson,
} from "@bufbuild/protobuf";

type Fields = Message & Record<string, unknown>;

/** Reads a message; it and each message in it has a `toJSON`. */
export function read<O extends DescMessage>(output: O, bytes: Uint8Array): MessageShape<O> {
  const message = fromBinary(output, bytes);
  giveJson(output, message as Fields);
  return message;
}

function giveJson(type: DescMessage, message: Fields): void {
  // Fields with nothing in them are there too, as they are in the message.
  const toJSON = () => toJson(type, message, { alwaysEmitImplicit: true });
  // Not enumerable, so that it is in no copy and no comparison.
  Object.defineProperty(message, "toJSON", { value: toJSON, configurable: true, writable: true });
  for (const field of type.fields) {
    if (!field.message) continue;
    const value = field.oneof
      ? chosen(message[field.oneof.localName], field.localName)
      : message[field.localName];
    const inside = field.fieldKind === "message" ? [value] : Object.values(value as object);
    for (const one of inside) if (isMessage(one, field.message)) giveJson(field.message, one);
  }
}

function chosen(oneof: unknown, name: string): unknown {
  const found = oneof as { case?: string; value?: unknown } | undefined;
  return found?.case === name ? found.value : undefined;
}

/** Some of Google's messages are plain values in a message. */
function isMessage(value: unknown, type: DescMessage): value is Fields {
  return (value as Partial<Message> | undefined)?.$typeName === type.typeName;
}
