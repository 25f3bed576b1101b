import type { InRecord, OutRecord } from '@ringfence/bus';
import { decode, TOPIC } from '@ringfence/wire';
import type { DecideDeps } from './decide.ts';
import { checkSignature } from './verify.ts';

/** Incidents lie by their own id; what is known of their processes lies by host. So each goes on, as it is, under the key of every host it reached. */
export function createHandOver({
  policies,
  trusted,
}: Pick<DecideDeps, 'policies' | 'trusted'>): (record: InRecord, value: Uint8Array) => readonly OutRecord[] {
  return function handOver(_record, value) {
    const incident = decode('Incident', value);
    if (trusted !== undefined) checkSignature(trusted, 'incident', incident, value);
    if (!policies().watchesIncidents || incident.state !== 'open') return [];
    const hosts = new Set([incident.hostId, ...incident.hosts]);
    return [...hosts].map((key) => ({ topic: TOPIC.hostIncidents, key, value }));
  };
}
