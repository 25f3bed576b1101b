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

/** The number of each tactic, and its name in v19 and v18. */
export const TACTIC_NAMES: Readonly<
  Record<Tactic, { readonly id: string; readonly v19: string; readonly v18: string }>
> = {
  reconnaissance: named('TA0043', 'Reconnaissance'),
  'resource-development': named('TA0042', 'Resource Development'),
  'initial-access': named('TA0001', 'Initial Access'),
  execution: named('TA0002', 'Execution'),
  persistence: named('TA0003', 'Persistence'),
  'privilege-escalation': named('TA0004', 'Privilege Escalation'),
  stealth: named('TA0005', 'Stealth', 'Defense Evasion'),
  'defense-impairment': named('TA0112', 'Defense Impairment', 'Defense Evasion'),
  'credential-access': named('TA0006', 'Credential Access'),
  discovery: named('TA0007', 'Discovery'),
  'lateral-movement': named('TA0008', 'Lateral Movement'),
  collection: named('TA0009', 'Collection'),
  'command-and-control': named('TA0011', 'Command and Control'),
  exfiltration: named('TA0010', 'Exfiltration'),
  impact: named('TA0040', 'Impact'),
};

function named(id: string, v19: string, v18: string = v19): { id: string; v19: string; v18: string } {
  return { id, v19, v18 };
}

/** v18 had one tactic where v19 has two; its number went to stealth. */
const RENAMED: Readonly<Record<string, Tactic>> = { 'defense-evasion': 'stealth' };

/** By their numbers: `ta0002`. */
const NUMBERED: ReadonlyMap<string, Tactic> = new Map(
  TACTICS.map((tactic) => [TACTIC_NAMES[tactic].id.toLowerCase(), tactic]),
);

const KNOWN: ReadonlySet<string> = new Set(TACTICS);
const PREFIX = /^(?:mitre[._]|attack[._])/;

const spelled = (tag: string): string => tag.toLowerCase().replace(PREFIX, '').replaceAll('_', '-');

/**
 * Returns the tactic that a tag names, in any spelling: `execution`, `mitre_privilege_escalation`,
 * `attack.defense-evasion`, `TA0002`.
 */
export function tacticOf(tag: string): Tactic | undefined {
  const word = spelled(tag);
  if (Object.hasOwn(RENAMED, word)) return RENAMED[word];
  return KNOWN.has(word) ? (word as Tactic) : NUMBERED.get(word);
}

/** Returns all tactics that a word names: two where v18 had one, none if the word is no tactic. */
export function tacticsOf(word: string): readonly Tactic[] {
  if (Object.hasOwn(RENAMED, spelled(word))) return TACTICS.filter((tactic) => shortV18(tactic) === spelled(word));
  const tactic = tacticOf(word);
  return tactic === undefined ? [] : [tactic];
}

/** Returns the v18 short name: `defense-evasion` for stealth. */
export const shortV18 = (tactic: Tactic): string => TACTIC_NAMES[tactic].v18.toLowerCase().replaceAll(' ', '-');

/** Adds the names that v18 had for the tactics. */
export const withV18 = (tactics: readonly string[]): string[] => [
  ...new Set(tactics.flatMap((tactic) => [tactic, ...(KNOWN.has(tactic) ? [shortV18(tactic as Tactic)] : [])])),
];

/** Returns the technique that a tag names: `T1059.004`, `attack.t1059`. */
export function techniqueOf(tag: string): string | undefined {
  const word = tag.toUpperCase().replace(/^(?:MITRE|ATTACK)[._]/, '');
  return /^T\d{4}(?:\.\d{3})?$/.test(word) ? word : undefined;
}
