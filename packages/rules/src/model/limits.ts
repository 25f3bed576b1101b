import { SEQUENCE_LIMITS } from '@ringfence/sequence-store';

const RULE_LIMITS = {
  /** Characters of a rule file. */
  sourceLength: 2_097_152,
  /** Items (rules, macros, lists) of a file. */
  itemsPerSource: 10_000,
  /** YAML aliases of a file. Their targets are looked up, never copied. */
  aliasesPerSource: 100,
  /** Nesting of YAML collections; a rule needs three levels. */
  yamlDepth: 16,
  /** Characters of a condition. */
  conditionLength: 65_536,
  /** Nesting of parentheses, `not`s and macros. */
  depth: 64,
  /** Levels of a rule's condition with its macros expanded. */
  height: 256,
  /** Nodes of a rule's condition; a macro counts each time it is used. */
  nodes: 20_000,
  /** YAML values of a file; an aliased value counts each time it is used. */
  yamlValues: 400_000,
  /** Expanded list values of all rules together. */
  listExpansion: 4_000_000,
  /** Values of a list, including those of the lists it names. */
  listEntries: 100_000,
  /** Characters of a regular expression. */
  regexLength: 4096,
  /** Instructions of a compiled regular expression: matching takes at most this many steps per character. */
  regexProgram: 10_000,
  /** Diagnostics reported for a file; the rest are counted. */
  diagnosticsPerSource: 100,
  /** Literals that index a rule; a rule with more is evaluated on every event. */
  literalsPerRule: 5_000,
  /** Characters of all literals that index the rules of one kind; each may take a branch of a tree. */
  indexCharacters: 500_000,
  /**
   * Cells of a table that finds literals (4 bytes each). Rules whose literals don't fit are evaluated on every event.
   */
  tableCells: 4_194_304,
  /** Events that a threshold can ask for. */
  thresholdEvents: 1_000_000,
  /** Sum that a threshold can ask for. */
  thresholdSum: 1_000_000_000_000_000,
  /** Distinct numbers that a summary keeps exactly. With more it keeps three digits of each, then two, then one. */
  summaryNumbers: 1_000,
  /** Fields of a `by`. */
  keys: 8,
  /** Characters of a text that a sequence keeps. */
  keptText: 4_096,
  /** Characters of one value of a key; a longer value counts by its hash. */
  keyText: 256,
  /** How late an event may come and still take its place in the order of a sequence, in µs. */
  latenessUs: 2_000_000,
  /**
   * How far events may be ahead of a tick, in µs. Beyond it the clock of sequences is set back and keys with such times
   * are evicted.
   */
  clockAheadUs: 600_000_000,
  /** Rules that lint compares in pairs. With more, it finds only identical conditions. */
  comparedRules: 1_500,
  /** Characters of one value in an output line. */
  outputValue: 1_024,
} as const;

interface Shared {
  /** Distinct values, runs or alerts that a rule can ask for; each of these events is remembered by itself. */
  readonly thresholdCount: number;
}

/** Rule files may come from anyone. These limits bound the time and memory of loading and matching any file. */
export const LIMITS: typeof SEQUENCE_LIMITS & typeof RULE_LIMITS & Shared = {
  ...SEQUENCE_LIMITS,
  ...RULE_LIMITS,
  thresholdCount: SEQUENCE_LIMITS.runs,
};
