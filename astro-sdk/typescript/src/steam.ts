/** Identifiers of people on Steam, in the forms that people type and copy. */

const WHITE_SPACE = /\p{White_Space}/u;
/** What every individual account in the public universe adds to its account id. */
const INDIVIDUAL_BASE = 76_561_197_960_265_728n;
const ACCOUNT_ID_MAX = 0xffff_ffffn;
const UINT64_MAX = 0xffff_ffff_ffff_ffffn;
/** Where trade URLs lead. */
const TRADE_URL = "https://steamcommunity.com/tradeoffer/new/";
const SITE = /^(?:https?:\/\/)?(?:www\.)?steamcommunity\.com\//i;

/** Why a text is not a {@link SteamId}: it has none of the forms, or is not the id of a person. */
export type SteamIdProblem = "not_an_id" | "not_a_person";

/** Thrown for a text that is not a person's id. */
export class SteamIdError extends Error {
  /** Why. */
  readonly problem: SteamIdProblem;

  /** @internal */
  constructor(problem: SteamIdProblem) {
    super(
      problem === "not_a_person"
        ? "not the Steam id of a person's account"
        : "not a Steam id: write 7656119…, STEAM_0:…, [U:1:…] or " +
            "https://steamcommunity.com/profiles/7656119… (an address with /id/ does not tell the number)",
    );
    Object.defineProperty(this, "name", { value: "SteamIdError" });
    this.problem = problem;
  }
}

/**
 * The id of one person's account.
 *
 * Only individual accounts of the public universe exist here: groups, game servers and the account
 * 0 cannot trade.
 */
export class SteamId {
  readonly #account: bigint;

  private constructor(account: bigint) {
    if (account < 1n || account > ACCOUNT_ID_MAX) throw new SteamIdError("not_a_person");
    this.#account = account;
  }

  /**
   * Parses `76561198000000000`, `STEAM_0:1:…`, `[U:1:…]`, `U:1:…`, profile addresses
   * (`https://steamcommunity.com/profiles/…`) and trade URLs, of which it takes the owner. Throws a
   * {@link SteamIdError}.
   */
  static parse(text: string): SteamId {
    const trimmed = withoutWhiteSpace(text);
    const path = pathOnSteam(trimmed);
    if (path === undefined) return SteamId.#parseId(trimmed);
    const query = tradeQuery(path);
    if (query !== undefined) return new SteamId(number(value(query, "partner"), ACCOUNT_ID_MAX));
    const id = /^profiles\/([^/?#]*)/.exec(path)?.[1];
    if (id === undefined) throw new SteamIdError("not_an_id");
    return SteamId.#parseId(id);
  }

  /** The account with this number in `[U:1:…]` and in trade URLs: 1 to 4294967295. */
  static fromAccountId(accountId: number): SteamId {
    return new SteamId(Number.isInteger(accountId) ? BigInt(accountId) : 0n);
  }

  /** SteamID64, as the messages of this package have it: `76561198046968201`. */
  get steamId64(): string {
    return String(INDIVIDUAL_BASE + this.#account);
  }

  /** Account id: 1 and up. */
  get accountId(): number {
    return Number(this.#account);
  }

  /** Steam2, as newer games write it: `STEAM_1:1:43351236`. */
  get steam2(): string {
    return `STEAM_1:${this.#account & 1n}:${this.#account >> 1n}`;
  }

  /** Steam3: `[U:1:86702473]`. */
  get steam3(): string {
    return `[U:1:${this.#account}]`;
  }

  /** Address of the profile. */
  get profileUrl(): string {
    return `https://steamcommunity.com/profiles/${this.steamId64}`;
  }

  /** Whether both are the same person's. */
  equals(other: SteamId): boolean {
    return this.#account === other.#account;
  }

  /** SteamID64. */
  toString(): string {
    return this.steamId64;
  }

  /** SteamID64. */
  toJSON(): string {
    return this.steamId64;
  }

  /** What `console.log` shows. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return `SteamId(${this.steamId64})`;
  }

  static #parseId(text: string): SteamId {
    // The universe, which old games write as 0; the lowest bit; the rest.
    const steam2 = /^STEAM_[01]:([01]):([^:]*)$/.exec(text);
    if (steam2) {
      return new SteamId(number(steam2[2], ACCOUNT_ID_MAX) * 2n + number(steam2[1], 1n));
    }
    const steam3 = /^(?:\[U:1:([^\]]*)\]|U:1:(.*))$/.exec(text);
    if (steam3) return new SteamId(number(steam3[1] ?? steam3[2], ACCOUNT_ID_MAX));
    return new SteamId(number(text, UINT64_MAX) - INDIVIDUAL_BASE);
  }
}

/** Digits only, up to `max`: `BigInt` alone would take signs, spaces and other bases. */
function number(text: string | undefined, max: bigint): bigint {
  const found = text !== undefined && /^[0-9]+$/.test(text) ? BigInt(text) : max + 1n;
  if (found > max) throw new SteamIdError("not_an_id");
  return found;
}

/** What follows `steamcommunity.com/`, with or without a scheme before it. */
function pathOnSteam(text: string): string | undefined {
  const site = SITE.exec(text)?.[0];
  return site === undefined ? undefined : text.slice(site.length);
}

/** The query of a trade URL; none of any other address. */
function tradeQuery(path: string): string | undefined {
  return /^tradeoffer\/new\/?\?([^#]*)/.exec(path)?.[1];
}

/** Why a text is not a {@link TradeUrl}: it leads elsewhere, or the named part is wrong. */
export type TradeUrlProblem = "not_a_trade_url" | "partner_invalid" | "token_invalid";

const TRADE_URL_PROBLEMS: Record<TradeUrlProblem, string> = {
  not_a_trade_url: `not a trade URL: it looks like ${TRADE_URL}?partner=…&token=…`,
  partner_invalid: "the trade URL has no valid partner; copy it whole",
  token_invalid: "the trade URL has no valid token; copy it whole",
};

/** Thrown for a text that is not a trade URL. */
export class TradeUrlError extends Error {
  /** Why. */
  readonly problem: TradeUrlProblem;

  /** @internal */
  constructor(problem: TradeUrlProblem) {
    super(TRADE_URL_PROBLEMS[problem]);
    Object.defineProperty(this, "name", { value: "TradeUrlError" });
    this.problem = problem;
  }
}

/** A trade URL: lets anybody who has it send offers to its owner. */
export class TradeUrl {
  /** Its owner. */
  readonly partner: SteamId;
  readonly #token: string;

  private constructor(partner: SteamId, token: string) {
    this.partner = partner;
    this.#token = token;
  }

  /**
   * Parses `https://steamcommunity.com/tradeoffer/new/?partner=…&token=…`, also without its scheme.
   * Throws a {@link TradeUrlError}.
   */
  static parse(text: string): TradeUrl {
    const query = tradeQuery(pathOnSteam(withoutWhiteSpace(text)) ?? "");
    if (query === undefined) throw new TradeUrlError("not_a_trade_url");
    const token = value(query, "token");
    const partner = parsePartner(value(query, "partner"));
    if (!/^[A-Za-z0-9_-]{8}$/.test(token)) throw new TradeUrlError("token_invalid");
    return new TradeUrl(partner, token);
  }

  /** The secret part: eight letters, digits, `-` or `_`. */
  get token(): string {
    return this.#token;
  }

  /** The whole address, secret included. */
  toString(): string {
    return `${TRADE_URL}?partner=${this.partner.accountId}&token=${this.#token}`;
  }

  /** What `console.log` shows, without the secret. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return `TradeUrl(partner ${this.partner}, token <redacted>)`;
  }
}

/** The first value with this name, as it is written. */
function value(query: string, name: string): string {
  const pair = query.split("&").find((pair) => pair.startsWith(`${name}=`));
  return pair?.slice(name.length + 1) ?? "";
}

function parsePartner(text: string): SteamId {
  try {
    return SteamId.fromAccountId(/^[0-9]+$/.test(text) ? Number(text) : 0);
  } catch {
    throw new TradeUrlError("partner_invalid");
  }
}

/** The text without Unicode's white space around it. `trim` takes byte order marks too. */
function withoutWhiteSpace(text: string): string {
  const isWhite = (letter: string | undefined) => letter !== undefined && WHITE_SPACE.test(letter);
  let [begin, end] = [0, text.length];
  while (isWhite(text[begin])) begin++;
  while (end > begin && isWhite(text[end - 1])) end--;
  return text.slice(begin, end);
}
