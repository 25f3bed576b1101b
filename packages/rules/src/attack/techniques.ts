import { REVOKED, SERVED_BEFORE, TABLE } from './table.ts';
import type { Tactic } from './tactics.ts';

/** One technique or sub-technique of ATT&CK for Enterprise. */
export interface Technique {
  /** T1059 or T1059.004. */
  readonly id: string;
  readonly name: string;
  /** v19 short names, in the order of an attack. */
  readonly tactics: readonly Tactic[];
  readonly linux: boolean;
  readonly containers: boolean;
  /** Ids that v18 had for it. */
  readonly formerly: readonly string[];
}

const LINE = /^(\S+) (\S+) (\S+) (.*)$/;
const SUB = /^(\.\d{3}) (\S+) (.*)$/;

let known: ReadonlyMap<string, Technique> | undefined;

/** Returns all techniques by id, each before its sub-techniques. Parsed on first use. */
export function attackTechniques(): ReadonlyMap<string, Technique> {
  known ??= new Map(
    TABLE.trim()
      .split('\n')
      .flatMap(ofLine)
      .map((technique) => [technique.id, technique]),
  );
  return known;
}

/** Returns the technique of a v19 or v18 id. */
export function attackTechnique(id: string): Technique | undefined {
  return attackTechniques().get(Object.hasOwn(REVOKED, id) ? (REVOKED[id] ?? id) : id);
}

/**
 * Returns the tactics that a rule with the technique may name: those of v19 and of v18, whose defense-evasion covered
 * stealth and defense-impairment.
 */
export function servedTactics({ id, tactics }: Technique): ReadonlySet<string> {
  const served = new Set<string>([...tactics, ...(SERVED_BEFORE[id.slice(0, 5)] ?? [])]);
  if (served.has('stealth') || served.has('defense-impairment')) served.add('stealth').add('defense-impairment');
  return served;
}

function ofLine(line: string): Technique[] {
  const [first = '', ...subs] = line.split('|');
  const [, id = '', seen = '', serves = '', name = ''] = LINE.exec(first) ?? [];
  const tactics = serves.split('+') as Tactic[];
  const parent = technique(id, seen, name, tactics);
  return [
    parent,
    ...subs.map((sub) => {
      const [, number = '', where = '', called = ''] = SUB.exec(sub) ?? [];
      return technique(`${id}${number}`, where, called, tactics);
    }),
  ];
}

function technique(id: string, seen: string, name: string, tactics: readonly Tactic[]): Technique {
  const formerly = Object.keys(REVOKED).filter((old) => REVOKED[old] === id);
  return { id, name, tactics, linux: seen.includes('L'), containers: seen.includes('C'), formerly };
}
