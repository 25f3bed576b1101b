/**
 * What sequences cost: 100 of them, 100,000 live keys, events of which each fits a step or two. Needs --expose-gc; prints SequenceFigures.
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
/** Later steps come only when all keys are there: their code is compiled by then. */
const WARM_UP = 200_000;
/** Few: while they wait they are objects that the collector copies, where a detector has one view of a batch's bytes. */
const AT_ONCE = 200;
/** µs of event time that the host has been up: more than small integers hold, as it is but for the first half hour */
const UP_US = 86_400_000_000;

function field(
  name: string,
  get: FieldSpec<BenchEvent>['get'],
  more: Partial<FieldSpec<BenchEvent>> = {},
): FieldSpec<BenchEvent> {
  return { name, type: 'string', get, doc: name, ...more };
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

/** Two to four steps, by the process or its parent, some with runs, missing events, an end. */
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
 * The next events of a stream: each begins a sequence of its process, or is a later step of one that was begun before. Deterministic. Made anew
 * each time, as events come from a decoder; all at once they would be most of the heap.
 */
function eventMaker(): (from: number, to: number) => BenchEvent[] {
  let seed = 1;
  const random = (n: number): number => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
    return (seed >>> 8) % n;
  };
  /** In one piece, as a decoder makes it. */
  const text = (parts: string): string => Buffer.from(parts, 'latin1').toString('latin1');
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
  /** µs of processor time, without what it takes to make the events */
  const run = (from: number, to: number): number => {
    const events = next(from, to);
    const started = process.cpuUsage();
    for (let i = from; i < to; i++) matched += set.matcher.match(events[i - from]!, () => {}, UP_US + i * 10);
    const { user, system } = process.cpuUsage(started);
    return user + system;
  };
  const runAll = (from: number, to: number): number => {
    let tookUs = 0;
    for (let at = from; at < to; at += AT_ONCE) tookUs += run(at, at + AT_ONCE);
    return tookUs;
  };
  runAll(0, KEYS);
  memory.takeChanges();
  const first = KEYS + WARM_UP;
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
