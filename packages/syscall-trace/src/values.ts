import { isUtf8 } from 'node:buffer';
import { constants } from 'node:os';
import { getSystemErrorMessage } from 'node:util';
import { records } from '@ringfence/wire';
import { FAMILIES, nameOfValue } from './flags.ts';
import { STATE, type Text } from './record.ts';
import { type Argument, READ, type SystemCall } from './system-calls.ts';

/** Value of an argument for printing. */
export type Value =
  /** Bytes of the process; `list` for an array of strings such as argv. */
  | { readonly kind: 'texts'; readonly texts: readonly Buffer[]; readonly list: boolean; readonly cut: boolean }
  /** A name, an address or a mode. */
  | { readonly kind: 'word'; readonly word: string }
  | { readonly kind: 'number'; readonly number: bigint };

const { AF_UNIX, AF_INET, AF_INET6 } = records.AddressFamily;
const AT_FDCWD = -100n;
/** Names of descriptors, which the kernel declares with various integer types. */
const DESCRIPTOR = /^(fd|.*[^u]fd|fd_in|fd_out)$/;
const word = (text: string): Value => ({ kind: 'word', word: text });

/** @param bytesMax bytes that are shown of a buffer */
export function argumentValue(call: SystemCall, index: number, raw: bigint, text: Text, bytesMax: number): Value {
  const argument = call.arguments[index] as Argument;
  if (text.state === STATE.whole || text.state === STATE.cut) return textValue(argument, text, bytesMax);
  return numberValue(call, argument, raw);
}

function textValue(argument: Argument, { bytes, state }: Text, bytesMax: number): Value {
  const cut = state === STATE.cut;
  if (argument.type === 'struct sockaddr *') return word(socketAddress(bytes));
  if (argument.read === READ.strings) return { kind: 'texts', texts: splitAtNul(bytes), list: true, cut };
  const shown = argument.read === READ.string ? bytes : bytes.subarray(0, bytesMax);
  const isCut = cut || shown.length < bytes.length;
  return { kind: 'texts', texts: [isCut ? withoutPartialCharacter(shown) : shown], list: false, cut: isCut };
}

function splitAtNul(bytes: Buffer): Buffer[] {
  const texts: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = bytes.indexOf(0, at);
    texts.push(bytes.subarray(at, end < 0 ? bytes.length : end));
    at = end < 0 ? bytes.length : end + 1;
  }
  return texts;
}

const SIGNED_32: ReadonlySet<string> = new Set(['int', 'pid_t', 'const int', 's32', '__s32']);
const SIGNED_64: ReadonlySet<string> = new Set(['long', 'off_t', 'loff_t']);
const UNSIGNED_32: ReadonlySet<string> = new Set(
  'unsigned int,unsigned,u32,__u32,uid_t,gid_t,const __u32,umode_t'.split(','),
);

function numberValue(call: SystemCall, { name, type }: Argument, raw: bigint): Value {
  if (DESCRIPTOR.test(name)) return descriptorValue(name, BigInt.asIntN(32, raw));
  const is32Bit = UNSIGNED_32.has(type) || SIGNED_32.has(type);
  const unsigned = is32Bit ? raw & 0xffff_ffffn : raw;
  if (type.endsWith('*')) return word(raw === 0n ? 'NULL' : `0x${raw.toString(16)}`);
  const valueName = nameOfValue(call.name, name, unsigned);
  if (valueName !== null) return word(valueName);
  if (type === 'umode_t') return word(unsigned === 0n ? '0' : `0${(unsigned & 0xffffn).toString(8)}`);
  if (SIGNED_32.has(type)) return { kind: 'number', number: BigInt.asIntN(32, raw) };
  if (SIGNED_64.has(type)) return { kind: 'number', number: BigInt.asIntN(64, raw) };
  // A large value of another 64-bit type is probably an address or flags.
  const isPlain = is32Bit || unsigned < 0x1_0000n || type === 'size_t';
  return isPlain ? { kind: 'number', number: unsigned } : word(`0x${unsigned.toString(16)}`);
}

function descriptorValue(name: string, number: bigint): Value {
  return number === AT_FDCWD && name.includes('dfd') ? word('AT_FDCWD') : { kind: 'number', number };
}

/** Characters that a terminal may interpret or display in another order, and those that end or escape a quoted text. */
const UNSAFE = /["\\\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu;
const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\t': '\\t', '\r': '\\r', '"': '\\"', '\\': '\\\\' };

/** Escapes bytes for printing between quotation marks: UTF-8 as text, any other bytes above 0x7f as \xNN. */
export function escaped(bytes: Buffer): string {
  if (isUtf8(bytes)) return escapeUnsafe(bytes.toString());
  return Array.from(bytes, (byte) =>
    byte < 0x80 ? escapeUnsafe(String.fromCharCode(byte)) : `\\x${byte.toString(16)}`,
  ).join('');
}

const escapeUnsafe = (text: string): string => text.replace(UNSAFE, (char) => SHORT[char] ?? escapeCode(char));

function escapeCode(char: string): string {
  const number = char.charCodeAt(0);
  return number < 0x100 ? `\\x${number.toString(16).padStart(2, '0')}` : `\\u${number.toString(16)}`;
}

/** Removes the first bytes of a UTF-8 character at the end of a text that was cut. */
function withoutPartialCharacter(bytes: Buffer): Buffer {
  for (let dropped = 0; dropped < 4; dropped++) {
    const shorter = bytes.subarray(0, bytes.length - dropped);
    if (isUtf8(shorter)) return shorter;
  }
  return bytes;
}

/** `{AF_INET 127.0.0.1:80}` */
function socketAddress(bytes: Buffer): string {
  if (bytes.length < 2) return '{}';
  const family = bytes.readUInt16LE(0);
  const name = FAMILIES[family] ?? `AF_${family}`;
  if (family === AF_INET && bytes.length >= 8)
    return `{${name} ${bytes.subarray(4, 8).join('.')}:${bytes.readUInt16BE(2)}}`;
  if (family === AF_INET6 && bytes.length >= 24)
    return `{${name} [${ipv6Text(bytes.subarray(8, 24))}]:${bytes.readUInt16BE(2)}}`;
  if (family === AF_UNIX) return `{${name} "${unixName(bytes.subarray(2))}"}`;
  return `{${name}}`;
}

function ipv6Text(address: Buffer): string {
  const text = Array.from({ length: 8 }, (_, index) => address.readUInt16BE(index * 2).toString(16)).join(':');
  return text
    .replace(/\b0(?::0)+\b/, '')
    .replace(/^$|^:(?!:)|(?<!:):$/g, (end) => `${end}:`)
    .replace(/^:$/, '::');
}

/** A path ends at a NUL; an abstract name starts with a NUL and fills the rest of the address. */
function unixName(bytes: Buffer): string {
  const end = bytes[0] === 0 ? bytes.length : bytes.indexOf(0);
  return escaped(bytes.subarray(0, end < 0 ? bytes.length : end));
}

/** Errors inside the kernel that no caller sees: the call is restarted, or returns EINTR. */
const RESTART_ERRORS: Readonly<Record<number, string>> = {
  512: 'ERESTARTSYS',
  513: 'ERESTARTNOINTR',
  514: 'ERESTARTNOHAND',
  516: 'ERESTART_RESTARTBLOCK',
};
const ERRORS = new Map<number, string>();
for (const [name, number] of Object.entries(constants.errno)) if (!ERRORS.has(number)) ERRORS.set(number, name);
const ERROR_MAX = 4095n;

export interface Failure {
  readonly name: string;
  readonly text: string;
}

/** Returns the error that a result stands for, or null when the call succeeded. */
export function failureOf(result: bigint): Failure | null {
  if (result >= 0n || result < -ERROR_MAX) return null;
  const number = Number(-result);
  const restart = RESTART_ERRORS[number];
  if (restart !== undefined) return { name: restart, text: 'interrupted by a signal' };
  const name = ERRORS.get(number);
  return name === undefined
    ? { name: `error ${number}`, text: '' }
    : { name, text: getSystemErrorMessage(-number) ?? '' };
}

/** Calls that return an address. */
const ADDRESS_CALLS: ReadonlySet<string> = new Set(['mmap', 'brk', 'mremap', 'shmat']);

export function resultText(call: string, result: bigint): string {
  return ADDRESS_CALLS.has(call) ? `0x${BigInt.asUintN(64, result).toString(16)}` : String(result);
}
