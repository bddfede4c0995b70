/** What a client is made of, checked. */

import { X509Certificate } from "node:crypto";
import { BlockList, isIPv4, isIPv6 } from "node:net";
import { type ChannelCredentials, credentials } from "@grpc/grpc-js";
import { VERSION } from "./gen/version.js";

/** Where a server listens unless it is told otherwise. */
export const DEFAULT_ENDPOINT = "http://127.0.0.1:50051";

/** Settings of a client. What is left out comes from the environment, or is as each line says. */
export interface ClientOptions {
  /**
   * `https://host[:port]`, or `http://host[:port]` on this machine. Default: `ASTRO_ENDPOINT`, then
   * {@link DEFAULT_ENDPOINT}.
   */
  readonly endpoint?: string | undefined;
  /** API key. Default: `ASTRO_API_KEY`. */
  readonly apiKey?: string | undefined;
  /**
   * Whether `http://` may lead to another machine; the key then crosses the network unencrypted.
   * Default: no.
   */
  readonly allowInsecure?: boolean | undefined;
  /** PEM of the authority that the server's certificate must be of. Default: the public ones. */
  readonly caCertificate?: string | Uint8Array | undefined;
  /** PEM of this client's own certificate, for servers that ask for one; with `clientKey`. */
  readonly clientCertificate?: string | Uint8Array | undefined;
  /** PEM of the private key of `clientCertificate`. */
  readonly clientKey?: string | Uint8Array | undefined;
  /** The program's own name and version, sent before the SDK's: `my-bot/1.2`. */
  readonly userAgent?: string | undefined;
  /**
   * A log that is silent for this many milliseconds counts as broken and is opened again. Default:
   * 45000, three checkpoints.
   */
  readonly watchIdleMs?: number | undefined;
}

/** What is wrong with a client's settings. */
export type ConfigProblem =
  | "key_missing"
  | "key_invalid"
  | "endpoint_invalid"
  | "endpoint_insecure"
  | "certificate_invalid"
  | "user_agent_invalid";

/** Thrown when a client cannot be made of its settings. */
export class ConfigError extends Error {
  /** What is wrong. */
  readonly problem: ConfigProblem;

  /** @internal */
  constructor(problem: ConfigProblem, message: string) {
    super(message);
    this.name = "ConfigError";
    this.problem = problem;
  }
}

/** Settings in the form that a connection needs. */
export interface Settings {
  readonly address: string;
  readonly secure: boolean;
  readonly credentials: ChannelCredentials;
  readonly authorization: string;
  readonly userAgent: string;
  readonly watchIdleMs: number;
}

const WATCH_IDLE_MS_DEFAULT = 45_000;

/** What some editors write before a text. */
const BYTE_ORDER_MARK = /^\ufeff/;

const ENDPOINT = /^(https?):\/\/(\[[0-9A-Fa-f:.]+\]|[0-9A-Za-z._-]+)(?::(\d{1,5}))?\/?$/;

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet("127.0.0.0", 8, "ipv4");
LOOPBACK.addAddress("::1", "ipv6");

/** Checks the options of a client. Throws a {@link ConfigError}. */
export function settings(options: ClientOptions, env: NodeJS.ProcessEnv): Settings {
  const endpoint = options.endpoint ?? variable(env, "ASTRO_ENDPOINT") ?? DEFAULT_ENDPOINT;
  const { secure, address } = parseEndpoint(endpoint, options.allowInsecure ?? false);
  return {
    address,
    secure,
    credentials: tls(options, secure),
    authorization: `Bearer ${checkKey(options.apiKey ?? variable(env, "ASTRO_API_KEY"))}`,
    userAgent: userAgent(options.userAgent),
    watchIdleMs: options.watchIdleMs ?? WATCH_IDLE_MS_DEFAULT,
  };
}

/** What a variable says; an empty one is not set. */
function variable(env: NodeJS.ProcessEnv, name: string): string | undefined {
  return env[name] || undefined;
}

/** The text without a byte order mark before it. */
function unmarked(text: Buffer): Buffer {
  return text.subarray(0, 3).toString() === "\ufeff" ? text.subarray(3) : text;
}

function parseEndpoint(endpoint: string, allowInsecure: boolean) {
  // Not by URL, which takes and repairs much that is no endpoint.
  const parts = ENDPOINT.exec(endpoint);
  const [, scheme, host = "", port] = parts ?? [];
  const secure = scheme === "https";
  const number = port === undefined ? (secure ? 443 : 80) : Number(port);
  const inner = host.replace(/^\[|\]$/g, "");
  const named = host === inner || isIPv6(inner);
  if (parts === null || !named || number < 1 || number > 65_535) {
    throw new ConfigError(
      "endpoint_invalid",
      `"${endpoint}" is not an endpoint: write https://host:port, or http://127.0.0.1:port`,
    );
  }
  if (!secure && !allowInsecure && !isLoopback(inner)) {
    throw new ConfigError(
      "endpoint_insecure",
      `${endpoint} would send the API key unencrypted to another machine: ` +
        "use https://, or set allowInsecure",
    );
  }
  return { secure, address: `dns:${host}:${number}` };
}

function isLoopback(host: string): boolean {
  if (isIPv4(host)) return LOOPBACK.check(host, "ipv4");
  if (isIPv6(host)) return LOOPBACK.check(host, "ipv6");
  return host === "localhost";
}

/** The key itself is in no message. */
function checkKey(given: string | undefined): string {
  if (given === undefined) {
    throw new ConfigError("key_missing", "no API key: set ASTRO_API_KEY or give apiKey");
  }
  const key = given.replace(BYTE_ORDER_MARK, "");
  if (!/^[\x21-\x7e]+$/.test(key)) {
    throw new ConfigError(
      "key_invalid",
      "the API key (ASTRO_API_KEY or apiKey) has characters that no key has; " +
        "was it copied whole, without spaces?",
    );
  }
  return key;
}

function userAgent(own: string | undefined): string {
  const sdk = `astro-sdk-typescript/${VERSION}`;
  if (own === undefined) return sdk;
  if (!/^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(own)) {
    throw new ConfigError(
      "user_agent_invalid",
      "userAgent has characters that a header cannot have",
    );
  }
  return `${own} ${sdk}`;
}

function tls(options: ClientOptions, secure: boolean): ChannelCredentials {
  const [ca, cert, key] = [options.caCertificate, options.clientCertificate, options.clientKey].map(
    (pem) => (pem === undefined ? null : unmarked(Buffer.from(pem))),
  );
  if (!cert !== !key) throw certificateInvalid("clientCertificate and clientKey belong together");
  try {
    if (ca) checkAuthorities(ca.toString("latin1"));
    // Made even if it is not used, since it checks the certificate and its key.
    const encrypted = credentials.createSsl(ca, key, cert);
    return secure ? encrypted : credentials.createInsecure();
  } catch (error) {
    throw certificateInvalid(error instanceof Error ? error.message : String(error));
  }
}

/** TLS itself passes over an authority that is no certificate, and would then trust nobody. */
function checkAuthorities(pem: string): void {
  const found = pem.match(/-----BEGIN CERTIFICATE-----[^]*?-----END CERTIFICATE-----/g);
  if (!found) throw new Error("caCertificate has no PEM certificate");
  for (const certificate of found) new X509Certificate(certificate);
}

function certificateInvalid(why: string): ConfigError {
  return new ConfigError("certificate_invalid", `the certificate cannot be used: ${why}`);
}
