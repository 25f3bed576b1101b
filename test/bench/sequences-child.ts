/**
 * Measures sequence rules: 100 sequences, 100,000 live keys, events that each match a step or two. Needs --expose-gc;
 * prints SequenceFigures.
 */

import type { FieldSpec } from '@ringfence/fields';
import { compileRules, type EventKinds, type FieldCatalogue, RuleMemory } from '@ringfence/rules';
import type { SequenceFigures } from './rules/job.ts';

interface BenchEvent {
  kind: number;
  id: string;
  name: string;
  entity: string;
  parent: string;
  path: string;
}

const KINDS = ['exec', 'open', 'connect', 'exit'];
const kinds: EventKinds<BenchEvent> = { names: KINDS, of: (event) => event.kind };
const SEQUENCES = 100;
const KEYS = 100_000;
const EVENTS = 1_000_000;
/** Events between the first pass over all keys and the measurement, until V8 has compiled the code of later steps */
const WARM_UP_EVENTS = 200_000;
/** Small, because the garbage collector copies waiting events; a detector has one view of a batch's bytes instead. */
const CHUNK_EVENTS = 200;
/** Uptime at the first event, µs: more than V8's small integers hold, as on a host that is up for over half an hour */
const UPTIME_US = 86_400_000_000;

function field(
  name: string,
  get: FieldSpec<BenchEvent>['get'],
  options: Partial<FieldSpec<BenchEvent>> = {},
): FieldSpec<BenchEvent> {
  return { name, type: 'string', get, doc: name, ...options };
}

const catalogue: FieldCatalogue<BenchEvent> = {
  fields: [
    field('event.action', (event) => KINDS[event.kind]!, {
      constants: Object.fromEntries(KINDS.map((kind) => [kind, kind])),
    }),
    field('event.id', (event) => event.id),
    field('process.name', (event) => event.name),
    field('process.entity_id', (event) => event.entity),
    field('process.parent.entity_id', (event) => event.parent),
    field('file.path', (event) => event.path, { kinds: ['open'] }),
  ],
};

/** Returns a sequence of two to four steps, by process or by parent, some with runs, a missing event and an end. */
function ruleOf(n: number): string {
  const tool = `[ event.action = exec and process.name = tool${n} ]`;
  const write = `[ event.action = open and file.path startswith /srv/${n}/ ]`;
  const forms = [
    `by process.entity_id with maxspan=30s ${tool} ${write}`,
    `by process.entity_id with maxspan=5m ${tool} ${write} [ event.action = connect and process.name = tool${n} ]`,
    `with maxspan=1m ${tool} by process.entity_id ${write} by process.parent.entity_id`,
    `by process.entity_id with maxspan=1m ${tool} ![ event.action = connect and process.name = tool${n} ] ${write} with runs=3 until [ event.action = exit ]`,
  ];
  return `- rule: sequence ${n}\n  condition: sequence ${forms[n % forms.length]}\n`;
}

/**
 * Returns a deterministic generator of events: each begins a sequence of its process or is a later step of a sequence.
 * The events are created in chunks, as by a decoder; all events together would fill most of the heap.
 */
function eventMaker(): (from: number, to: number) => BenchEvent[] {
  let seed = 1;
  const random = (n: number): number => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
    return (seed >>> 8) % n;
  };
  /** Returns a flat string, as a decoder does. */
  const text = (value: string): string => Buffer.from(value, 'latin1').toString('latin1');
  const entity = (n: number): string => text(n.toString(16).padStart(8, '0').repeat(4));
  const make = (i: number): BenchEvent => {
    const process = i < KEYS ? i : random(KEYS);
    const rule = process % SEQUENCES;
    return {
      kind: i < KEYS || random(2) === 0 ? 0 : 1 + random(2),
      id: text(`host/boot/run/0/0/${i}`),
      name: text(`tool${rule}`),
      entity: entity(process),
      parent: entity(process),
      path: text(random(3) === 0 ? `/srv/${rule}/file` : `/srv/${(rule + 1) % SEQUENCES}/file`),
    };
  };
  return (from, to) => Array.from({ length: to - from }, (_, n) => make(from + n));
}

function benchSequences(): SequenceFigures {
  const text = Array.from({ length: SEQUENCES }, (_, n) => ruleOf(n)).join('');
  const next = eventMaker();
  const before = heapUsed();
  const memory = new RuleMemory();
  const set = compileRules({ sources: [{ name: 'bench.yaml', text }], catalogue, kinds, memory });
  for (const { message } of set.diagnostics) throw new Error(message);
  let matched = 0;
  /** Returns the CPU time in µs, without the creation of the events. */
  const run = (from: number, to: number): number => {
    const events = next(from, to);
    const started = process.cpuUsage();
    for (let i = from; i < to; i++) matched += set.matcher.match(events[i - from]!, () => {}, UPTIME_US + i * 10);
    const { user, system } = process.cpuUsage(started);
    return user + system;
  };
  const runAll = (from: number, to: number): number => {
    let tookUs = 0;
    for (let at = from; at < to; at += CHUNK_EVENTS) tookUs += run(at, at + CHUNK_EVENTS);
    return tookUs;
  };
  runAll(0, KEYS);
  memory.takeChanges();
  const first = KEYS + WARM_UP_EVENTS;
  runAll(KEYS, first);
  const tookUs = runAll(first, EVENTS);
  const perSecond = ((EVENTS - first) / tookUs) * 1e6;
  memory.takeChanges();
  const { keys, hits, evicted } = memory.stats().sequences;
  return { sequences: SEQUENCES, perSecond, keys, hits, evicted, matched, bytes: heapUsed() - before };
}

function heapUsed(): number {
  if (globalThis.gc === undefined) return Number.NaN;
  globalThis.gc();
  const { heapUsed: objects, arrayBuffers } = process.memoryUsage();
  return objects + arrayBuffers;
}

process.stdout.write(`${JSON.stringify(benchSequences())}\n`);
