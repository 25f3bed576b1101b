import { applies } from '../policy/policy.ts';
import { subjectOf } from '../steps/decide.ts';
import type { Candidate } from '../steps/start-runs.ts';
import type { Playbook, Step } from './playbook.ts';

/** A key of `scope` or `when`, and whether it fits. */
export interface ExplainedPart {
  readonly key: string;
  readonly wanted: string;
  readonly holds: boolean;
}

/** Returns each part of the playbook's trigger with whether the candidate fits it. */
export function explainTrigger({ scope, when }: Playbook, { target, summary }: Candidate): ExplainedPart[] {
  const subject = subjectOf(target, summary);
  // A part alone looks at the same kind of record as the whole.
  const kind = when.incident === undefined ? {} : { incident: {} };
  const part = (key: string, wanted: unknown, only: Parameters<typeof applies>[0]): ExplainedPart => ({
    key,
    wanted: typeof wanted === 'string' ? wanted : JSON.stringify(wanted),
    holds: applies(only, subject),
  });
  return [
    ...Object.entries(scope).map(([key, value]) =>
      part(`scope.${key}`, value, { scope: { [key]: value }, when: kind }),
    ),
    ...Object.entries(when).map(([key, value]) =>
      part(`when.${key}`, value, { scope: {}, when: { ...kind, [key]: value } }),
    ),
  ];
}

/** Returns a sentence for each step. */
export function stepSentences(steps: readonly Step[]): string[] {
  return steps.map((step) => {
    const { name, wait, do: act, reach, parameters, for: time, approve, within, on_failure: onFailure } = step;
    const given = Object.entries(parameters).map(([parameter, value]) => `${parameter}=${value}`);
    const parts = [
      ...(wait === undefined ? [] : [`waits ${wait}`]),
      ...(step.if === undefined ? [] : [`if ${step.if}`]),
      ...(approve === 0
        ? []
        : [`needs ${approve === 1 ? 'an approval' : `${approve} approvals`} within ${within ?? '1h'}`]),
      ...(act === undefined ? [] : [[act, ...(reach === 'host' ? [] : [reach]), ...given].join(' ')]),
      ...(time === undefined ? [] : [`for ${time}`]),
      ...(act === undefined ? [] : [`on failure ${onFailure === 'undo' ? 'takes everything back' : `${onFailure}s`}`]),
    ];
    return `${name}: ${parts.join(', ')}`;
  });
}
