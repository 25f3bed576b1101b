import { SEQUENCE_LIMITS } from '@ringfence/sequence-store';

const RULE_LIMITS = {
  /** characters in one rule file */
  sourceLength: 2_097_152,
  /** items (rules, macros, lists) in one file */
  itemsPerSource: 10_000,
  /** YAML aliases in one file: what they point at is looked up, never copied out */
  aliasesPerSource: 100,
  /** YAML collections inside each other: a rule needs three */
  yamlDepth: 16,
  /** characters in one condition */
  conditionLength: 65_536,
  /** parentheses, `not`s and macros inside each other */
  depth: 64,
  /** levels of one rule's condition with its macros written out */
  height: 256,
  /** nodes of one rule's condition, its macros counted each time they are used */
  nodes: 20_000,
  /** YAML values of one file, aliased ones counted each time they are used */
  yamlValues: 400_000,
  /** list values written out for all rules together */
  listExpansion: 4_000_000,
  /** values of one list, the lists it names included */
  listEntries: 100_000,
  /** characters of one regular expression */
  regexLength: 4096,
  /** instructions of one compiled regular expression: matching takes this many steps per character at worst */
  regexProgram: 10_000,
  /** diagnostics reported for one file; the rest are counted */
  diagnosticsPerSource: 100,
  /** literals by which one rule may be indexed; a rule with more is asked about every event */
  literalsPerRule: 5_000,
  /** characters of all literals that rules of one kind are indexed by; a tree branch each */
  indexCharacters: 500_000,
  /** cells of a table that finds literals (4 bytes each); rules whose literals don't fit are asked about every event */
  tableCells: 4_194_304,
  /** events a threshold can ask for */
  thresholdEvents: 1_000_000,
  /** a sum that a threshold can ask for */
  thresholdSum: 1_000_000_000_000_000,
  /** different numbers of which a summary remembers each as it is; of more it remembers three digits, then two, then one */
  summaryNumbers: 1_000,
  /** fields of a `by` */
  keys: 8,
  /** characters of a text that a sequence keeps */
  keptText: 4_096,
  /** characters of one value of a key; longer ones count by their hash */
  keyText: 256,
  /** µs by which an event may come late and still take its place in the order of a sequence */
  latenessUs: 2_000_000,
  /** µs by which events may be ahead of a tick: where one was further ahead, the clock of sequences is set back, and what is of that time forgotten */
  clockAheadUs: 600_000_000,
  /** rules that lint compares with each other: each with each; of more it only finds conditions that are the same */
  comparedRules: 1_500,
  /** characters of one value in an output line */
  outputValue: 1_024,
} as const;

interface Shared {
  /** Distinct values, runs or alerts that can be asked for; each of that many events is remembered by itself. */
  readonly thresholdCount: number;
}

/** Rule files may come from anyone. These limits bound the time and memory of loading and matching any file. */
export const LIMITS: typeof SEQUENCE_LIMITS & typeof RULE_LIMITS & Shared = {
  ...SEQUENCE_LIMITS,
  ...RULE_LIMITS,
  thresholdCount: SEQUENCE_LIMITS.runs,
};
