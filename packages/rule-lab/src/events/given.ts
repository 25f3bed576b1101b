import type { Field } from '@ringfence/fields';
import { splitCommandLine } from './command-line.ts';
import { GivenError, type GivenField, type GivenFields, type GivenValue, kindOf, readField } from './given-fields.ts';

/** A process that a test starts, or that it names. */
export interface GivenProcess {
  /** Name of a process that the test knows; undefined: the process is started. */
  readonly name: string | undefined;
  readonly exec: string | undefined;
  /** Its parent; undefined: the process before it in a line of processes, or the default. */
  readonly parent: GivenLine | undefined;
  readonly fields: GivenFields;
}

/** Processes each of which starts the next; the last one is meant. */
export type GivenLine = readonly GivenProcess[];

/** An event as a test writes it down, by ECS names or their aliases. */
export interface GivenEvent {
  /** Name of its kind; undefined: only time passes. */
  readonly kind: string | undefined;
  readonly fields: GivenFields;
  /** µs since the event before. */
  readonly afterUs: number;
  /** Number of times that it happens, each time `afterUs` later. */
  readonly repeat: number;
  /** Command line that is executed. */
  readonly exec: string | undefined;
  /** Process that acts. */
  readonly process: GivenLine | undefined;
  /** Parent of the process that is started. */
  readonly parent: GivenLine | undefined;
  /** Process that is acted upon. */
  readonly target: GivenLine | undefined;
  /** Name by which later events refer to the process. */
  readonly as: string | undefined;
  /** Events of a group, which is repeated as a whole. */
  readonly events: readonly GivenEvent[] | undefined;
}

/** Keys of an event that are no fields. */
export const EVENT_KEYS = ['exec', 'process', 'parent', 'target', 'as', 'agent', 'after', 'repeat', 'events'] as const;

const MAX_REPEAT = 10_000;
/** Time between events, unless they give one. */
const STEP_US = 1_000;
const UNITS: Readonly<Record<string, number>> = { us: 1, ms: 1e3, s: 1e6, m: 6e7, h: 3.6e9, d: 8.64e10 };
const NO_FIELDS: GivenFields = new Map();

type Entries = Iterable<readonly [key: string, value: unknown]>;

/** Reads an event. `{n}` in a text counts the repetitions, from 1. @throws GivenError */
export function readGiven(entries: Entries): GivenEvent {
  const { keys, fields } = readEntries(entries, EVENT_KEYS);
  const event = {
    fields,
    afterUs: keys.has('after') ? readDuration('after', keys.get('after')) : STEP_US,
    repeat: keys.has('repeat') ? readRepeat(keys.get('repeat')) : 1,
    exec: readCommand(keys.get('exec')),
    process: readLine('process', keys.get('process')),
    parent: readLine('parent', keys.get('parent')),
    target: readLine('target', keys.get('target')),
    as: readName('as', keys.get('as')),
    events: readGroup(keys.get('events')),
  };
  return { ...event, kind: kindOfEvent(event, keys) };
}

/** An event that is a command line alone. */
export const givenCommand = (line: string): GivenEvent => readGiven([['exec', line]]);

/** Reads a process that is given by `exec`, `parent` and fields. @throws GivenError */
export function readProcess(entries: Entries): GivenProcess {
  const { keys, fields } = readEntries(entries, ['exec', 'parent']);
  for (const [name, { field }] of fields)
    if (field.kinds !== undefined && !field.kinds.includes('exec'))
      throw new GivenError(name, `'${name}' does not describe a process: it is on ${field.kinds.join(', ')}`);
  return {
    name: undefined,
    exec: readCommand(keys.get('exec')),
    parent: readLine('parent', keys.get('parent')),
    fields,
  };
}

function readEntries(entries: Entries, known: readonly string[]) {
  const keys = new Map<string, unknown>();
  const fields = new Map<string, GivenField>();
  for (const [key, value] of entries) {
    if (known.includes(key)) {
      if (keys.has(key)) throw new GivenError(key, `'${key}' is given twice`);
      keys.set(key, value);
      continue;
    }
    const given = readField(key, value, known);
    const name = given.argument === undefined ? given.field.name : `${given.field.name}[${given.argument}]`;
    if (fields.has(name)) throw new GivenError(key, `'${name}' is given twice`);
    fields.set(name, given);
  }
  return { keys, fields };
}

function kindOfEvent(event: Omit<GivenEvent, 'kind'>, keys: ReadonlyMap<string, unknown>): string | undefined {
  const { fields, exec, events } = event;
  if (events !== undefined) {
    const misplaced = [...keys.keys(), ...fields.keys()].find((key) => !['events', 'after', 'repeat'].includes(key));
    if (misplaced !== undefined) throw new GivenError(misplaced, `'${misplaced}' belongs to an event of the group`);
    return undefined;
  }
  if (keys.has('agent')) {
    if (keys.get('agent') === 'stops' && fields.size === 0) return 'tick';
    throw new GivenError('agent', "the only event of the agent is 'agent: stops'");
  }
  if (exec !== undefined) return kindOf(fields, 'exec');
  const isPause = fields.size === 0 && ![...keys.keys()].some((key) => key !== 'after' && key !== 'repeat');
  return isPause ? undefined : kindOf(fields);
}

function readCommand(value: unknown): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== 'string' || value.trim() === '') throw new GivenError('exec', "'exec' is a command line");
  if (splitCommandLine(value) === undefined) throw new GivenError('exec', `a quote is not closed: ${value}`);
  return value;
}

/**
 * A process by its name or its command line, which begins with a slash; or a list of those, each started by the one
 * before.
 */
function readLine(key: string, value: unknown): GivenLine | undefined {
  if (value === undefined) return undefined;
  const items: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (items.length === 0) throw new GivenError(key, `'${key}' names no process`);
  return items.map((item): GivenProcess => {
    if (typeof item === 'object' && item !== null && !Array.isArray(item)) return readStarted(key, item);
    const text = readName(key, item) ?? '';
    if (!text.startsWith('/')) return { name: text, exec: undefined, parent: undefined, fields: NO_FIELDS };
    if (splitCommandLine(text) === undefined) throw new GivenError(key, `a quote is not closed: ${text}`);
    return { name: undefined, exec: text, parent: undefined, fields: NO_FIELDS };
  });
}

function readStarted(key: string, item: object): GivenProcess {
  const started = readProcess(Object.entries(item));
  if (started.parent !== undefined) throw new GivenError(key, "in a line of processes the one before is the 'parent'");
  return started;
}

function readName(key: string, value: unknown): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value === 'string' && value.trim() !== '') return value;
  throw new GivenError(key, `'${key}' is the name of a process`);
}

function readGroup(value: unknown): readonly GivenEvent[] | undefined {
  if (value === undefined) return undefined;
  if (!Array.isArray(value)) throw new GivenError('events', "'events' of a group is a list");
  return value.map((item: unknown) =>
    typeof item === 'string' ? givenCommand(item) : readGiven(Object.entries(Object(item))),
  );
}

/** Returns µs. @throws GivenError */
function readDuration(key: string, value: unknown): number {
  const [, number, unit = ''] = /^(\d{1,9})(us|ms|s|m|h|d)$/.exec(String(value)) ?? [];
  if (number === undefined) throw new GivenError(key, `'${value}' is no duration: write 500ms, 10s or 5m`);
  return Number(number) * (UNITS[unit] ?? 1);
}

function readRepeat(value: unknown): number {
  const repeat = Number(value);
  if (Number.isInteger(repeat) && repeat >= 1 && repeat <= MAX_REPEAT) return repeat;
  throw new GivenError('repeat', `'repeat' is a number from 1 to ${MAX_REPEAT}, not '${value}'`);
}

/** Returns the event's repetition number `n`: `{n}` in its texts is replaced. */
export function numbered(given: GivenEvent, n: number): GivenEvent {
  const text = <T extends string | undefined>(value: T): T => value?.replaceAll('{n}', String(n)) as T;
  const line = (given: GivenLine | undefined): GivenLine | undefined =>
    given?.map((process) => ({
      name: text(process.name),
      exec: text(process.exec),
      parent: line(process.parent),
      fields: fields(process.fields),
    }));
  const fields = (all: GivenFields): GivenFields =>
    new Map([...all].map(([name, field]) => [name, { ...field, value: numberedValue(field, text) }]));
  return {
    ...given,
    fields: fields(given.fields),
    exec: text(given.exec),
    process: line(given.process),
    parent: line(given.parent),
    target: line(given.target),
    as: text(given.as),
    // A repeated event of a group counts its own repetitions.
    events: given.events?.map((event) => (event.repeat === 1 ? numbered(event, n) : event)),
  };
}

function numberedValue(
  { value, field }: { readonly value: GivenValue; readonly field: Field },
  text: (value: string) => string,
): GivenValue {
  if (typeof value === 'object') return value.map(text);
  if (typeof value !== 'string') return value;
  return field.type === 'number' ? Number(text(value)) : text(value);
}
