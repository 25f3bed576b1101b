import { totalmem } from 'node:os';
import { z } from 'zod';
import { suggest } from './suggest.ts';
import { formatDuration, formatSize, type Parsed, parseDuration, parseSize } from './units.ts';

export type Kind =
  | 'text'
  | 'path'
  | 'choice'
  | 'boolean'
  | 'count'
  | 'duration'
  | 'size'
  | 'address'
  | 'list'
  | 'secret';

/** The documentation of a setting. */
export interface SettingInfo {
  readonly kind: Kind;
  /** type in the documents */
  readonly type: string;
  /** default in the notation of a file */
  readonly default: string;
  /** description, with its effect */
  readonly doc: string;
}

/** The documentation of each leaf schema. */
export const settingInfo: WeakMap<z.core.$ZodType, SettingInfo> = new WeakMap();

/** The description of each section. */
export const sectionDoc: WeakMap<z.core.$ZodType, string> = new WeakMap();

/** Marks durations, whose names end in `Ms` in the compiled settings. */
export type Milliseconds = number & z.$brand<'ms'>;

/** An address to listen on. Port 0 selects a free port. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** The reason why a value is refused. */
class Refusal {
  readonly message: string;
  readonly hint: string | undefined;

  constructor(message: string, hint?: string) {
    this.message = message;
    this.hint = hint;
  }
}

interface Range {
  readonly min?: number;
  readonly max?: number;
}

function formatValue(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value));
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

function refuse(expected: string, value: unknown, hint?: string): Refusal {
  const got = value === null ? 'no value; omit the key to use the default' : formatValue(value);
  return new Refusal(`expected ${expected}; got ${got}`, hint);
}

function setting<T>(info: SettingInfo, fallback: unknown, read: (value: unknown) => T | Refusal): z.ZodType<T> {
  const schema = z
    .unknown()
    .transform((value, context): T => {
      const result = read(value);
      if (!(result instanceof Refusal)) return result;
      context.addIssue({ code: 'custom', message: result.message, params: { hint: result.hint } });
      return z.NEVER;
    })
    .prefault(fallback);
  settingInfo.set(schema, info);
  return schema;
}

/** Returns the schema of a group of settings. Unknown keys are errors. */
export function section<S extends z.core.$ZodLooseShape>(
  doc: string,
  shape: S,
): z.ZodPrefault<z.ZodObject<S, z.core.$strict>> {
  // An absent section is like an empty section: each setting uses its default.
  const schema = z.strictObject(shape).prefault({} as never);
  sectionDoc.set(schema, doc);
  return schema;
}

function inRange(parsed: Parsed, written: unknown, range: Range, format: (value: number) => string): number | Refusal {
  if ('expected' in parsed) return refuse(parsed.expected, written, parsed.hint);
  if (range.min !== undefined && parsed.value < range.min) return refuse(`at least ${format(range.min)}`, written);
  if (range.max !== undefined && parsed.value > range.max) return refuse(`at most ${format(range.max)}`, written);
  return parsed.value;
}

/** Returns the text of a value. A bare number is converted too, so that parsing can refuse it for its missing unit. */
function asText(value: unknown): string {
  return typeof value === 'string' ? value.trim() : String(value);
}

interface Measured extends Range {
  /** accept the word for "no limit". @default false */
  readonly endless?: boolean;
}

export function duration(
  fallback: string,
  doc: string,
  { endless = false, ...range }: Measured = {},
): z.ZodType<Milliseconds> {
  const type = endless ? 'duration, or `forever`' : 'duration';
  return setting({ kind: 'duration', type, default: fallback, doc }, fallback, (value) => {
    return inRange(parseDuration(asText(value), endless), value, range, formatDuration) as Milliseconds | Refusal;
  });
}

export function size(fallback: string, doc: string, { endless = false, ...range }: Measured = {}): z.ZodType<number> {
  const type = endless ? 'size, or `unlimited`' : 'size';
  return setting({ kind: 'size', type, default: fallback, doc }, fallback, (value) => {
    return inRange(parseSize(asText(value), endless), value, range, formatSize);
  });
}

const MIB = 1024 ** 2;
/** Smallest and largest ring that `auto` stands for, in the security lane */
const AUTO_RING = { min: 4 * MIB, max: 32 * MIB };

/**
 * The size of a BPF ring buffer. The kernel accepts powers of two of at least a page. `auto` is `lanes` times a 512th
 * of the host's memory, rounded to such a size: 8 MiB for the security lane of a host with 4 GiB.
 */
export function ringSize(lanes: 1 | 2, doc: string): z.ZodType<number> {
  const info: SettingInfo = { kind: 'size', type: 'size, a power of two, or `auto`', default: 'auto', doc };
  return setting(info, 'auto', (value) => {
    if (value === 'auto') return lanes * autoRingBytes(totalmem());
    const bytes = inRange(parseSize(asText(value)), value, { min: 65_536, max: 1024 ** 3 }, formatSize);
    if (bytes instanceof Refusal || (bytes & (bytes - 1)) === 0) return bytes;
    return refuse('a power of two, such as 8MiB or 16MiB: the kernel accepts no other size', value);
  });
}

/** @param memory of the host, bytes */
export function autoRingBytes(memory: number): number {
  return Math.min(AUTO_RING.max, Math.max(AUTO_RING.min, 2 ** Math.round(Math.log2(memory / 512))));
}

export function count(fallback: number, doc: string, range: Range = {}): z.ZodType<number> {
  return setting({ kind: 'count', type: 'whole number', default: String(fallback), doc }, fallback, (value) => {
    if (typeof value !== 'number' || !Number.isSafeInteger(value)) return refuse('a whole number', value);
    return inRange({ value }, value, { min: 0, ...range }, String);
  });
}

export function flag(fallback: boolean, doc: string): z.ZodType<boolean> {
  return setting({ kind: 'boolean', type: '`true` or `false`', default: String(fallback), doc }, fallback, (value) => {
    return typeof value === 'boolean' ? value : refuse('true or false', value);
  });
}

export function choice<const T extends string>(choices: readonly T[], fallback: T, doc: string): z.ZodType<T> {
  const type = choices.map((name) => `\`${name}\``).join(', ');
  return setting({ kind: 'choice', type, default: fallback, doc }, fallback, (value) => pick(choices, value));
}

function pick<T extends string>(choices: readonly T[], value: unknown): T | Refusal {
  const found = choices.find((name) => name === value);
  if (found !== undefined) return found;
  const near = typeof value === 'string' ? suggest(value, choices) : undefined;
  return refuse(`one of ${choices.join(', ')}`, value, near === undefined ? undefined : `did you mean ${near}?`);
}

/** One or more of `names`, without duplicates, in the order of `names`. */
export function choices<const T extends string>(
  names: readonly T[],
  doc: string,
  fallback: readonly T[] = names,
): z.ZodType<readonly T[]> {
  const info: SettingInfo = {
    kind: 'list',
    type: `list of ${names.map((name) => `\`${name}\``).join(', ')}`,
    default: `[${fallback.join(', ')}]`,
    doc,
  };
  return setting<readonly T[]>(info, [...fallback], (value) => {
    if (!Array.isArray(value) || value.length === 0)
      return refuse(`a list of one or more of ${names.join(', ')}`, value);
    const picked = value.map((item) => pick(names, item));
    return picked.find((item) => item instanceof Refusal) ?? names.filter((name) => picked.includes(name));
  });
}

const PATH_MAX = 4096;

function readPath(value: unknown): string | Refusal {
  if (typeof value !== 'string' || !value.startsWith('/')) return refuse('an absolute path', value);
  if (value.includes('\0') || value.length >= PATH_MAX)
    return refuse(`a path without NUL, under ${PATH_MAX} bytes`, value);
  return value;
}

/** An absolute path. `shownAs` replaces `fallback` in the documents if the default depends on the machine. */
export function path(fallback: string, doc: string, shownAs: string = fallback): z.ZodType<string> {
  return setting({ kind: 'path', type: 'absolute path', default: shownAs, doc }, fallback, readPath);
}

/** A path whose default is `name` in the state directory. */
export function statePath(name: string, doc: string): z.ZodType<string | undefined> {
  const info: SettingInfo = { kind: 'path', type: 'absolute path', default: `STATE_DIR/${name}`, doc };
  return setting<string | undefined>(info, undefined, (value) => (value === undefined ? value : readPath(value)));
}

/** A list of absolute paths, which may also contain any of `words`. */
export function paths(
  fallback: readonly string[],
  doc: string,
  words: readonly string[] = [],
): z.ZodType<readonly string[]> {
  const or = words.map((word) => ` or \`${word}\``).join('');
  const info: SettingInfo = {
    kind: 'list',
    type: `list of absolute paths${or}`,
    default: `[${fallback.join(', ')}]`,
    doc,
  };
  return setting<readonly string[]>(info, [...fallback], (value) => {
    if (!Array.isArray(value)) return refuse(`a list of absolute paths${or}`, value);
    const read = value.map((item) => (words.includes(item) ? String(item) : readPath(item)));
    return read.find((item) => item instanceof Refusal) ?? read.filter((item) => typeof item === 'string');
  });
}

export function address(fallback: string, doc: string): z.ZodType<Address> {
  return setting<Address>({ kind: 'address', type: 'host:port', default: fallback, doc }, fallback, readAddress);
}

function readAddress(value: unknown): Address | Refusal {
  const match = typeof value === 'string' ? /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9.-]+)):(\d{1,5})$/.exec(value) : null;
  const port = Number(match?.[3]);
  if (match === null || port > 65535) return refuse('host:port, such as 127.0.0.1:9464 or [::1]:9464', value);
  return { host: match[1] ?? match[2] ?? '', port };
}

/** One line of text that matches `pattern` or equals the default. `expected` describes the pattern. */
export function text(
  fallback: string,
  doc: string,
  { pattern, expected }: { readonly pattern: RegExp; readonly expected: string },
): z.ZodType<string> {
  const shownAs = fallback === '' ? '""' : fallback;
  return setting({ kind: 'text', type: expected, default: shownAs, doc }, fallback, (value) => {
    return typeof value === 'string' && (value === fallback || pattern.test(value)) ? value : refuse(expected, value);
  });
}

/** A share, written as a percentage or a number. The value is 0 to 1. */
export function share(fallback: number, doc: string): z.ZodType<number> {
  const info: SettingInfo = { kind: 'text', type: 'percentage, or 0 to 1', default: `${fallback * 100}%`, doc };
  return setting(info, fallback, (value) => {
    const [, percent, number] = /^(?:([\d.]{1,10})%|([\d.]{1,10}))$/.exec(String(value)) ?? [];
    const parsed = percent === undefined ? Number(number) : Number(percent) / 100;
    return parsed >= 0 && parsed <= 1 ? parsed : refuse('a percentage, such as 1% or 0.5%', value);
  });
}

/** HTTP URLs of the nodes of a cluster. */
export function urls(fallback: readonly string[], doc: string): z.ZodType<readonly string[]> {
  const type = 'list of http:// or https:// URLs';
  const info: SettingInfo = { kind: 'list', type, default: `[${fallback.join(', ')}]`, doc };
  return setting<readonly string[]>(info, [...fallback], (value) => {
    if (!Array.isArray(value) || value.length === 0) return refuse('a list of one or more URLs', value);
    const bad = value.find((item) => typeof item !== 'string' || !/^https?:\/\/[^\s\p{Cc}@]{1,500}$/u.test(item));
    return bad === undefined
      ? value.map(String)
      : refuse('a URL such as https://es-1:9200, without user or password', bad);
  });
}

/** An absolute path, or empty text if it is not set. */
export function optionalPath(doc: string): z.ZodType<string> {
  return setting({ kind: 'path', type: 'absolute path', default: '""', doc }, '', (value) => {
    return value === '' ? '' : readPath(value);
  });
}

/** A list of servers as `host:port`. It may be empty only if the default is empty. */
export function servers(fallback: readonly string[], doc: string): z.ZodType<readonly string[]> {
  const type = 'list of host:port';
  const info: SettingInfo = { kind: 'list', type, default: `[${fallback.join(', ')}]`, doc };
  return setting<readonly string[]>(info, [...fallback], (value) => {
    const empty = fallback.length === 0 && Array.isArray(value) && value.length === 0;
    if (empty) return [];
    if (!Array.isArray(value) || value.length === 0) return refuse('a list of one or more host:port', value);
    const bad = value.find((item) => typeof item !== 'string' || !SERVER.test(item));
    return bad === undefined ? value.map(String) : refuse('host:port, such as kafka-1:9092 or [::1]:9092', bad);
  });
}

const SERVER =
  /^(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):(?:[1-9]\d{0,3}|[1-5]\d{4}|6[0-4]\d{3}|65[0-4]\d{2}|655[0-2]\d|6553[0-5])$/;

/** A list of DNS names and IP addresses. */
export function names(fallback: readonly string[], doc: string): z.ZodType<readonly string[]> {
  const type = 'list of names and addresses';
  const info: SettingInfo = { kind: 'list', type, default: `[${fallback.join(', ')}]`, doc };
  return setting<readonly string[]>(info, [...fallback], (value) => {
    if (!Array.isArray(value) || value.length === 0) return refuse(`a ${type}`, value);
    const bad = value.find((item) => typeof item !== 'string' || !/^[A-Za-z0-9.:-]{1,253}$/.test(item));
    return bad === undefined ? value.map(String) : refuse('a DNS name or an address', bad);
  });
}

/** A list of names, or `words`; a `*` at the end of a name matches any suffix. */
export function patterns(
  fallback: readonly string[],
  doc: string,
  words: readonly string[] = [],
): z.ZodType<readonly string[]> {
  const or = words.map((word) => ` or ${word}`).join('');
  const type = 'list of names';
  const info: SettingInfo = { kind: 'list', type, default: `[${fallback.join(', ')}]`, doc };
  return setting<readonly string[]>(info, [...fallback], (value) => {
    if (!Array.isArray(value)) return refuse(`a ${type}`, value);
    const isName = (item: unknown): boolean => typeof item === 'string' && /^[\w.-]{1,64}\*?$/.test(item);
    const bad = value.find((item) => !words.includes(item) && !isName(item));
    return bad === undefined
      ? value.map(String)
      : refuse(`a name, such as sd_devices or sd_*${or === '' ? '' : `,${or}`}`, bad);
  });
}

/** Text that is never shown. Empty means not set. */
export function secret(doc: string): z.ZodType<string> {
  return setting({ kind: 'secret', type: 'secret text', default: '""', doc }, '', (value) => {
    if (typeof value === 'string' && !/\p{Cc}/u.test(value)) return value;
    return new Refusal('expected one line of text; the value is not shown, because it is a secret');
  });
}

/** Converts the text of an environment variable or flag to the type that a YAML file would have for this kind. */
export function fromText(kind: Kind, text: string): unknown {
  if (kind === 'boolean') return text === 'true' ? true : text === 'false' ? false : text;
  if (kind === 'count') return /^\d{1,16}$/.test(text) ? Number(text) : text;
  if (kind === 'list') return text === '' ? [] : text.split(',').map((item) => item.trim());
  return text;
}
