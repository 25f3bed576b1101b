import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLog } from '@ringfence/base';
import type { Bus, Effect, InRecord, OutRecord } from '@ringfence/bus';
import { localControlPlane } from '@ringfence/control/local';
import type { Control } from '@ringfence/control/port';
import { openCoordination } from '@ringfence/coordination';
import { createTestAlert, createTestLineage, EVIDENCE_HOST, EVIDENCE_WALL_OFFSET } from '@ringfence/synthetic';
import {
  type Alert,
  asBuffer,
  type Command,
  createSigningKey,
  decode,
  encode,
  encodeSigned,
  type Incident,
  type Outcome,
  type Result,
  type SigningKey,
  TOPIC,
  verifyRecord,
} from '@ringfence/wire';
import {
  compileResponderOptions,
  createPipeline,
  type Policy,
  PolicySet,
  type Responder,
  type ResponderDeps,
  type ResponderOptions,
  startResponder,
} from '../src/index.ts';
import { ResponderMetrics } from '../src/metrics.ts';
import { Memory } from '../src/state/memory.ts';
import { signCommand } from '../src/steps/sign-command.ts';
import { type Target, targetOf } from '../src/steps/target.ts';

/** Enforces `action: kill` of rules in these cgroups. */
export const ENFORCING: Policy = {
  policy: 'demo',
  desc: '',
  mode: 'enforce',
  scope: { cgroup: '/ringfence-demo-*' },
  when: { action: 'kill' },
  do: 'kill',
  reach: 'tree',
};

export const SECOND = 1_000_000;

/** Returns an alert of a rule with `action: kill` about a process of its own, `seconds` after the first alert. */
export function killAlert(sequence: number, overrides: Partial<Alert> = {}, seconds = 0): Alert {
  return createTestAlert(sequence, {
    action: 'kill',
    cgroupPath: '/ringfence-demo-1',
    lineage: [createTestLineage(100 + sequence), createTestLineage(1)],
    timestamp: EVIDENCE_WALL_OFFSET + seconds * SECOND,
    ...overrides,
  });
}

export interface TestPartition {
  readonly key: SigningKey;
  readonly memory: Memory;
  readonly metrics: ResponderMetrics;
  /** Messages that were logged */
  readonly warnings: readonly string[];
  readonly handle: (records: readonly InRecord[]) => Effect;
  /** Handles records one by one, each with the commands that it leads to. Returns all commands and Results. */
  readonly decide: (...records: InRecord[]) => { readonly commands: Command[]; readonly results: Result[] };
}

/** Creates the handler of one partition, without a bus. Time is event time, as in a replay. */
export function createTestPartition(
  setup: {
    readonly policies?: readonly Policy[];
    readonly options?: ResponderOptions;
    readonly memory?: Memory;
    readonly key?: SigningKey;
    readonly now?: (eventTime: number) => number;
  } = {},
): TestPartition {
  const { policies = [ENFORCING], memory = new Memory(), key = createSigningKey(), now = (time) => time } = setup;
  const options = compileResponderOptions(setup.options ?? {});
  const metrics = new ResponderMetrics();
  const set = new PolicySet(policies, options.mode);
  const warnings: string[] = [];
  const handle = createPipeline({
    ...{ options, memory, key, metrics, now, policies: () => set, trusted: undefined, onOpen: () => {} },
    responders: (keyId) => (keyId === key.keyId ? key.publicKey : undefined),
    log: { ...silentLog, warn: (_, message) => void warnings.push(message) },
  });
  const handleAll = (input: InRecord): readonly OutRecord[] => {
    const { outputs } = handle([input]);
    const commands = outputs.filter(({ topic }) => topic === TOPIC.commands);
    const taken = commands.map((out) => ({ ...input, ...out, value: asBuffer(out.value as Uint8Array) }));
    return [...outputs, ...handle(taken).outputs];
  };
  const decide: TestPartition['decide'] = (...records) => {
    const outputs = records.flatMap(handleAll);
    const valuesOf = (topic: string): Uint8Array[] =>
      outputs.flatMap((out) => (out.topic === topic && out.value !== null ? [out.value] : []));
    return {
      commands: valuesOf(TOPIC.commands).map((value) => decode('Command', value)),
      results: valuesOf(TOPIC.results).map((value) => decode('Result', value)),
    };
  };
  return { key, memory, metrics, warnings, handle, decide };
}

/** Kills the process of each alert of a critical incident. */
export const FOR_INCIDENTS: Policy = {
  policy: 'chains',
  desc: '',
  mode: 'enforce',
  scope: { host: EVIDENCE_HOST },
  when: { incident: { severity: 'critical' } },
  do: 'kill',
  reach: 'tree',
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

/**
 * Starts a responder with the policy ENFORCING and a coordination of its own, at the time of the evidence.
 * `coordination`: path of its file.
 */
export async function startTestResponder(setup: {
  readonly bus: Bus;
  readonly key: SigningKey;
  readonly control: Control;
  readonly coordination?: string;
  readonly overrides?: Partial<ResponderDeps>;
}): Promise<Responder> {
  const { bus, key, control, coordination: path = ':memory:', overrides } = setup;
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

/** An agent that really kills, but only the given processes, and keeps the ids of executed commands in a file. */
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
  return encodeSigned(
    'Result',
    { id, hostId, outcome, reason, executable, at: command.issuedAt + 1, children: 0, facts: {} },
    null,
  );
}

/** Returns the signed command to kill the process of the evidence. */
export function encodeCommand(key: SigningKey, cause: string, hostId: string = EVIDENCE_HOST, ttlMs = 30_000): Buffer {
  const target = { ...(targetOf(createTestAlert(1)) as Target), hostId };
  return signCommand(
    key,
    { action: 'kill', reach: 'process', until: 0, target, cause, policy: 'demo', mode: 'enforce', reason: '' },
    EVIDENCE_WALL_OFFSET,
    ttlMs,
  );
}
