import type { CollectorStats } from '@ringfence/collector';
import type { Status } from '@ringfence/runtime/status';
import { bad, type Check, ok } from './checks.ts';

const NAME = 'the agent now';

/** Whether an agent that runs lacks hooks that this kernel has; no check where none runs. */
export function checkHooksNow(running: Pick<Status, 'services'> | null): Check[] {
  const collector = running?.services.find(({ name }) => name === 'collector')?.stats as CollectorStats | undefined;
  if (collector === undefined) return [];
  const { hooks, retriedHooks: lacking } = collector;
  if (lacking.length === 0) return [ok(NAME, `${hooks} hooks in place`)];
  return [
    bad(
      NAME,
      `${hooks} hooks in place, not ${lacking.join(', ')}: ringfence stats says why`,
      'what they see is not seen, until they come: each is tried again, at least every 5 minutes',
      'systemctl restart ringfence',
    ),
  ];
}
