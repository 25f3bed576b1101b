import type { CollectorStats } from '@ringfence/collector';
import type { Status } from '@ringfence/runtime/status';
import { type Check, failed, passed } from './check.ts';

const NAME = 'running agent';

/** Checks whether the running agent lacks hooks that this kernel has. Returns no check when no agent runs. */
export function checkRunningAgent(running: Pick<Status, 'services'> | null): Check[] {
  const collector = running?.services.find(({ name }) => name === 'collector')?.stats as CollectorStats | undefined;
  if (collector === undefined) return [];
  const { hooks, retriedHooks: missing } = collector;
  if (missing.length === 0) return [passed(NAME, `${hooks} hooks attached`)];
  return [
    failed(
      NAME,
      `${hooks} hooks attached, missing ${missing.join(', ')}: ringfence stats shows why`,
      'their events are not seen until the hooks are attached; the agent retries at least every 5 minutes',
      'systemctl restart ringfence',
    ),
  ];
}
