import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BusLog, InRecord } from '@ringfence/bus';
import {
  type Alert,
  alertId,
  asBuffer,
  type Command,
  type Credentials,
  commandId,
  createSigningKey,
  type Event,
  EventBatchWriter,
  encode,
  entityId,
  type Incident,
  type IncidentAlert,
  incidentId,
  LANE,
  type Process,
  type Result,
  typeOf,
  U64_ZERO,
  u64FromBigInt,
} from '@ringfence/schema';

export const HOST = '0b0c7c5e-6f0e-4d0a-9b52-0c8f1d3f5a77';
export const BOOT = '5b1f7b0a-93cf-4c1c-8f70-5d0f6f9f8f10';
/** µs since the epoch of ktime 0 */
export const WALL_OFFSET = 1_790_000_000_000_000;

export const silent: BusLog = { info: () => {}, warn: () => {}, error: () => {} };

export interface TempDir extends Disposable {
  readonly path: string;
}

export function tempDir(): TempDir {
  const path = mkdtempSync(join(tmpdir(), 'rf-auditor-'));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

const text = (value: string) => ({ bytes: Buffer.from(value), length: Buffer.byteLength(value) });
const namespaces = { mnt: 1, pid: 2, net: 3, user: 4, uts: 5, ipc: 6, cgroup: 7, pidInNs: 8 };

export function credentials(uid = 0): Credentials {
  const ids = { uid, gid: uid, euid: uid, egid: uid, suid: uid, sgid: uid, fsuid: uid, fsgid: uid };
  return { ...ids, capEffective: U64_ZERO, capPermitted: U64_ZERO, capInheritable: U64_ZERO };
}

export function startOf(pid: number): Buffer {
  return u64FromBigInt(BigInt(pid) * 1_000_000_000n);
}

export function entityOf(pid: number): string {
  return entityId(HOST, BOOT, pid, startOf(pid)).toString('hex');
}

export function createTestProcess(pid: number, overrides: Partial<Process> = {}): Process {
  return {
    entityId: Buffer.from(entityOf(pid), 'hex'),
    pid,
    start: startOf(pid),
    execId: 1,
    parent: -1,
    container: -1,
    cgroup: u64FromBigInt(77n),
    executable: Buffer.from(`/usr/bin/program-${pid}`),
    executableInode: u64FromBigInt(4711n),
    executableDevice: 1,
    execFlags: 0,
    args: Buffer.from(`program-${pid}\0--run\0`),
    argsLength: 16,
    cwd: Buffer.from('/'),
    credentials: credentials(),
    user: 'root',
    namespaces,
    loginuid: 0,
    sessionId: 1,
    tty: 0,
    stdioSockets: 0,
    ...overrides,
  };
}

type Body = Event['body'];

export function openBody(path: string): Body {
  return {
    'ringfence.Open': {
      inode: U64_ZERO,
      device: 1,
      flags: 0,
      result: 3,
      mode: 33188,
      sourceCaller: false,
      path: text(path),
    },
  };
}

export function execBody(path: string, argv: readonly string[], cwd = '/root'): Body {
  return {
    'ringfence.Exec': {
      snapshot: false,
      parentTgid: 1,
      parentStart: startOf(1),
      inode: U64_ZERO,
      device: 1,
      ctime: 0,
      mtime: 0,
      mode: 33261,
      owner: 0,
      flags: 0,
      credentials: credentials(),
      namespaces,
      loginuid: 0,
      sessionId: 1,
      tty: 0,
      argc: argv.length,
      stdioSockets: 0,
      path: text(path),
      filename: text(path),
      cwd: text(cwd),
      argv: text(argv.map((arg) => `${arg}\0`).join('')),
    },
  };
}

export function gapBody(reason: string): Body {
  return { 'ringfence.Gap': { ofLane: LANE.bulk, ofCpu: 0, from: 5, to: 9, reason } };
}

export interface TestEvent {
  /** index in the batch's processes */
  readonly process: number;
  readonly sequence: number;
  /** µs; @default sequence × 10 */
  readonly ktime?: number;
  readonly body: Body;
}

/** A framed EventBatch. */
export function createTestBatch(processes: readonly Process[], events: readonly TestEvent[]): Buffer {
  const writer = new EventBatchWriter();
  for (const { process, sequence, ktime = sequence * 10, body } of events) {
    const pid = processes[process]?.pid ?? 0;
    const event: Event = {
      lane: LANE.security,
      cpu: 0,
      sequence,
      ktime,
      late: false,
      tgid: pid,
      tid: pid,
      start: startOf(pid),
      cgroup: u64FromBigInt(77n),
      execId: 1,
      body,
    };
    const bytes = typeOf('Event').toBuffer(event);
    writer.add(process, -1, -1, -1, '', bytes, 0, bytes.length);
  }
  const origin = { hostId: HOST, bootId: BOOT, run: u64FromBigInt(99n), wallOffset: WALL_OFFSET };
  return writer.finish({ ...origin, lanes: [], containers: [], processes });
}

export function createTestAlert(sequence: number, overrides: Partial<Alert> = {}): Alert {
  const events = [`${HOST}/${BOOT}/${'0'.repeat(16)}/0/0/${sequence}`];
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
    hostId: HOST,
    bootId: BOOT,
    timestamp: WALL_OFFSET + sequence * 10,
    ktime: sequence * 10,
    events,
    kind: 'exec',
    fields: {},
    lineage: [
      {
        entityId: entityOf(100),
        pid: 100,
        start: startOf(100),
        executable: '/bin/sh',
        args: 'sh -c id',
        user: 'root',
        containerId: '',
        cgroup: u64FromBigInt(77n),
      },
    ],
    container: null,
    cgroupPath: '/system.slice',
    ...overrides,
  };
}

export function createTestIncident(alerts: readonly Alert[], version: number): Incident {
  const [first] = alerts as [Alert];
  const listed = alerts.map(
    (alert): IncidentAlert => ({
      id: alert.id,
      rule: alert.rule,
      priority: alert.priority,
      tactics: alert.tactics,
      timestamp: alert.timestamp,
      entityId: alert.lineage[0]?.entityId ?? '',
      output: alert.output,
      why: 'same process',
    }),
  );
  return {
    id: incidentId(first.id),
    version,
    state: 'open',
    mergedInto: '',
    hostId: HOST,
    title: `Version ${version} of a shell`,
    severity: 'critical',
    score: version,
    firstSeen: first.timestamp,
    lastSeen: first.timestamp + version,
    stages: [],
    alerts: listed,
    omittedAlerts: 0,
    processes: [
      {
        entityId: entityOf(100),
        parentEntityId: '',
        pid: 100,
        executable: '/bin/sh',
        args: 'sh',
        user: 'root',
        containerId: '',
      },
    ],
    container: null,
    story: ['root ran /bin/sh'],
  };
}

export function createTestCommand(cause: string): Command {
  return {
    id: commandId(cause, 'kill', entityOf(100), 0),
    action: 'kill',
    mode: 'enforce',
    cause,
    policy: 'demo',
    reason: 'the rule asks for it',
    ordinal: 0,
    hostId: HOST,
    bootId: BOOT,
    entityId: entityOf(100),
    pid: 100,
    start: startOf(100),
    executable: '/bin/sh',
    issuedAt: WALL_OFFSET + 1,
    expiresAt: WALL_OFFSET + 30_000_001,
    keyId: createSigningKey().keyId,
    signature: Buffer.alloc(64),
  };
}

export function createTestResult(command: Command, overrides: Partial<Result> = {}): Result {
  return {
    id: command.id,
    hostId: HOST,
    outcome: 'executed',
    reason: '',
    executable: '/bin/sh',
    at: WALL_OFFSET + 2,
    ...overrides,
  };
}

export function inRecord(topic: string, offset: number, value: Uint8Array | null): InRecord {
  return {
    topic,
    partition: 0,
    offset,
    key: HOST,
    value: value === null ? null : asBuffer(value),
    timestamp: WALL_OFFSET,
  };
}
