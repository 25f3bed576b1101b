import { isUtf8 } from 'node:buffer';
import { durationText, type Paint } from '@ringfence/base';
import type { Call } from './call-matcher.ts';
import { signalName } from './flags.ts';
import type { TraceRecord } from './record.ts';
import { type SystemCall, UNNAMED } from './system-calls.ts';
import { argumentValue, escaped, failureOf, resultText, type Value } from './values.ts';

/** How records are printed. */
export interface Format {
  readonly calls: ReadonlyMap<number, SystemCall>;
  readonly paint: Paint;
  /** Bytes that are shown of a buffer. */
  readonly bytesMax: number;
  /** Nanoseconds since the epoch when the clock of the records was 0. */
  readonly epoch: bigint;
}

const NO_TEXT = { bytes: Buffer.alloc(0), state: 0 };

/** Returns the call of a record. Calls of 32-bit programs have other numbers, whose names are not known here. */
export function systemCallOf({ calls }: Pick<Format, 'calls'>, { compat, number }: TraceRecord): SystemCall {
  const call = compat ? undefined : calls.get(number);
  return call ?? { number, name: `${compat ? '32-bit ' : ''}system call ${number}`, arguments: UNNAMED };
}

function argumentsOf(format: Format, call: SystemCall, { record, texts }: Call): [name: string, value: Value][] {
  return call.arguments.map(({ name }, index) => [
    name,
    argumentValue(call, index, record.arguments[index] ?? 0n, texts[index] ?? NO_TEXT, format.bytesMax),
  ]);
}

function valueText(value: Value): string {
  if (value.kind === 'number') return String(value.number);
  if (value.kind === 'word') return value.word;
  const texts = value.texts.map((text) => `"${escaped(text)}"`).join(', ') + (value.cut ? '…' : '');
  return value.list ? `[${texts}]` : texts;
}

/** `17:02:11.123456 [4711 cat] openat(dfd: AT_FDCWD, filename: "/etc/hosts", flags: O_RDONLY, mode: 0) = 3 <12 µs>` */
export function callLine(format: Format, call: Call): string {
  const { paint } = format;
  const { record, result, duration } = call;
  const systemCall = systemCallOf(format, record);
  const list = argumentsOf(format, systemCall, call).map(
    ([name, value]) => `${paint.dim(`${name}:`)} ${valueText(value)}`,
  );
  const elapsed = duration === null ? '' : ` ${paint.dim(`<${durationText(Number(duration) / 1000)}>`)}`;
  const failure = result === null ? null : failureOf(result);
  const outcome =
    failure === null
      ? `${result === null ? '?' : resultText(systemCall.name, result)}`
      : paint.red(`-1 ${failure.name}${failure.text === '' ? '' : ` (${failure.text})`}`);
  return `${lineStart(format, record)} ${paint.bold(systemCall.name)}(${list.join(', ')}) = ${outcome}${elapsed}`;
}

/** `17:02:11.788469 [4711 cat] +++ exited with 0 +++` */
export function processEndLine(format: Format, record: TraceRecord): string {
  const { code, signal } = exitStatus(record);
  const text = signal === null ? `exited with ${code}` : `killed by ${signal}`;
  return `${lineStart(format, record)} ${format.paint.dim(`+++ ${text} +++`)}`;
}

/** Decodes a wait status. */
function exitStatus({ result }: TraceRecord): { readonly code: number | null; readonly signal: string | null } {
  const signal = Number(result & 0x7fn);
  return signal === 0
    ? { code: Number((result >> 8n) & 0xffn), signal: null }
    : { code: null, signal: signalName(signal) };
}

function lineStart(format: Format, { time, tgid, tid, name }: TraceRecord): string {
  const id = tgid === tid ? String(tgid) : `${tgid}/${tid}`;
  return format.paint.dim(`${timeOfDay(format.epoch + time)} [${id} ${name.replace(/[^\x20-\x7e]/g, '?')}]`);
}

/** Local time of day with microseconds. */
function timeOfDay(ns: bigint): string {
  const date = new Date(Number(ns / 1_000_000n));
  const micros = String((ns / 1000n) % 1_000_000n).padStart(6, '0');
  return `${date.toTimeString().slice(0, 8)}.${micros}`;
}

/** A number if JavaScript represents it exactly, else text. */
const jsonNumber = (number: bigint): number | string =>
  number <= BigInt(Number.MAX_SAFE_INTEGER) && number >= BigInt(Number.MIN_SAFE_INTEGER)
    ? Number(number)
    : String(number);

function valueJson(value: Value): unknown {
  if (value.kind === 'number') return jsonNumber(value.number);
  if (value.kind === 'word') return value.word;
  const texts = value.texts.map((text) => (isUtf8(text) ? text.toString() : escaped(text)));
  return value.list ? texts : texts[0];
}

/** Returns the object that `--json` prints for a call. */
export function callJson(format: Format, call: Call): object {
  const { record, result, duration } = call;
  const systemCall = systemCallOf(format, record);
  const named = argumentsOf(format, systemCall, call);
  const failure = result === null ? null : failureOf(result);
  return {
    time: isoTime(format.epoch + record.time),
    pid: record.tgid,
    tid: record.tid,
    process: record.name,
    syscall: systemCall.name,
    arguments: Object.fromEntries(named.map(([name, value]) => [name, valueJson(value)])),
    cut: named.filter(([, value]) => 'cut' in value && value.cut).map(([name]) => name),
    result: result === null ? null : jsonNumber(result),
    error: failure?.name ?? null,
    durationNs: duration === null ? null : jsonNumber(duration),
  };
}

/** Returns the object that `--json` prints for the end of a process. */
export function processEndJson(format: Format, record: TraceRecord): object {
  const { code, signal } = exitStatus(record);
  return {
    time: isoTime(format.epoch + record.time),
    pid: record.tgid,
    process: record.name,
    exit: code,
    signal,
  };
}

/** ISO 8601 in UTC with microseconds. */
function isoTime(ns: bigint): string {
  const micros = String((ns / 1000n) % 1_000_000n).padStart(6, '0');
  return `${new Date(Number(ns / 1_000_000n)).toISOString().slice(0, 19)}.${micros}Z`;
}
