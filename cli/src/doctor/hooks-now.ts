import type { CollectorStats } from '@ringfence/collector';
import type { ApiClient } from '../api/client.ts';
import type { Status } from '../app/status.ts';
import { bad, type Check, ok } from './checks.ts';

const NAME = 'the agent now';

/** Whether an agent that runs lacks hooks that this kernel has; no check where none runs. */
export async function checkHooksNow(client: Pick<ApiClient, 'running' | 'json'>): Promise<Check[]> {
  if (!(await client.running())) return [];
  const { services } = await client.json<Status>('/status');
  const collector = services.find(({ name }) => name === 'collector')?.stats as CollectorStats | undefined;
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
