import { type Act, Acts, type Reach, Reaches } from '@ringfence/wire';
import { z } from 'zod';
import { durationText, MODES, name, type Policy, type PolicyMode, scopeSchema, whenSchema } from '../policy/policy.ts';
import { compileCondition } from './condition.ts';
import { valueProblem } from './values.ts';

const STEPS_MAX = 32;
const PARAMETERS_MAX = 16;
const VALUE_MAX = 4096;
const CONDITION_MAX = 1024;
/** A run keeps its steps, so that a changed playbook does not change it. */
const STORED_MAX = 16_384;
const NAMED_AFTER_PROCESS: readonly string[] = ['pid', 'start', 'reach'];

export type StepAct = Exclude<Act, 'undo'>;
const STEP_ACTS = Acts.filter((act): act is StepAct => act !== 'undo');
/** Acts whose process is a part of the command; the others are about the host. */
const ABOUT_PROCESSES: readonly StepAct[] = ['kill', 'suspend'];
/** What nothing takes back */
const FINAL: readonly StepAct[] = ['kill', 'collect'];

/** What follows when a step's action is refused, fails, or stays unanswered. */
export type OnFailure = 'stop' | 'continue' | 'undo';

/** A step as files and the state of runs have it: durations are text. */
export interface Step {
  readonly name: string;
  /** Pause before everything else of the step */
  readonly wait?: string | undefined;
  /** Condition in the language of rules; the step is skipped where it does not hold. */
  readonly if?: string | undefined;
  /** undefined: the step only waits */
  readonly do?: StepAct | undefined;
  /** `host`: the command names no process. */
  readonly reach: Reach;
  readonly parameters: Readonly<Record<string, string>>;
  /** Time until the action is taken back; undefined: somebody does */
  readonly for?: string | undefined;
  /** Approvals that the command needs */
  readonly approve: number;
  /** Deadline for the approvals, and then for the Result */
  readonly within?: string | undefined;
  readonly on_failure: OnFailure;
}

/** A playbook of a file. */
export interface Playbook extends Pick<Policy, 'desc' | 'mode' | 'scope' | 'when'> {
  readonly playbook: string;
  readonly mode: PolicyMode;
  /** `incident`: one run for an incident, about the first process that fits; `process`: one for each such process */
  readonly per: 'incident' | 'process';
  readonly steps: readonly Step[];
}

export const takesBack = (act: StepAct): boolean => !FINAL.includes(act);

const text = z
  .union([z.string(), z.number().transform(String), z.boolean().transform(String)])
  .pipe(z.string().min(1).max(VALUE_MAX));

const PARAMETER = /^[a-z][A-Za-z0-9_]{0,63}$/;

const parameters = z
  .record(z.string(), text)
  .refine((given) => Object.keys(given).length <= PARAMETERS_MAX, `expected at most ${PARAMETERS_MAX} parameters`);

const NAME = /^[a-z][a-z0-9_]{0,31}$/;

/** A step as people write it */
const writtenStep = z.strictObject({
  name: z.string().regex(NAME, "expected a name of a-z, 0-9 and _, such as 'first_look'").optional(),
  wait: durationText.optional(),
  if: z.string().min(1).max(CONDITION_MAX).optional(),
  do: z.enum(STEP_ACTS).optional(),
  reach: z.enum(Reaches).optional(),
  parameters: parameters.default({}),
  for: durationText.optional(),
  approve: z.int().min(0).max(2).default(0),
  within: durationText.optional(),
  on_failure: z.enum(['stop', 'continue', 'undo']).default('stop'),
});

type WrittenStep = z.infer<typeof writtenStep>;

/**
 * Steps with their names and reaches. What it returns it reads again as the same. A step with a mistake does not hide
 * those of the others.
 */
export const stepsSchema: z.ZodType<readonly Step[]> = z
  .array(z.unknown())
  .min(1)
  .max(STEPS_MAX)
  .transform((written, context) => {
    const steps = written.map((step, index) => {
      const parsed = writtenStep.safeParse(step);
      if (parsed.success) return completed(parsed.data, index);
      for (const issue of parsed.error.issues)
        context.issues.push({ ...issue, input: step, path: [index, ...issue.path] } as z.core.$ZodRawIssue);
      return nameOfWritten(step);
    });
    checkSteps(steps, context);
    return steps.filter((step) => typeof step !== 'string');
  });

/** The name under which other steps ask about a step with mistakes */
function nameOfWritten(step: unknown): string {
  const { name: own, do: act } = { ...(step as object | null) } as Record<string, unknown>;
  for (const each of [own, act]) if (typeof each === 'string' && NAME.test(each)) return each;
  return '';
}

function completed(step: WrittenStep, index: number): Step {
  const own = step.do === undefined ? `wait_${index + 1}` : step.do;
  return { ...step, name: step.name ?? own, reach: step.reach ?? defaultReach(step.do) };
}

function defaultReach(act: StepAct | undefined): Reach {
  if (act === 'collect') return 'process';
  return act !== undefined && ABOUT_PROCESSES.includes(act) ? 'tree' : 'host';
}

type Report = (path: readonly PropertyKey[], message: string, offset?: number) => void;

/** A step with mistakes is its name alone. */
function checkSteps(steps: readonly (Step | string)[], context: z.core.$RefinementCtx): void {
  const report: Report = (path, message, offset = 0) =>
    void context.addIssue({ code: 'custom', path: [...path], message, params: { offset } });
  if (JSON.stringify(steps).length > STORED_MAX)
    report([], `the steps have more than ${STORED_MAX} characters: a run keeps them, so make them shorter`);
  const earlier: string[] = [];
  for (const [index, step] of steps.entries()) {
    if (typeof step !== 'string') checkStep(step, (path, ...rest) => report([index, ...path], ...rest), earlier);
    const own = typeof step === 'string' ? step : step.name;
    if (own !== '') earlier.push(own);
  }
}

function checkStep(step: Step, report: Report, earlier: readonly string[]): void {
  const { name: own, do: act } = step;
  if (earlier.includes(own))
    report(act === undefined ? [] : ['do'], `an earlier step is called '${own}': give this one another 'name'`);
  if (step.if !== undefined)
    for (const { message, hint, column } of compileCondition(step.if, earlier).problems)
      report(['if'], hint === '' ? message : `${message}; hint: ${hint}`, column - 1);
  if (act === undefined) checkPause(step, report);
  else checkAct(act, step, report);
}

function checkPause(step: Step, report: Report): void {
  if (step.wait === undefined) report([], "a step needs 'do', 'wait' or both");
  for (const key of ['for', 'within'] as const)
    if (step[key] !== undefined) report([key], `'${key}' belongs to a step with 'do'`);
  if (step.approve > 0) report(['approve'], "'approve' belongs to a step with 'do'");
}

/** The one check of any action with any parameters; their meaning is checked by the agent, which has the actions. */
function checkAct(act: StepAct, step: Step, report: Report): void {
  const isAboutProcesses = ABOUT_PROCESSES.includes(act);
  if (step.for !== undefined && !takesBack(act)) report(['for'], `nothing takes '${act}' back after a time`);
  if (isAboutProcesses && step.reach === 'host')
    report(['reach'], `'do: ${act}' reaches a process, tree, session or cgroup`);
  if (act === 'suspend' && step.reach === 'process')
    report(['reach'], "'do: suspend' reaches a tree, a session or a cgroup: children could continue a process alone");
  if (!isAboutProcesses && !['process', 'host'].includes(step.reach))
    report(['reach'], `'do: ${act}' is about the process or the host: expected process or host`);
  for (const [parameter, value] of Object.entries(step.parameters)) {
    if (!PARAMETER.test(parameter)) report(['parameters', parameter], "expected a parameter's name, such as 'what'");
    if (NAMED_AFTER_PROCESS.includes(parameter))
      report(['parameters', parameter], `'${parameter}' comes from the process of the run: leave it out`);
    const problem = valueProblem(value);
    if (problem !== null) report(['parameters', parameter], problem);
  }
}

const keys = {
  playbook: name.refine((given) => given.length <= 64, 'expected at most 64 characters'),
  desc: z.string().max(10_000).default(''),
  mode: z.enum(MODES).default('observe'),
  scope: scopeSchema.default({}),
  when: whenSchema,
  per: z.enum(['incident', 'process']).default('incident'),
};

export const playbookSchema: z.ZodType<Playbook> = z.strictObject({ ...keys, steps: stepsSchema });

/** The keys alone, for the JSON Schema: it has no checks between steps. */
export const playbookKeys: z.ZodType = z.strictObject({ ...keys, steps: z.array(writtenStep).min(1).max(STEPS_MAX) });
