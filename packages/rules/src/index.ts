export { ATTACK_VERSION } from './attack/table.ts';
export { attackTechnique, attackTechniques, servedTactics, type Technique } from './attack/techniques.ts';
export { shortV18, TACTIC_NAMES, TACTICS, type Tactic, tacticOf, techniqueOf } from './attack.ts';
export type { EventKinds, FieldCatalogue, FieldSpec, FieldType, FieldValue, TextSpan } from './catalogue.ts';
export type { Matcher, OnMatch } from './compile/matcher.ts';
export { type Diagnostic, didYouMean, render, type Severity } from './diagnostics.ts';
export { StateError } from './errors.ts';
export { type Explanation, explain, renderExplanation } from './explain.ts';
export { explainRun, type RunExplainer } from './explain-run.ts';
export type { Expression, Operand } from './expression.ts';
export { compileFilter, type Filter } from './filter.ts';
export type { FilteredForm, FormInterest } from './forms.ts';
export { ruleFileSchema } from './language/json-schema.ts';
export { writeRules } from './language/write-rules.ts';
export { LIMITS } from './limits.ts';
export { isSameCondition } from './lint/implies.ts';
export { lintRules } from './lint/lint.ts';
export { fieldValues, formatOutput, printable } from './output.ts';
export type { RuleSource } from './report.ts';
export {
  ACTIONS,
  type Action,
  type CompiledRule,
  type FirstSeen,
  type OutputPart,
  PRIORITIES,
  PROFILES,
  type Priority,
  type Profile,
  type Threshold,
} from './rule.ts';
export type { FilteredEvents, PathInterest, RuleInterest } from './rule-interest.ts';
export {
  type ChangedSource,
  type CompileOptions,
  compileRules,
  type RuleSet,
  type RuleUpdate,
  updateRules,
} from './rule-set.ts';
export type { Sequence, SequenceMatch, SequenceStep, StepMatch } from './sequence.ts';
export { madeFieldOf } from './sigma/correlation-field.ts';
export type { StateChange } from './state/codec.ts';
export {
  BootMemory,
  type Memories,
  type MemoryLimits,
  type MemoryStats,
  type OnTold,
  RuleMemory,
} from './state/memory.ts';
export { type SeenLimits, SeenState, type SeenStats } from './state/seen.ts';
export type { SequenceLimits, SequenceStats } from './state/sequences.ts';
export type { ThresholdLimits, ThresholdStats } from './state/thresholds.ts';
export type { Witness, WitnessCheck } from './state/witness.ts';
