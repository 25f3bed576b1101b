import { compileFilter, type FieldCatalogue, type FieldSpec } from '@ringfence/rules';
import type { RunStart } from '@ringfence/wire';
import { runValue, VALUE_NAMES } from './values.ts';

/** How a step ended: as its Result says, or without one. */
export const STEP_OUTCOMES = [
  'executed',
  'gone',
  'refused',
  'expired',
  'failed',
  'unanswered',
  'unapproved',
  'no-value',
  'skipped',
] as const;

/** A step that has ended, as conditions see it. */
export interface StepFacts {
  readonly outcome: string;
  readonly reason: string;
  /** Descendants of a killed process that live on; -1: not known */
  readonly left: number;
}

/** What a condition looks at. */
export interface RunFacts {
  readonly run: RunStart;
  readonly hostId: string;
  /** Steps that have ended, by their names */
  readonly steps: ReadonlyMap<string, StepFacts>;
}

export interface ConditionProblem {
  /** From 1, in UTF-16 units */
  readonly column: number;
  readonly message: string;
  /** Empty: no hint */
  readonly hint: string;
}

export interface Condition {
  /** undefined: it has problems */
  readonly holds: ((facts: RunFacts) => boolean) | undefined;
  readonly problems: readonly ConditionProblem[];
}

const ONE_KIND = { names: ['run'], of: () => 0 };

/** Compiles a condition in the language of rules. `earlier`: the names of the steps that it may ask about. */
export function compileCondition(text: string, earlier: readonly string[]): Condition {
  const { holds, diagnostics } = compileFilter(text, 'if', catalogueOf(earlier), ONE_KIND);
  return { holds, problems: diagnostics.filter(({ severity }) => severity === 'error') };
}

function catalogueOf(earlier: readonly string[]): FieldCatalogue<RunFacts> {
  return { fields: [...FIELDS, ...earlier.flatMap(stepFields)] };
}

const FIELDS: readonly FieldSpec<RunFacts>[] = [
  ...VALUE_NAMES.map(
    (name): FieldSpec<RunFacts> => ({
      ...{ name, type: 'string', doc: `The value ${name} of the run.` },
      get: ({ run, hostId }) => runValue(name, run, hostId),
    }),
  ),
  {
    ...{ name: 'incident.stages', type: 'number', doc: 'Distinct tactics of the incident.' },
    get: ({ run }) => (run.stages === 0 ? undefined : run.stages),
  },
  { name: 'rule.priority', type: 'string', doc: 'Priority of the alert.', get: ({ run }) => run.priority },
];

function stepFields(step: string): FieldSpec<RunFacts>[] {
  return [
    {
      ...{ name: `${step}.outcome`, type: 'string', doc: `How the step ${step} ended.`, oneOf: STEP_OUTCOMES },
      get: ({ steps }) => steps.get(step)?.outcome,
    },
    { name: `${step}.reason`, type: 'string', doc: 'The reason.', get: ({ steps }) => steps.get(step)?.reason },
    {
      ...{ name: `${step}.left`, type: 'number', doc: 'Descendants of the killed process that live on.' },
      get: ({ steps }) => {
        const left = steps.get(step)?.left ?? -1;
        return left < 0 ? undefined : left;
      },
    },
  ];
}
