import { join } from 'node:path';
import { RULES } from '../content.ts';
import { readScripts } from '../lab/scripts.ts';

/** How a rule's action is played in a sandbox. */
export interface Action {
  readonly rule: string;
  /** Other rules that match on the recording. */
  readonly also: readonly string[];
  /** Image of the container in which it happens; undefined: on the host. */
  readonly image: string | undefined;
  /** Reason why it is played in a guest; undefined: it is played in a sandbox of this machine. */
  readonly guest: string | undefined;
  /** Shell commands that run before and are not recorded. */
  readonly setup: string;
  readonly script: string;
}

/**
 * Reads rules/recordings/actions. `## NAME` begins the action of the rule NAME. `#in IMAGE` plays it in a container,
 * `#guest REASON` in a guest because it changes the machine as a whole, and `#setup COMMANDS` run before it. `#also
 * RULE` names another rule that matches on the recording.
 */
export function readActions(): Action[] {
  return readScripts(join(RULES, 'recordings/actions')).map(({ title, marks, text }) => ({
    rule: title,
    also: marks['also'] ?? [],
    image: marks['in']?.[0],
    guest: marks['guest']?.[0],
    setup: marks['setup']?.join('\n') ?? '',
    script: text,
  }));
}

const FOREIGN = 'another sensor reports it, not the agent';

/** Rules without a recording, and the reason. */
export const UNRECORDED: Readonly<Record<string, string>> = {
  'Critical alert of another sensor': FOREIGN,
  'Serious alert of another sensor': FOREIGN,
  'Alert of another sensor': FOREIGN,
  'Remark of another sensor': FOREIGN,
  'Agent fell silent': 'the enricher reports it when ticks stop, not an agent',
  'Cgroup flooded the sensor': 'the agent reports it only while its rings fill up faster than it can read them',
  'Events were lost': 'the enricher reports it when events are missing, not an agent',
};
