import { AUDITED_TOPICS } from '@ringfence/auditor/topics';
import type { Bus } from '@ringfence/bus';
import type { GroupQuestion } from '@ringfence/bus-kafka/topics';
import type { ServiceName } from '@ringfence/config';
import { RESPONDER_TOPICS } from '@ringfence/responder/topics';
import { TOPIC } from '@ringfence/wire';

/** Consumer groups of each service with their topics, in the direction of the flow. */
const GROUPS: Readonly<Partial<Record<ServiceName, readonly GroupQuestion[]>>> = {
  enricher: [{ group: 'enricher', topics: [TOPIC.raw, TOPIC.logsRaw] }],
  detector: [
    { group: 'detector', topics: [TOPIC.events, TOPIC.joins, TOPIC.feedback] },
    { group: 'detector-edges', topics: [TOPIC.edges] },
  ],
  responder: [{ group: 'responder', topics: RESPONDER_TOPICS }],
  auditor: [{ group: 'auditor', topics: AUDITED_TOPICS }],
};

export const consumerGroups: readonly GroupQuestion[] = Object.values(GROUPS).flat();

/** Returns how many input records a service of this process has not committed. */
export async function lagOf(bus: Bus, service: ServiceName): Promise<number> {
  const lags = await Promise.all((GROUPS[service] ?? []).map(({ group }) => bus.lag(group)));
  return lags.flatMap((lag) => [...lag.values()]).reduce((sum, records) => sum + records, 0);
}
