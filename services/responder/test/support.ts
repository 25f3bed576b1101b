import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLog } from '@ringfence/base';
import type { Bus, InRecord } from '@ringfence/bus';
import { localControlPlane } from '@ringfence/control/local';
import type { Control } from '@ringfence/control/port';
import { openCoordination } from '@ringfence/coordination';
import { createTestAlert, EVIDENCE_HOST, EVIDENCE_WALL_OFFSET } from '@ringfence/synthetic';
import {
  type Alert,
  asBuffer,
  type Command,
  decode,
  encode,
  encodeSigned,
  type Incident,
  type Outcome,
  type SigningKey,
  TOPIC,
  verifyRecord,
} from '@ringfence/wire';
import { type Policy, type Responder, type ResponderDeps, startResponder } from '../src/index.ts';
import { signCommand } from '../src/steps/sign-command.ts';
import { type Target, targetOf } from '../src/steps/target.ts';

/** What a rule wants killed dies in these cgroups. */
export const ENFORCING: Policy = {
  policy: 'demo',
  desc: '',
  mode: 'enforce',
  scope: { cgroup: '/ringfence-demo-*' },
  when: { action: 'kill' },
  do: 'kill',
};

export interface TempDir extends Disposable {
  readonly path: string;
}

export function tempDir(): TempDir {
  const path = mkdtempSync(join(tmpdir(), 'rf-responder-'));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

export function alertRecord(alert: Alert, offset: number): InRecord {
  return record(TOPIC.alerts, offset, encode('Alert', alert));
}

export function incidentRecord(incident: Incident, offset: number): InRecord {
  return record(TOPIC.incidents, offset, encode('Incident', incident));
}

export function record(topic: string, offset: number, value: Uint8Array): InRecord {
  return { topic, partition: 0, offset, key: EVIDENCE_HOST, value: asBuffer(value), timestamp: 0 };
}

/** A responder with the policies that come built in, on a coordination of its own, at the time of the evidence. `coordination`: a file. */
export async function startTestResponder(given: {
  readonly bus: Bus;
  readonly key: SigningKey;
  readonly control: Control;
  readonly coordination?: string;
  readonly overrides?: Partial<ResponderDeps>;
}): Promise<Responder> {
  const { bus, key, control, coordination: path = ':memory:', overrides } = given;
  const coordination = overrides?.coordination ?? (await openCoordination({ path }));
  const responder = await startResponder({
    options: {},
    bus,
    key,
    policies: [ENFORCING],
    control: localControlPlane(control),
    coordination,
    log: silentLog,
    now: () => EVIDENCE_WALL_OFFSET,
    ...overrides,
  });
  const close = async (): Promise<void> => {
    await responder.close();
    await coordination?.close();
  };
  return { ...responder, close, [Symbol.asyncDispose]: close };
}

/** An agent that kills for real, but only the processes it was given, and remembers in a file which ids it has carried out. */
export class TestAgent implements Control {
  readonly hostId: string = EVIDENCE_HOST;
  readonly #key: Pick<SigningKey, 'publicKey'>;
  readonly #executed: string;
  readonly #mayKill: ReadonlySet<number>;

  constructor(key: Pick<SigningKey, 'publicKey'>, dir: string, mayKill: readonly number[]) {
    this.#key = key;
    this.#executed = join(dir, 'executed');
    this.#mayKill = new Set(mayKill);
  }

  async execute(bytes: Uint8Array): Promise<Uint8Array> {
    const command = decode('Command', bytes);
    if (!verifyRecord(this.#key.publicKey, bytes)) return answer(command, 'refused', 'bad-signature');
    if (this.executed().includes(command.id)) return answer(command, 'refused', 'already-executed');
    appendFileSync(this.#executed, `${command.id}\n`);
    if (!this.#mayKill.has(command.pid)) return answer(command, 'refused', 'not-the-process');
    process.kill(command.pid, 'SIGKILL');
    return answer(command, 'executed', '');
  }

  async setInterest(): Promise<void> {}

  executed(): string[] {
    return existsSync(this.#executed) ? readFileSync(this.#executed, 'utf8').split('\n').filter(Boolean) : [];
  }
}

export function answer(command: Command, outcome: Outcome, reason: string): Uint8Array {
  const { id, hostId, executable } = command;
  return encodeSigned('Result', { id, hostId, outcome, reason, executable, at: command.issuedAt + 1 }, null);
}

/** A kill of the process of the evidence, signed. */
export function encodeCommand(key: SigningKey, cause: string, hostId: string = EVIDENCE_HOST, ttlMs = 30_000): Buffer {
  const target = { ...(targetOf(createTestAlert(1)) as Target), hostId };
  return signCommand(key, { target, cause, policy: 'demo', mode: 'enforce', reason: '' }, EVIDENCE_WALL_OFFSET, ttlMs);
}
