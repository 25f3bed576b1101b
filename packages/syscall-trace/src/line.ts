import { isUtf8 } from 'node:buffer';
import type { Paint } from '@ringfence/base';
import { durationText } from '@ringfence/base';
import type { SystemCall } from './calls.ts';
import { signalName } from './flags.ts';
import type { Call } from './pairs.ts';
import type { TraceRecord } from './record.ts';
import { argumentValue, escaped, failureOf, resultText, type Value } from './value.ts';

export interface View {
  readonly calls: ReadonlyMap<number, SystemCall>;
  readonly paint: Paint;
  /** of a buffer that is read or written, what is shown of it */
  readonly bytesMax: number;
  /** ns since the epoch at ns 0 of the records' clock */
  readonly epoch: bigint;
}

const NO_TEXT = { bytes: Buffer.alloc(0), state: 0 };

/** A call of another architecture has numbers of its own, whose names are not known here. */
export function callOf({ calls }: Pick<View, 'calls'>, record: TraceRecord): SystemCall {
  const known = record.compat ? undefined : calls.get(record.number);
  const name = `${record.compat ? '32-bit ' : ''}system call ${record.number}`;
  const all = Array.from({ length: 6 }, (_, index) => ({
    name: `arg${index}`,
    type: 'unsigned long',
    read: 0 as const,
  }));
  return known ?? { number: record.number, name, arguments: all };
}

function values(view: View, call: SystemCall, { record, texts }: Call): [name: string, value: Value][] {
  return call.arguments.map(({ name }, index) => [
    name,
    argumentValue(call, index, record.arguments[index] ?? 0n, texts[index] ?? NO_TEXT, view.bytesMax),
  ]);
}

function inLine(value: Value): string {
  if (value.kind === 'number') return String(value.number);
  if (value.kind === 'word') return value.word;
  const texts = value.texts.map((text) => `"${escaped(text)}"`).join(', ') + (value.cut ? '…' : '');
  return value.list ? `[${texts}]` : texts;
}

/** `17:02:11.123456 [4711 cat] openat(dfd: AT_FDCWD, filename: "/etc/hosts", flags: O_RDONLY, mode: 0) = 3 <12 µs>` */
export function callLine(view: View, call: Call): string {
  const { paint } = view;
  const { record, result, duration } = call;
  const system = callOf(view, record);
  const list = values(view, system, call).map(([name, value]) => `${paint.dim(`${name}:`)} ${inLine(value)}`);
  const took = duration === null ? '' : ` ${paint.dim(`<${durationText(Number(duration) / 1000)}>`)}`;
  const failure = result === null ? null : failureOf(result);
  const end =
    failure === null
      ? `${result === null ? '?' : resultText(system.name, result)}`
      : paint.red(`-1 ${failure.name}${failure.text === '' ? '' : ` (${failure.text})`}`);
  return `${head(view, record)} ${paint.bold(system.name)}(${list.join(', ')}) = ${end}${took}`;
}

/** The end of a process. */
export function goneLine(view: View, record: TraceRecord): string {
  return `${head(view, record)} ${view.paint.dim(`+++ ${ending(record.result)} +++`)}`;
}

function ending(status: bigint): string {
  const signal = Number(status & 0x7fn);
  return signal === 0 ? `exited with ${(status >> 8n) & 0xffn}` : `killed by ${signalName(signal)}`;
}

function head(view: View, { time, tgid, tid, name }: TraceRecord): string {
  const id = tgid === tid ? String(tgid) : `${tgid}/${tid}`;
  return view.paint.dim(`${clock(view.epoch + time)} [${id} ${name.replace(/[^\x20-\x7e]/g, '?')}]`);
}

/** Local time of day with microseconds. */
function clock(ns: bigint): string {
  const date = new Date(Number(ns / 1_000_000n));
  const micros = String((ns / 1000n) % 1_000_000n).padStart(6, '0');
  return `${date.toTimeString().slice(0, 8)}.${micros}`;
}

const safe = (number: bigint): number | string =>
  number <= BigInt(Number.MAX_SAFE_INTEGER) && number >= BigInt(Number.MIN_SAFE_INTEGER)
    ? Number(number)
    : String(number);

function inJson(value: Value): unknown {
  if (value.kind === 'number') return safe(value.number);
  if (value.kind === 'word') return value.word;
  const texts = value.texts.map((text) => (isUtf8(text) ? text.toString() : escaped(text)));
  return value.list ? texts : texts[0];
}

/** What `--json` prints of a call. */
export function callJson(view: View, call: Call): object {
  const { record, result, duration } = call;
  const system = callOf(view, record);
  const named = values(view, system, call);
  const failure = result === null ? null : failureOf(result);
  return {
    time: iso(view.epoch + record.time),
    pid: record.tgid,
    tid: record.tid,
    process: record.name,
    syscall: system.name,
    arguments: Object.fromEntries(named.map(([name, value]) => [name, inJson(value)])),
    cut: named.filter(([, value]) => 'cut' in value && value.cut).map(([name]) => name),
    result: result === null ? null : safe(result),
    error: failure?.name ?? null,
    durationNs: duration === null ? null : safe(duration),
  };
}

export function goneJson(view: View, record: TraceRecord): object {
  const signal = Number(record.result & 0x7fn);
  return {
    time: iso(view.epoch + record.time),
    pid: record.tgid,
    process: record.name,
    exit: signal === 0 ? Number((record.result >> 8n) & 0xffn) : null,
    signal: signal === 0 ? null : signalName(signal),
  };
}

function iso(ns: bigint): string {
  const micros = String((ns / 1000n) % 1_000_000n).padStart(6, '0');
  return `${new Date(Number(ns / 1_000_000n)).toISOString().slice(0, 19)}.${micros}Z`;
}
