import {
  type Alert,
  alertId,
  type Command,
  commandId,
  entityId,
  type Incident,
  type IncidentAlert,
  incidentId,
  type LineageProcess,
  type OperatorAction,
  PROCESS_ONLY,
  type Result,
  UNSIGNED,
  u64FromBigInt,
} from '@ringfence/wire';

/** Builders of alerts, incidents and commands for tests behind the detector: one host, and process 100 by default. */
export const EVIDENCE_HOST = '0b0c7c5e-6f0e-4d0a-9b52-0c8f1d3f5a77';
export const EVIDENCE_BOOT = '5b1f7b0a-93cf-4c1c-8f70-5d0f6f9f8f10';
/** µs since the epoch at ktime 0 */
export const EVIDENCE_WALL_OFFSET = 1_790_000_000_000_000;

/** Returns the start time of a process: `pid` seconds after boot. */
export function evidenceStart(pid: number): Buffer {
  return u64FromBigInt(BigInt(pid) * 1_000_000_000n);
}

/** Returns the entity id of the process, in hex. */
export function evidenceEntity(pid: number): string {
  return entityId(EVIDENCE_HOST, EVIDENCE_BOOT, pid, evidenceStart(pid)).toString('hex');
}

export function createTestLineage(pid: number): LineageProcess {
  return {
    entityId: evidenceEntity(pid),
    pid,
    start: evidenceStart(pid),
    executable: '/bin/sh',
    args: 'sh -c id',
    user: 'root',
    containerId: '',
    cgroup: u64FromBigInt(77n),
  };
}

export function createTestAlert(sequence: number, overrides: Partial<Alert> = {}): Alert {
  const events = [`${EVIDENCE_HOST}/${EVIDENCE_BOOT}/${'0'.repeat(16)}/0/0/${sequence}`];
  const rule = overrides.rule ?? 'Shell in container';
  return {
    id: alertId(rule, events),
    rule,
    description: 'a shell was started',
    priority: 'warning',
    tactics: ['execution'],
    techniques: ['T1059.004'],
    tags: [],
    action: 'alert',
    output: `a shell was started (sequence ${sequence})`,
    hostId: EVIDENCE_HOST,
    bootId: EVIDENCE_BOOT,
    timestamp: EVIDENCE_WALL_OFFSET + sequence * 10,
    ktime: sequence * 10,
    events,
    kind: 'exec',
    fields: {},
    lineage: [createTestLineage(100)],
    container: null,
    cgroupPath: '/system.slice',
    incident: '',
    hostname: 'web-1',
    ...UNSIGNED,
    ...overrides,
  };
}

export function createTestIncident(alerts: readonly Alert[], version: number): Incident {
  const [first] = alerts as [Alert];
  const listed = alerts.map(
    (alert): IncidentAlert => ({
      ...processOf(alert),
      id: alert.id,
      rule: alert.rule,
      priority: alert.priority,
      tactics: alert.tactics,
      timestamp: alert.timestamp,
      entityId: alert.lineage[0]?.entityId ?? '',
      output: alert.output,
      why: '',
      techniques: alert.techniques,
      hostId: alert.hostId,
      containerId: '',
      containerName: '',
      action: { kind: 'exec', operation: 'exec', failed: false, objects: {} },
      reason: {
        kind: 'opened',
        rule: '',
        process: null,
        peer: null,
        distance: 0,
        objects: {},
        mergedChain: '',
        mergedBy: '',
      },
      count: 1,
      lastTimestamp: alert.timestamp,
    }),
  );
  return {
    id: incidentId(first.id),
    version,
    state: 'open',
    mergedInto: '',
    hostId: EVIDENCE_HOST,
    title: '',
    severity: 'critical',
    score: version,
    firstSeen: first.timestamp,
    lastSeen: first.timestamp + version,
    stages: [],
    alerts: listed,
    omittedAlerts: 0,
    processes: [
      {
        entityId: evidenceEntity(100),
        parentEntityId: '',
        pid: 100,
        executable: '/bin/sh',
        args: 'sh',
        user: 'root',
        containerId: '',
      },
    ],
    container: null,
    story: [],
    hosts: [],
    joined: [],
    hostname: '',
    lead: { rule: `Version ${version} of a shell`, tactics: first.tactics, executable: '/bin/sh' },
    status: 'new',
    verdict: 'undecided',
    history: [],
    ...UNSIGNED,
  };
}

/** Returns the process of an alert as its incident has it. */
function processOf({ lineage, bootId, cgroupPath, container }: Alert): Pick<IncidentAlert, 'process' | 'target'> {
  const [process] = lineage;
  if (process === undefined) return { process: null, target: null };
  const { entityId, pid, start, executable, user } = process;
  return {
    process: { entityId, pid, executable, user },
    target: { bootId, start, cgroupPath, image: container?.image ?? '' },
  };
}

export function createTestCommand(cause: string): Command {
  return {
    id: commandId(cause, 'kill', evidenceEntity(100), 0),
    action: 'kill',
    mode: 'enforce',
    cause,
    policy: 'demo',
    reason: 'the rule asks for it',
    ordinal: 0,
    ...PROCESS_ONLY,
    hostId: EVIDENCE_HOST,
    bootId: EVIDENCE_BOOT,
    entityId: evidenceEntity(100),
    pid: 100,
    start: evidenceStart(100),
    executable: '/bin/sh',
    issuedAt: EVIDENCE_WALL_OFFSET + 1,
    expiresAt: EVIDENCE_WALL_OFFSET + 30_000_001,
    keyId: '0123456789abcdef',
    signature: Buffer.alloc(64),
  };
}

export function createTestResult(command: Command, overrides: Partial<Result> = {}): Result {
  return {
    id: command.id,
    hostId: EVIDENCE_HOST,
    outcome: 'executed',
    reason: '',
    executable: '/bin/sh',
    at: EVIDENCE_WALL_OFFSET + 2,
    children: 0,
    facts: {},
    ...UNSIGNED,
    ...overrides,
  };
}

export function createTestAction(n: number, overrides: Partial<OperatorAction> = {}): OperatorAction {
  return {
    ...{
      id: n.toString(16).padStart(32, '0'),
      at: 1_790_000_000_000_000 + n,
      hostId: EVIDENCE_HOST,
      hostname: 'web-1',
    },
    ...{ action: 'incident.show', target: 'inc-1', reason: 'a test', uid: 0, user: 'root', claimedUid: 1000 },
    ...{ claimedUser: 'ann', origin: 'socket', command: 'ringfence incident show inc-1', pid: 7 },
    ...{ details: { state: 'triaged' }, ...UNSIGNED },
    ...overrides,
  };
}
