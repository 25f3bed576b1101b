import { isUtf8 } from 'node:buffer';
import { constants } from 'node:os';
import { getSystemErrorMessage } from 'node:util';
import { records } from '@ringfence/wire';
import { type Argument, READ, type SystemCall } from './calls.ts';
import { FAMILIES, inWords } from './flags.ts';
import { STATE, type Text } from './record.ts';

/** What an argument is: text as it was, words, an address, or a plain number. */
export type Value =
  | { readonly kind: 'texts'; readonly texts: readonly Buffer[]; readonly list: boolean; readonly cut: boolean }
  | { readonly kind: 'word'; readonly word: string }
  | { readonly kind: 'number'; readonly number: bigint };

const { AF_UNIX, AF_INET, AF_INET6 } = records.AddressFamily;
const AT_FDCWD = -100n;
/** Declared as all sorts of numbers. */
const DESCRIPTOR = /^(fd|.*[^u]fd|fd_in|fd_out)$/;
const word = (text: string): Value => ({ kind: 'word', word: text });

/** `bytesMax`: of a buffer, what is shown of it. */
export function argumentValue(call: SystemCall, index: number, raw: bigint, text: Text, bytesMax: number): Value {
  const argument = call.arguments[index] as Argument;
  if (text.state === STATE.whole || text.state === STATE.cut) return textValue(argument, text, bytesMax);
  return numberValue(call, argument, raw);
}

function textValue(argument: Argument, { bytes, state }: Text, bytesMax: number): Value {
  const cut = state === STATE.cut;
  if (argument.type === 'struct sockaddr *') return word(sockaddr(bytes));
  if (argument.read === READ.strings) return { kind: 'texts', texts: parts(bytes), list: true, cut };
  const shown = argument.read === READ.string ? bytes : bytes.subarray(0, bytesMax);
  const less = cut || shown.length < bytes.length;
  return { kind: 'texts', texts: [less ? withoutHalfCharacter(shown) : shown], list: false, cut: less };
}

/** Each ends with a NUL. */
function parts(bytes: Buffer): Buffer[] {
  const texts: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = bytes.indexOf(0, at);
    texts.push(bytes.subarray(at, end < 0 ? bytes.length : end));
    at = end < 0 ? bytes.length : end + 1;
  }
  return texts;
}

const SIGNED: ReadonlySet<string> = new Set(['int', 'pid_t', 'const int', 's32', '__s32', 'long', 'off_t', 'loff_t']);
const WIDE: ReadonlySet<string> = new Set(['long', 'off_t', 'loff_t']);
const HALF: ReadonlySet<string> = new Set('unsigned int,unsigned,u32,__u32,uid_t,gid_t,const __u32,umode_t'.split(','));

function numberValue(call: SystemCall, { name, type }: Argument, raw: bigint): Value {
  if (DESCRIPTOR.test(name)) return descriptor(name, BigInt.asIntN(32, raw));
  const half = HALF.has(type) || (SIGNED.has(type) && !WIDE.has(type));
  const unsigned = half ? raw & 0xffff_ffffn : raw;
  if (type.endsWith('*')) return word(raw === 0n ? 'NULL' : `0x${raw.toString(16)}`);
  const words = inWords(call.name, name, unsigned);
  if (words !== null) return word(words);
  if (type === 'umode_t') return word(unsigned === 0n ? '0' : `0${(unsigned & 0xffffn).toString(8)}`);
  const number = SIGNED.has(type) ? BigInt.asIntN(half ? 32 : 64, raw) : unsigned;
  if (half || WIDE.has(type) || number < 0x1_0000n || type === 'size_t') return { kind: 'number', number };
  return word(`0x${number.toString(16)}`);
}

function descriptor(name: string, number: bigint): Value {
  return number === AT_FDCWD && name.includes('dfd') ? word('AT_FDCWD') : { kind: 'number', number };
}

/** What a terminal could take for orders, or show in another order. */
const UNSAFE = /["\\\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu;
const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\t': '\\t', '\r': '\\r', '"': '\\"', '\\': '\\\\' };

/** As it stands between quotation marks: UTF-8 as text, other bytes as \xNN. */
export function escaped(bytes: Buffer): string {
  if (isUtf8(bytes)) return bytes.toString().replace(UNSAFE, (char) => SHORT[char] ?? code(char));
  return Array.from(bytes, (byte) => (byte < 0x80 ? ascii(byte) : `\\x${byte.toString(16)}`)).join('');
}

function withoutHalfCharacter(bytes: Buffer): Buffer {
  for (let drop = 0; drop < 4; drop++) {
    const less = bytes.subarray(0, bytes.length - drop);
    if (isUtf8(less)) return less;
  }
  return bytes;
}

const ascii = (byte: number): string => String.fromCharCode(byte).replace(UNSAFE, (char) => SHORT[char] ?? code(char));

function code(char: string): string {
  const number = char.charCodeAt(0);
  return number < 0x100 ? `\\x${number.toString(16).padStart(2, '0')}` : `\\u${number.toString(16)}`;
}

/** `{AF_INET 127.0.0.1:80}` */
function sockaddr(bytes: Buffer): string {
  if (bytes.length < 2) return '{}';
  const family = bytes.readUInt16LE(0);
  const name = FAMILIES[family] ?? `AF_${family}`;
  if (family === AF_INET && bytes.length >= 8)
    return `{${name} ${bytes.subarray(4, 8).join('.')}:${bytes.readUInt16BE(2)}}`;
  if (family === AF_INET6 && bytes.length >= 24)
    return `{${name} [${groups(bytes.subarray(8, 24))}]:${bytes.readUInt16BE(2)}}`;
  if (family === AF_UNIX) return `{${name} "${unixName(bytes.subarray(2))}"}`;
  return `{${name}}`;
}

function groups(address: Buffer): string {
  const text = Array.from({ length: 8 }, (_, index) => address.readUInt16BE(index * 2).toString(16)).join(':');
  return text
    .replace(/\b0(?::0)+\b/, '')
    .replace(/^$|^:(?!:)|(?<!:):$/g, (end) => `${end}:`)
    .replace(/^:$/, '::');
}

/** An abstract name begins with NUL and is as long as the address. */
function unixName(bytes: Buffer): string {
  const end = bytes[0] === 0 ? bytes.length : bytes.indexOf(0);
  return escaped(bytes.subarray(0, end < 0 ? bytes.length : end));
}

/** Of the kernel, never seen by the caller: the call begins again, or ends with EINTR. */
const RESTARTS: Readonly<Record<number, string>> = {
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

/** What a result says when it is an error. */
export function failureOf(result: bigint): Failure | null {
  if (result >= 0n || result < -ERROR_MAX) return null;
  const number = Number(-result);
  const restart = RESTARTS[number];
  if (restart !== undefined) return { name: restart, text: 'interrupted by a signal' };
  const name = ERRORS.get(number);
  return name === undefined
    ? { name: `error ${number}`, text: '' }
    : { name, text: getSystemErrorMessage(-number) ?? '' };
}

const ADDRESSES: ReadonlySet<string> = new Set(['mmap', 'brk', 'mremap', 'shmat']);

export function resultText(call: string, result: bigint): string {
  return ADDRESSES.has(call) ? `0x${BigInt.asUintN(64, result).toString(16)}` : String(result);
}
