/** ATT&CK tactics, v19 short names, in the order of an attack. */
export const TACTICS = [
  'reconnaissance',
  'resource-development',
  'initial-access',
  'execution',
  'persistence',
  'privilege-escalation',
  'stealth',
  'defense-impairment',
  'credential-access',
  'discovery',
  'lateral-movement',
  'collection',
  'command-and-control',
  'exfiltration',
  'impact',
] as const;

export type Tactic = (typeof TACTICS)[number];

/** v18 had one tactic where v19 has two; its number went to stealth. */
const RENAMED: Readonly<Record<string, Tactic>> = { 'defense-evasion': 'stealth' };

const KNOWN: ReadonlySet<string> = new Set(TACTICS);
const PREFIX = /^(?:mitre[._]|attack[._])/;

/** The tactic a tag names, whichever way it is written: `execution`, `mitre_privilege_escalation`, `attack.defense-evasion`. */
export function tacticOf(tag: string): Tactic | undefined {
  const word = tag.toLowerCase().replace(PREFIX, '').replaceAll('_', '-');
  if (Object.hasOwn(RENAMED, word)) return RENAMED[word];
  return KNOWN.has(word) ? (word as Tactic) : undefined;
}

/** The technique a tag names: `T1059.004`, `attack.t1059`. */
export function techniqueOf(tag: string): string | undefined {
  const word = tag.toUpperCase().replace(/^(?:MITRE|ATTACK)[._]/, '');
  return /^T\d{4}(?:\.\d{3})?$/.test(word) ? word : undefined;
}
