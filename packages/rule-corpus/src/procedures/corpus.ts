import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { attackTechnique, attackTechniques, type Technique } from '@ringfence/rules';
import { parseDocument } from 'yaml';
import { RULES } from '../content.ts';

/**
 * Folder of the procedures: a file TECHNIQUE.procedures.yaml for each technique. Its folder `later` has those that were
 * written after the first measurement.
 */
export const PROCEDURES: string = join(RULES, 'procedures');
const LATER = 'later';

/** Parts of the corpus. Nobody looks at the held-out part while rules are written. */
export const PARTS = ['open', 'held-out', 'later'] as const;
export type Part = (typeof PARTS)[number];

/** The alert that a procedure should raise: a rule of this profile, or none. */
export const EXPECTATIONS = ['recommended', 'hunt', 'silent'] as const;
export type Expectation = (typeof EXPECTATIONS)[number];

/** Reasons why a procedure may stay silent. */
export const SILENT_REASONS = {
  everyday: 'healthy machines do exactly this all day',
  inside: 'it happens inside one process, without a system call that differs',
  content: 'only the content of traffic or of an ordinary file gives it away',
  elsewhere: 'it happens on a machine or in a service without an agent',
} as const;
export type SilentReason = keyof typeof SILENT_REASONS;

/** A way to do a technique. */
export interface Procedure {
  readonly name: string;
  readonly part: Part;
  /** Technique or sub-technique that an alert should have. */
  readonly technique: string;
  /** Techniques that would be as right. */
  readonly also: readonly string[];
  readonly expect: Expectation;
  /** Undefined unless an alert is not expected. */
  readonly why: SilentReason | undefined;
  readonly user: 'root' | 'ann';
  readonly isInContainer: boolean;
  /** Shell commands that run before, as root, and are not recorded. */
  readonly setup: string;
  readonly script: string;
}

/** Reason why a technique has fewer than three procedures. */
export interface Shortage {
  readonly technique: string;
  readonly reason: string;
}

export interface ProcedureCorpus {
  readonly procedures: readonly Procedure[];
  readonly fewer: readonly Shortage[];
  /** Errors of the files, with their path. */
  readonly faults: readonly string[];
}

const KEYS: ReadonlySet<string> = new Set([
  ...['name', 'technique', 'also', 'expect', 'why', 'as', 'in', 'setup', 'script'],
]);
const ENDING = '.procedures.yaml';
const NAME = /^[A-Z][^:\n]{9,79}$/;

/** Number of procedures of which one is held out. */
const HELD_OUT_PARTS = 3;

/** The hash of the name decides whether a procedure of the first measurement is held out, so that nobody chooses. */
function firstPart(name: string): Part {
  const hash = createHash('sha256').update(name).digest().readUInt32BE(0);
  return hash % HELD_OUT_PARTS === 0 ? 'held-out' : 'open';
}

/** Techniques and sub-techniques that Linux or containers have. */
export function playableTechniques(): Technique[] {
  return [...attackTechniques().values()].filter(({ linux, containers }) => linux || containers);
}

/** Reads all files of a folder. */
export function readProcedures(folder: string = PROCEDURES): ProcedureCorpus {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith(ENDING));
  const parts = files.sort().map((file) => readFile(file, readFileSync(join(folder, file), 'utf8')));
  const procedures = parts.flatMap((part) => part.procedures);
  const fewer = parts.flatMap((part) => part.fewer);
  const twice = Map.groupBy(procedures, ({ name }) => name);
  const repeated = [...twice].filter(([, some]) => some.length > 1).map(([name]) => `${name}: the name is used twice`);
  return { procedures, fewer, faults: [...parts.flatMap((part) => part.faults), ...repeated] };
}

type Entry = Readonly<Record<string, unknown>>;

function readFile(file: string, text: string): ProcedureCorpus {
  const document = parseDocument(text);
  const [error] = document.errors;
  if (error !== undefined) return { procedures: [], fewer: [], faults: [`${file}: ${error.message}`] };
  const {
    technique,
    procedures = [],
    fewer = [],
  } = document.toJS() as {
    technique?: string;
    procedures?: readonly Entry[];
    fewer?: readonly Entry[];
  };
  const head = `${technique}${ENDING}` === basename(file) ? [] : [`${file}: its technique is ${technique}`];
  const faults = procedures.flatMap((entry) => faultsOf(entry, technique ?? '').map((fault) => `${file}: ${fault}`));
  const reasons = fewer.map(({ technique: id, reason }) => ({ technique: String(id), reason: String(reason) }));
  return {
    procedures: procedures.map((entry) => procedureOf(entry, dirname(file) === LATER)),
    fewer: reasons,
    faults: [...head, ...faults],
  };
}

function faultsOf(entry: Entry, technique: string): string[] {
  const { name, technique: id, also = [], expect, why, as = 'root', in: place = 'host', script } = entry;
  const unknown = Object.keys(entry).filter((key) => !KEYS.has(key));
  const ids = [id, ...(Array.isArray(also) ? also : [also])].map(String);
  const checks: readonly (readonly [boolean, string])[] = [
    [NAME.test(String(name)), 'a name has 10 to 80 characters, begins with a capital letter and has no colon'],
    [unknown.length === 0, `there is no key ${unknown.join(', ')}`],
    [String(id).startsWith(technique), `${String(id)} does not belong to ${technique}`],
    [ids.every((some) => attackTechnique(some)?.id === some), `not all of ${ids.join(', ')} are techniques`],
    [EXPECTATIONS.some((some) => some === expect), `expect is ${EXPECTATIONS.join(', ')}`],
    [(expect === 'silent') === isReason(why), `why belongs to silent: ${Object.keys(SILENT_REASONS).join(', ')}`],
    [as === 'root' || as === 'ann', 'as is root or ann'],
    [place === 'host' || place === 'container', 'in is host or container'],
    [typeof script === 'string' && script.trim() !== '', 'a script is missing'],
  ];
  return checks.filter(([isRight]) => !isRight).map(([, fault]) => `${String(name)}: ${fault}`);
}

const isReason = (why: unknown): why is SilentReason => typeof why === 'string' && Object.hasOwn(SILENT_REASONS, why);

function procedureOf(entry: Entry, isLater: boolean): Procedure {
  const { name, technique, also = [], expect, why, as = 'root', in: place, setup = '', script } = entry;
  return {
    name: String(name),
    part: isLater ? 'later' : firstPart(String(name)),
    technique: String(technique),
    also: Array.isArray(also) ? also.map(String) : [],
    expect: expect as Expectation,
    why: isReason(why) ? why : undefined,
    user: as === 'ann' ? 'ann' : 'root',
    isInContainer: place === 'container',
    setup: String(setup),
    script: String(script),
  };
}
