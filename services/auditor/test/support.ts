import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { InRecord } from '@ringfence/bus';
import {
  EVIDENCE_BOOT,
  EVIDENCE_HOST,
  EVIDENCE_WALL_OFFSET,
  evidenceEntity,
  evidenceStart,
} from '@ringfence/synthetic';
import {
  asBuffer,
  type Credentials,
  type Event,
  EventBatchWriter,
  LANE,
  type Process,
  typeOf,
  U64_ZERO,
  u64FromBigInt,
} from '@ringfence/wire';

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

export function createTestProcess(pid: number, overrides: Partial<Process> = {}): Process {
  return {
    entityId: Buffer.from(evidenceEntity(pid), 'hex'),
    pid,
    start: evidenceStart(pid),
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
    executableCtime: 0,
    sha256: Buffer.alloc(0),
    hashState: '',
    scriptInode: U64_ZERO,
    scriptDevice: 0,
    scriptCtime: 0,
    scriptSha256: Buffer.alloc(0),
    scriptHashState: '',
    processGroup: 0,
    processSession: 0,
    startedAs: Buffer.alloc(0),
    serverPort: 0,
    localServerPort: 0,
    environment: Buffer.alloc(0),
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
      count: 1,
      reached: text(''),
      received: false,
      created: false,
      rawPath: text(''),
      realInode: U64_ZERO,
      realDevice: 0,
      generation: 0,
    },
  };
}

export function execBody(path: string, argv: readonly string[], cwd = '/root'): Body {
  return {
    'ringfence.Exec': {
      snapshot: false,
      parentTgid: 1,
      parentStart: evidenceStart(1),
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
      environment: text(''),
      interpreter: text(''),
      script: text(''),
      scriptInode: U64_ZERO,
      scriptDevice: 0,
      scriptCtime: 0,
      processGroup: 0,
      processSession: 0,
      realInode: U64_ZERO,
      realDevice: 0,
      generation: 0,
    },
  };
}

export function gapBody(reason: string): Body {
  return { 'ringfence.Gap': { ofLane: LANE.bulk, ofCpu: 0, from: 5, to: 9, reason, total: 5 } };
}

export interface TestEvent {
  /** Index into the batch's processes */
  readonly process: number;
  readonly sequence: number;
  /** µs. @default sequence × 10 */
  readonly ktime?: number;
  readonly body: Body;
}

/** Creates a framed EventBatch. */
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
      start: evidenceStart(pid),
      cgroup: u64FromBigInt(77n),
      execId: 1,
      body,
    };
    const bytes = typeOf('Event').toBuffer(event);
    writer.add(process, -1, -1, -1, '', bytes, 0, bytes.length);
  }
  const origin = {
    hostId: EVIDENCE_HOST,
    bootId: EVIDENCE_BOOT,
    run: u64FromBigInt(99n),
    wallOffset: EVIDENCE_WALL_OFFSET,
    sentAt: 0,
    receivedAt: 0,
  };
  return writer.finish({ ...origin, lanes: [], containers: [], peers: [], processes });
}

export function inRecord(topic: string, offset: number, value: Uint8Array | null): InRecord {
  return {
    topic,
    partition: 0,
    offset,
    key: EVIDENCE_HOST,
    value: value === null ? null : asBuffer(value),
    timestamp: EVIDENCE_WALL_OFFSET,
  };
}
