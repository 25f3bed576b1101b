import { TACTICS } from '@ringfence/rules';
import { tacticsOf } from '@ringfence/rules/attack';
import { type Act, type Mode, Priorities, type Priority, type Reach } from '@ringfence/wire';
import { z } from 'zod';
import { OPERATOR } from '../operator-order.ts';

export const name: z.ZodType<string> = z.string().min(1).max(256);
const names = z.array(name).min(1).max(1000);
/** ATT&CK v19 names, as in alerts: defense-evasion of v18 is two tactics. */
const tactics = names.transform((words, context) =>
  words.flatMap((word, at) => {
    const found = tacticsOf(word);
    if (found.length === 0)
      context.addIssue({
        code: 'custom',
        path: [at],
        message: `'${word.slice(0, 64)}' is not an ATT&CK tactic: expected ${TACTICS.join(', ')}`,
      });
    return found;
  }),
);

/** Path of a cgroup; `*` at its end matches any rest. */
const cgroup = z
  .string()
  .max(4096)
  .regex(/^\/[^*]*\*?$/, "expected an absolute cgroup path, such as '/docker/*'; '*' only at its end");

const image = z
  .string()
  .min(1)
  .max(1024)
  .regex(/^[^*]*\*?$/, "expected the name of an image; '*' only at its end");

export const scopeSchema: z.ZodType<Policy['scope']> = z
  .strictObject({ cgroup, 'container.image': image, host: name })
  .partial();

export const whenSchema: z.ZodType<Policy['when']> = z
  .strictObject({
    action: z.literal('kill'),
    priority: z.enum(Priorities),
    rules: names,
    tactics,
    incident: z.strictObject({ severity: z.enum(Priorities), stages: z.int().min(1).max(100) }).partial(),
  })
  .partial()
  .refine((when) => Object.keys(when).length > 0, 'expected at least one of action, priority, rules, tactics, incident')
  .refine((when) => when.incident === undefined || when.action === undefined, {
    message:
      "the alerts of an incident don't have the actions of their rules: use rules, tactics or priority with incident",
    path: ['action'],
  });

/** From the milder one to the stronger one */
export type PolicyMode = Mode;
export const MODES: readonly PolicyMode[] = ['observe', 'enforce'];
export type PolicyAction = Extract<Act, 'kill' | 'suspend'>;
const ACTIONS: readonly PolicyAction[] = ['kill', 'suspend'];
export type PolicyReach = Exclude<Reach, 'host'>;
const REACHES: readonly PolicyReach[] = ['process', 'tree', 'session', 'cgroup'];

const UNITS_MS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
/** A duration as files have it: 10m */
export const durationText: z.ZodType<string> = z
  .string()
  .regex(/^[1-9]\d{0,5}[smhd]$/, "expected a duration such as '90s', '10m', '12h' or '7d'");

/** Returns the ms of such a text. */
export const durationMs = (text: string): number =>
  Number(text.slice(0, -1)) * (UNITS_MS[text.at(-1) as string] as number);

/** Begins the policy's name in commands of playbooks. */
export const PLAYBOOK_PREFIX = 'playbook/';

export const isOfPlaybook = ({ policy }: { readonly policy: string }): boolean => policy.startsWith(PLAYBOOK_PREFIX);

/** A policy of a file. */
export interface Policy {
  readonly policy: string;
  readonly desc: string;
  readonly mode: PolicyMode;
  readonly scope: {
    readonly cgroup?: string | undefined;
    readonly 'container.image'?: string | undefined;
    readonly host?: string | undefined;
  };
  readonly when: {
    readonly action?: 'kill' | undefined;
    /** This priority or a more urgent one */
    readonly priority?: Priority | undefined;
    readonly rules?: readonly string[] | undefined;
    /** Any of them */
    readonly tactics?: readonly string[] | undefined;
    /** The policy looks at incidents; the other conditions select among their alerts. */
    readonly incident?: { readonly severity?: Priority | undefined; readonly stages?: number | undefined } | undefined;
  };
  readonly do: PolicyAction;
  /** How far the action reaches around the process. */
  readonly reach: PolicyReach;
  /** ms until a suspension is taken back; undefined: it lasts until somebody does */
  readonly for?: number | undefined;
}

export const policySchema: z.ZodType<Policy> = z
  .strictObject({
    policy: name
      .refine((text) => text !== OPERATOR, `'${OPERATOR}' stands for the orders of people`)
      .refine((policy) => !isOfPlaybook({ policy }), `'${PLAYBOOK_PREFIX}' stands for the orders of playbooks`),
    desc: z.string().max(10_000).default(''),
    mode: z.enum(MODES),
    scope: scopeSchema.default({}),
    when: whenSchema,
    do: z.enum(ACTIONS),
    reach: z.enum(REACHES).default('tree'),
    for: durationText.transform(durationMs).optional(),
  })
  .refine((policy) => policy.for === undefined || policy.do === 'suspend', {
    message: "only 'do: suspend' can be taken back after a time",
    path: ['for'],
  })
  .refine((policy) => policy.do !== 'suspend' || policy.reach !== 'process', {
    message: "'do: suspend' reaches a tree, a session or a cgroup: a process alone could be continued by its children",
    path: ['reach'],
  });

/** The facts that a policy looks at. */
export interface Subject {
  readonly rule: string;
  readonly priority: Priority;
  readonly tactics: readonly string[];
  /** null: unknown, because the subject is from an incident. */
  readonly action: string | null;
  readonly hostId: string;
  /** Empty: unknown. */
  readonly cgroupPath: string;
  /** Empty: none. */
  readonly image: string;
  /** null: the subject is from an alert. */
  readonly incident: IncidentFacts | null;
}

export interface IncidentFacts {
  readonly id: string;
  readonly severity: Priority;
  /** Distinct tactics */
  readonly stages: number;
}

/** Returns whether the subject is in the scope of a policy or playbook and meets its conditions. */
export function applies(policy: Pick<Policy, 'scope' | 'when'>, subject: Subject): boolean {
  return isInScope(policy.scope, subject) && isWhen(policy.when, subject);
}

function isInScope(scope: Policy['scope'], subject: Subject): boolean {
  return (
    (scope.cgroup === undefined || matches(scope.cgroup, subject.cgroupPath)) &&
    (scope['container.image'] === undefined || matches(scope['container.image'], subject.image)) &&
    (scope.host === undefined || scope.host === subject.hostId)
  );
}

function isWhen(when: Policy['when'], subject: Subject): boolean {
  if ((when.incident === undefined) !== (subject.incident === null)) return false;
  if (when.incident !== undefined && subject.incident !== null) {
    if (!isAtLeast(subject.incident.severity, when.incident.severity)) return false;
    if (subject.incident.stages < (when.incident.stages ?? 0)) return false;
  }
  return (
    (when.action === undefined || when.action === subject.action) &&
    isAtLeast(subject.priority, when.priority) &&
    (when.rules === undefined || when.rules.includes(subject.rule)) &&
    (when.tactics === undefined || when.tactics.some((tactic) => subject.tactics.includes(tactic)))
  );
}

function isAtLeast(priority: Priority, least: Priority | undefined): boolean {
  return least === undefined || Priorities.indexOf(priority) >= Priorities.indexOf(least);
}

/** An unknown cgroup or image is in no scope: `*` does not match empty text. */
function matches(pattern: string, text: string): boolean {
  if (text === '') return false;
  return pattern.endsWith('*') ? text.startsWith(pattern.slice(0, -1)) : text === pattern;
}

/**
 * Sorts policies by precedence: more keys in the scope, then the longer cgroup, then `enforce`, then the name. So an
 * exception is a policy with a narrower scope.
 */
export function comparePolicies(a: Policy, b: Policy): number {
  return (
    Object.keys(b.scope).length - Object.keys(a.scope).length ||
    (b.scope.cgroup?.length ?? 0) - (a.scope.cgroup?.length ?? 0) ||
    MODES.indexOf(b.mode) - MODES.indexOf(a.mode) ||
    (a.policy < b.policy ? -1 : 1)
  );
}
