// What a program in TypeScript may take for granted. It is compiled and not run.
import type { components, paths } from "./api.js";

type Json<T> = T extends { content: { "application/json": infer Body } } ? Body : never;
type GetItem = paths["/api/v1/items/{itemId}"]["get"];
type Create = paths["/api/v1/assignments"]["post"];
type CreateBody = Json<NonNullable<Create["requestBody"]>>;

declare const got: Json<GetItem["responses"][200]>;
declare const failed: Json<GetItem["responses"][404]> | Json<GetItem["responses"]["default"]>;

// A message may be unset; what it has is all there.
export const name: string | undefined = got.item?.itemName;
// @ts-expect-error the item may be unset
export const always: string = got.item.itemName;
export const state: components["schemas"]["ItemState"] | undefined = got.item?.state;
export const why: string = failed.reason;

// A SteamID64 is text, since a number would round it.
export const good: CreateBody = { userId: "76561197960287930", itemIds: ["0198c0de"] };
// @ts-expect-error it is no number
export const rounded: CreateBody = { userId: 76561197960287930 };
// @ts-expect-error it must be there
export const nobody: CreateBody = { itemIds: ["0198c0de"] };

// The path has the id, the body does not.
type Cancel = paths["/api/v1/assignments/{assignmentId}:cancel"];
export const id: keyof Cancel["parameters"]["path"] = "assignmentId";
export const reason: Json<NonNullable<Cancel["post"]["requestBody"]>> = { reason: "drawn again" };
export const header: keyof NonNullable<Cancel["post"]["parameters"]["header"]> = "If-Match";

type Query = NonNullable<paths["/api/v1/items"]["get"]["parameters"]["query"]>;
export const query: Query = { pageSize: 100, "filter.states": ["ITEM_STATE_AVAILABLE"] };
// @ts-expect-error no state has this name
export const unknown: Query = { "filter.states": ["AVAILABLE"] };

type Watch = paths["/api/v1/events:watch"]["get"]["responses"][200]["content"];
declare const line: Watch["application/x-ndjson"];
export const event = "result" in line ? line.result.events[0]?.eventType : line.error.reason;
