/**
 * Two responders, three agents on control streams, Kafka and Redis. At random moments a responder or Redis is killed,
 * or Redis is flushed or disconnected, while alerts request kills of real processes. RINGFENCE_CHAOS_ROUNDS sets the
 * number of rounds.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Bus } from '@ringfence/bus';
import { openKafkaBus } from '@ringfence/bus-kafka';
import { createAgentControl } from '@ringfence/collector/sensorless';
import { type ControlLink, connectControl } from '@ringfence/control';
import { kafkaMissing, type RedisServer, redisMissing, sharedKafka, startRedis } from '@ringfence/dev-servers';
import { startTcpProxy, type TcpProxy } from '@ringfence/dev-servers/in-process';
import { reservePorts } from '@ringfence/dev-servers/tools';
import {
  createAuthority,
  enrol,
  FleetStanding,
  type Identity,
  identityPaths,
  standingPath,
  TrustedKeys,
  watchCertificates,
} from '@ringfence/identity';
import { type Registrar, startRegistrar } from '@ringfence/registrar';
import { createTestAlert, createTestLineage, EVIDENCE_BOOT } from '@ringfence/synthetic';
import { createLogger } from '@ringfence/telemetry';

import { decode, encodeSigned, type Result, type Role, TOPIC, topicsWith, u64ToBigInt } from '@ringfence/wire';
import type { ResponderChild } from './lib/responder-child.ts';

const ROUNDS = Number(process.env['RINGFENCE_CHAOS_ROUNDS'] ?? '8');
const PARTITIONS = 4;
const HOSTS = 3;
const KILLS_PER_ROUND = 6;
const log = createLogger({ level: 'silent' });
const skip = kafkaMissing() ?? redisMissing() ?? false;

/** Servers, identities and topics of a fleet. */
class Fleet {
  readonly stack = new AsyncDisposableStack();
  readonly path = mkdtempSync(join(tmpdir(), 'ringfence-responders-'));
  readonly topicPrefix = `chaos-${process.pid}-`;
  brokers: readonly string[] = [];
  bus!: Bus;
  redis!: RedisServer;
  /** Proxy between the responders and Redis */
  redisProxy!: TcpProxy;
  #registrar!: Registrar;

  async start(): Promise<void> {
    this.stack.defer(() => rmSync(this.path, { recursive: true, force: true }));
    this.brokers = (await sharedKafka()).bootstrap;
    this.redis = this.stack.use(await startRedis());
    this.redisProxy = this.stack.use(await startTcpProxy(this.redis.port));
    this.bus = this.stack.use(await openKafkaBus({ brokers: this.brokers, topicPrefix: this.topicPrefix }));
    await this.bus.ensureTopics(topicsWith(PARTITIONS));
    const ca = await createAuthority(join(this.path, 'ca'));
    const options = { port: 0, names: ['127.0.0.1'] };
    this.#registrar = this.stack.use(await startRegistrar({ options, bus: this.bus, ca, log }));
  }

  directory(subject: string): string {
    return join(this.path, subject);
  }

  enrol(subject: string, role: Role): Promise<Identity> {
    const token = this.#registrar.createToken({ roles: [role], subject, hosts: role === 'agent' ? [] : ['localhost'] });
    const directory = this.directory(subject);
    return enrol({ registrar: this.#registrar.url, token, subject, roles: [role], directory });
  }
}

/** Responder processes that a test can kill and start again. */
class Responders {
  readonly ports: readonly number[];
  readonly output: string[] = [];
  readonly #fleet: Fleet;
  readonly #children: ChildProcess[] = [];

  constructor(fleet: Fleet, ports: readonly number[]) {
    this.#fleet = fleet;
    this.ports = ports;
  }

  start(index: number): void {
    const { brokers, topicPrefix, redisProxy } = this.#fleet;
    const identity = this.#fleet.directory(`responder-${index}`);
    const options: ResponderChild = {
      brokers,
      topicPrefix,
      redis: `redis://${redisProxy.address}`,
      identity,
      port: this.ports[index] as number,
    };
    const script = fileURLToPath(new URL('./lib/responder-child.ts', import.meta.url));
    const flags = [
      '--conditions=@ringfence/source',
      '--disable-warning=ExperimentalWarning',
      '--max-old-space-size=192',
    ];
    const child = spawn(process.execPath, [...flags, script, JSON.stringify(options)], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => this.output.push(String(chunk)));
    this.#children[index] = child;
  }

  async kill(index: number): Promise<void> {
    const child = this.#children[index];
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const index of this.#children.keys()) await this.kill(index);
  }
}

/** The control of an agent. It really kills processes, but only children of this test. */
class Agent {
  readonly hostId: string = randomUUID();
  readonly answers: Result[] = [];
  readonly victims = new Map<number, ChildProcess>();
  link: ControlLink | undefined;

  async start(fleet: Fleet, ports: readonly number[]): Promise<void> {
    const { root } = await fleet.enrol(this.hostId, 'agent');
    const standing = new FleetStanding(root, { path: standingPath(fleet.directory(this.hostId)) });
    const trusted = new TrustedKeys(root, 'responder', standing);
    const control = createAgentControl({
      hostId: this.hostId,
      bootId: EVIDENCE_BOOT,
      trustedKeys: trusted,
      stateDir: join(fleet.path, `state-${this.hostId}`),
      killsPerMinute: 10_000,
      find: (tgid) =>
        this.victims.has(tgid)
          ? {
              tgid,
              start: u64ToBigInt(createTestLineage(tgid).start),
              parentTgid: process.pid,
              executable: '/bin/sleep',
            }
          : null,
      list: () => [],
      isProtected: () => null,
      setInterest: () => {},
      log,
    });
    const observedControl = {
      hostId: this.hostId,
      execute: async (command: Uint8Array) => {
        const answer = await control.execute(command);
        this.answers.push(decode('Result', answer));
        return answer;
      },
      setInterest: async () => {},
    };
    this.link = fleet.stack.use(
      connectControl({
        endpoints: ports.map((port) => `localhost:${port}`),
        tls: watchCertificates(identityPaths(fleet.directory(this.hostId))),
        control: observedControl,
        trusted,
        standing,
        bootId: EVIDENCE_BOOT,
        agentVersion: 'test',
        log,
        backoffMs: 50,
        maxBackoffMs: 1000,
      }),
    );
  }

  /** Starts a process and returns its pid. */
  victim(): number {
    const child = spawn('sleep', ['600'], { stdio: 'ignore' });
    assert.ok(child.pid !== undefined);
    this.victims.set(child.pid, child);
    return child.pid;
  }
}

async function results(bus: Bus): Promise<Result[]> {
  const found: Result[] = [];
  for await (const { value } of bus.read({ topic: TOPIC.results }))
    if (value !== null) found.push(decode('Result', value));
  return found;
}

async function until(condition: string, seconds: number, holds: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = performance.now() + seconds * 1000; performance.now() < end; await sleep(100))
    if (await holds()) return;
  assert.fail(`not within ${seconds} s: ${condition}`);
}

/** Publishes alerts that request the kill of new processes, in turn on each agent's host. */
async function attack(bus: Bus, agents: readonly Agent[], detector: Identity, first: number): Promise<void> {
  for (let n = 0; n < KILLS_PER_ROUND; n++) {
    const agent = agents[n % agents.length] as Agent;
    const alert = createTestAlert(first + n, {
      action: 'kill',
      hostId: agent.hostId,
      cgroupPath: '/ringfence-demo-1',
      timestamp: Date.now() * 1000,
      lineage: [createTestLineage(agent.victim())],
    });
    const value = encodeSigned('Alert', alert, detector.signingKey);
    await bus.produce([{ topic: TOPIC.alerts, key: agent.hostId, value }]);
    await sleep(Math.random() * 100);
  }
}

/** Disturbances by name. Each is repaired after a random time. */
function disturbances({ redis, redisProxy }: Fleet, responders: Responders): Record<string, () => Promise<void>> {
  const killResponder = async (): Promise<void> => {
    const index = Math.floor(Math.random() * 2);
    await responders.kill(index);
    await sleep(Math.random() * 1000);
    responders.start(index);
  };
  const killRedis = async (): Promise<void> => {
    await redis.stop('SIGKILL');
    await sleep(Math.random() * 1500);
    await redis.start();
  };
  const cut = async (): Promise<void> => {
    for (let n = 0; n < 10; n++) {
      redisProxy.cut();
      await sleep(Math.random() * 300);
    }
  };
  return {
    'responder killed': killResponder,
    'redis killed': killRedis,
    'redis flushed': () => redis.flush(),
    'redis cut': cut,
  };
}

function account(
  t: TestContext,
  agents: readonly Agent[],
  found: readonly Result[],
  commands: readonly string[],
): void {
  const executed = agents.flatMap(({ answers }) => answers.filter(({ outcome }) => outcome === 'executed'));
  const deliveries = agents.reduce((sum, { answers }) => sum + answers.length, 0);
  const alerts = agents.reduce((sum, { victims }) => sum + victims.size, 0);
  const ids = new Set(found.map(({ id }) => id));
  t.diagnostic(
    `${alerts} alerts, ${new Set(commands).size} commands, ${deliveries} deliveries, ${executed.length} executions, ${ids.size} results (${found.length} records)`,
  );
  assert.equal(new Set(commands).size, alerts, 'each alert has one command');
  assert.deepEqual([...ids].sort(), [...new Set(commands)].sort(), 'each command has a result');
  for (const id of ids) {
    const outcomes = new Set(
      found.filter((result) => result.id === id).map(({ outcome, reason, at }) => `${outcome} ${reason} ${at}`),
    );
    assert.equal(outcomes.size, 1, `${id} has more than one outcome: ${[...outcomes].join(', ')}`);
    assert.equal(executed.filter((result) => result.id === id).length, 1, `${id} was not carried out exactly once`);
  }
  assert.deepEqual(new Set(found.map(({ outcome }) => outcome)), new Set(['executed']));
  for (const { victims } of agents) for (const { signalCode } of victims.values()) assert.equal(signalCode, 'SIGKILL');
}

test(`each command has one effect and one outcome while responders, Redis and connections fail ${ROUNDS} times`, {
  skip,
  timeout: 120_000 + ROUNDS * 30_000,
}, async (t) => {
  const fleet = new Fleet();
  await using _ = fleet.stack;
  await fleet.start();
  const { bus } = fleet;
  const detector = await fleet.enrol('detector-1', 'detector');
  const reserved = fleet.stack.use(await reservePorts(2));
  const responders = fleet.stack.use(new Responders(fleet, reserved.ports));
  const agents = Array.from({ length: HOSTS }, () => new Agent());
  for (const index of [0, 1]) await fleet.enrol(`responder-${index}`, 'responder');
  for (const index of [0, 1]) responders.start(index);
  for (const agent of agents) await agent.start(fleet, reserved.ports);
  const killAll = (): void => {
    for (const { victims } of agents) for (const child of victims.values()) child.kill('SIGKILL');
  };
  t.after(killAll);
  await until('every agent is attached', 60, () => agents.every(({ link }) => link?.connected));

  const actions = Object.entries(disturbances(fleet, responders));
  const done: string[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const attacking = attack(bus, agents, detector, round * KILLS_PER_ROUND);
    await sleep(Math.random() * 1500);
    const [name, disturb] = actions[round % actions.length] as (typeof actions)[number];
    done.push(name);
    await disturb();
    await attacking;
    await sleep(Math.random() * 1500);
  }
  t.diagnostic(done.join(', '));
  const ended = performance.now();
  const expected = ROUNDS * KILLS_PER_ROUND;
  await until(`${expected} results\n${responders.output.slice(-30).join('')}`, 90, async () => {
    return new Set((await results(bus)).map(({ id }) => id)).size >= expected;
  });
  t.diagnostic(`all results arrived ${((performance.now() - ended) / 1000).toFixed(1)} s after the last disturbance`);
  const commands: string[] = [];
  for await (const { value } of bus.read({ topic: TOPIC.commands }))
    if (value !== null) commands.push(decode('Command', value).id);
  account(t, agents, await results(bus), commands);
});
