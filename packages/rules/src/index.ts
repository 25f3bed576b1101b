export { ATTACK_VERSION } from './attack/table.ts';
export { shortV18, TACTIC_NAMES, TACTICS, type Tactic, tacticOf, techniqueOf } from './attack/tactics.ts';
export { attackTechnique, attackTechniques, servedTactics, type Technique } from './attack/techniques.ts';
export { holds } from './compile/evaluate.ts';
export type { Matcher, OnMatch } from './compile/matcher.ts';
export { type Formula, Formulas, type TestLiteral } from './compile/nodes/formula.ts';
export { type Diagnostic, didYouMean, render, type Severity } from './diagnostics/diagnostics.ts';
export { StateError } from './diagnostics/errors.ts';
export type { RuleSource } from './diagnostics/report.ts';
export { type Explanation, explain, renderExplanation, writeTest } from './explain/explain.ts';
export { explainRun, type RunExplainer } from './explain/explain-run.ts';
export { fieldValues, formatOutput, printable } from './explain/output.ts';
export { compileFilter, type Filter } from './filter.ts';
export type { FilteredForm, FormInterest } from './interest/forms.ts';
export type { FilteredEvents, PathInterest, RuleInterest } from './interest/rule-interest.ts';
export { ruleFileSchema } from './language/file/json-schema.ts';
export { writeRules } from './language/write/write-rules.ts';
export { isSameCondition } from './lint/implies.ts';
export { lintRules } from './lint/lint.ts';
export type { EventKinds, FieldCatalogue, FieldSpec, FieldType, FieldValue, TextSpan } from './model/catalogue.ts';
export {
  type Expression,
  type Literal,
  type Operand,
  readOperand,
  type Test,
  transformed,
} from './model/expression.ts';
export { LIMITS } from './model/limits.ts';
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
} from './model/rule.ts';
export type { Sequence, SequenceMatch, SequenceStep, StepMatch } from './model/sequence.ts';
export {
  type ChangedSource,
  type CompileOptions,
  compileRules,
  type RuleSet,
  type RuleUpdate,
  updateRules,
} from './rule-set.ts';
export { madeFieldOf } from './sigma/correlation/field.ts';
export { type SigmaField, sigmaFields } from './sigma/sources/definitions.ts';
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
