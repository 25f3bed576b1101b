import { createHash, randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { Alert, Incident } from '@ringfence/wire';
import { itemOf } from './items/read-item.ts';
import type { Item, SinkKind } from './sink.ts';

const UNSIGNED = { keyId: '', signature: new Uint8Array(64) };

/** Returns items that are marked as a test, of the kinds that a sink sends: an alert, or a closed incident. */
export function testItems(kind: SinkKind, hostId: string, sink: string): Item[] {
  const at = Date.now() * 1000;
  const id = createHash('sha256').update(randomUUID()).digest('hex').slice(0, 32);
  const alert = testAlert(id, hostId, sink, at);
  if (kind.sends.includes('alerts')) return [itemOf('alert', alert, { id, group: id, at })];
  const open = testIncident(alert, 1, 'open');
  const closed = testIncident(alert, 2, 'closed');
  return [open, closed].map((incident) =>
    itemOf('incident', incident, { id: `${id}/${incident.version}`, group: id, at }),
  );
}

function testAlert(id: string, hostId: string, sink: string, timestamp: number): Alert {
  return {
    id,
    rule: 'Test of a sink',
    description: `sent by ringfence sinks test ${sink}`,
    priority: 'informational',
    tactics: [],
    techniques: [],
    tags: ['test'],
    action: 'alert',
    output: `ringfence sinks test ${sink}: nothing happened`,
    hostId,
    bootId: '',
    timestamp,
    ktime: 0,
    events: [],
    kind: 'test',
    fields: {},
    lineage: [],
    container: null,
    cgroupPath: '',
    incident: '',
    hostname: hostname(),
    ...UNSIGNED,
  };
}

function testIncident(alert: Alert, version: number, state: 'open' | 'closed'): Incident {
  const { id, hostId, timestamp } = alert;
  return {
    id,
    version,
    state,
    mergedInto: '',
    hostId,
    title: alert.output,
    severity: 'informational',
    score: 0,
    firstSeen: timestamp,
    lastSeen: timestamp,
    stages: [],
    alerts: [],
    omittedAlerts: 0,
    processes: [],
    container: null,
    story: [],
    hosts: [],
    joined: [],
    status: state === 'open' ? 'new' : 'closed',
    verdict: 'undecided',
    history: [],
    hostname: alert.hostname,
    lead: null,
    ...UNSIGNED,
  };
}
