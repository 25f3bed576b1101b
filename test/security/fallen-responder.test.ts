/**
 * A responder falls to an attacker and is revoked. The registrar, the streams, the processes and the kills are real;
 * the fallen responder is a process of its own whose view of the fleet is frozen.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { silentLog } from '@ringfence/base';
import { type Bus, openEmbeddedBus } from '@ringfence/bus';
import { createAgentControl } from '@ringfence/collector/sensorless';
import { type ControlLink, type ControlServer, connectControl, serveControl } from '@ringfence/control';
import {
  createAuthority,
  Enrolments,
  enrol,
  FleetStanding,
  fetchStanding,
  type Identity,
  identityPaths,
  loadIdentity,
  standingPath,
  TrustedKeys,
  watchCertificates,
} from '@ringfence/identity';
import { type Registrar, startRegistrar } from '@ringfence/registrar';
import { decode, type Role, TOPIC, topicsWith } from '@ringfence/wire';
import { until } from '../e2e/lib/wait.ts';
import type { FallenResponder } from './lib/fallen-responder.ts';
import { killCommand, VICTIM_START } from './lib/kill-command.ts';

const bootId = randomUUID();
const CHILD = fileURLToPath(new URL('./lib/fallen-responder.ts', import.meta.url));

class Fleet implements AsyncDisposable {
  readonly path = mkdtempSync(join(tmpdir(), 'ringfence-fallen-'));
  readonly stack = new AsyncDisposableStack();
  readonly victims = new Set<number>();
  readonly hostId = randomUUID();
  bus!: Bus;
  registrar!: Registrar;
  agent!: Identity;
  standing!: FleetStanding;

  /** @param maxAgeMs age at which the agent no longer believes a standing */
  static async start(maxAgeMs: number): Promise<Fleet> {
    const fleet = new Fleet();
    const { stack, path } = fleet;
    stack.defer(() => rmSync(path, { recursive: true, force: true }));
    fleet.bus = stack.use(await openEmbeddedBus({ path: join(path, 'bus.db') }));
    await fleet.bus.ensureTopics(topicsWith(1));
    const ca = await createAuthority(join(path, 'ca'));
    const options = { port: 0, names: ['127.0.0.1'] };
    fleet.registrar = stack.use(await startRegistrar({ options, bus: fleet.bus, ca, log: silentLog }));
    await fleet.enrol('responder-1', 'responder');
    await fleet.enrol('responder-2', 'responder');
    fleet.agent = await fleet.enrol(fleet.hostId, 'agent');
    fleet.standing = new FleetStanding(fleet.agent.root, { maxAgeMs, path: standingPath(join(path, fleet.hostId)) });
    return fleet;
  }

  enrol(subject: string, role: Role): Promise<Identity> {
    const hosts = role === 'agent' ? [] : ['localhost'];
    const token = this.registrar.createToken({ roles: [role], subject, hosts });
    const directory = join(this.path, subject);
    return enrol({ registrar: this.registrar.url, token, subject, roles: [role], directory });
  }

  /** Starts responder-2 with the view of this moment. */
  async fall(sendsStanding: boolean): Promise<{ readonly port: number; order(pid: number): Promise<string> }> {
    const enrolments: [string, string][] = [];
    for await (const { key, value } of this.bus.read({ topic: TOPIC.enrolments }))
      if (value !== null) enrolments.push([key, Buffer.from(value).toString('base64')]);
    const file = join(this.path, 'enrolments.json');
    writeFileSync(file, JSON.stringify(enrolments));
    const identity = join(this.path, 'responder-2');
    const options: FallenResponder = {
      ...{ identity, enrolments: file },
      standing: sendsStanding ? standingPath(join(this.path, this.hostId)) : '',
    };
    const flags = ['--conditions=@ringfence/source', '--disable-warning=ExperimentalWarning'];
    const child = spawn(process.execPath, [...flags, CHILD, JSON.stringify(options)], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.stack.defer(() => void child.kill('SIGKILL'));
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const port = Number((await lines.next()).value);
    const order = async (pid: number): Promise<string> => {
      child.stdin.write(`${JSON.stringify({ hostId: this.hostId, bootId, pid })}\n`);
      return (await lines.next()).value as string;
    };
    return { port, order };
  }

  async honest(): Promise<ControlServer> {
    const { root } = this.agent;
    const directory = join(this.path, 'responder-1');
    const enrolments = this.stack.use(await Enrolments.open({ bus: this.bus, root }));
    const standing = new FleetStanding(root, { path: standingPath(directory) });
    const tls = watchCertificates(identityPaths(directory));
    const onResult = async (): Promise<void> => {};
    return this.stack.use(await serveControl({ port: 0, tls, enrolments, standing, onResult, log: silentLog }));
  }

  connect(ports: readonly number[], isCutOff = false): ControlLink {
    const { agent, hostId, path, standing, victims } = this;
    const trusted = new TrustedKeys(agent.root, 'responder', standing);
    const find = (tgid: number) =>
      victims.has(tgid) ? { tgid, start: VICTIM_START, parentTgid: process.pid, executable: '/bin/sleep' } : null;
    const control = createAgentControl({
      ...{ hostId, bootId, trustedKeys: trusted, stateDir: join(path, 'state'), find, log: silentLog },
      killsPerMinute: 100,
      isProtected: () => null,
      setInterest: () => {},
    });
    const tls = watchCertificates(identityPaths(join(path, hostId)));
    return this.stack.use(
      connectControl({
        ...{ tls, control, trusted, standing, bootId, agentVersion: 'test', log: silentLog },
        endpoints: ports.map((port) => `localhost:${port}`),
        fetchStanding: () =>
          isCutOff
            ? Promise.reject(new Error('no route'))
            : fetchStanding({ registrar: this.registrar.url }, agent.tls),
        backoffMs: 50,
        standingWaitMs: 500,
      }),
    );
  }

  victim(): ChildProcess & { readonly pid: number } {
    const child = spawn('sleep', ['600'], { stdio: 'ignore' });
    assert.ok(child.pid !== undefined);
    this.stack.defer(() => void child.kill('SIGKILL'));
    this.victims.add(child.pid);
    return child as ChildProcess & { readonly pid: number };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stack.disposeAsync();
  }
}

const isAlive = ({ exitCode, signalCode }: ChildProcess): boolean => exitCode === null && signalCode === null;

test('a revoked responder that hides its revocation kills nothing more, and its agent goes to an honest one', {
  timeout: 120_000,
}, async () => {
  // The agent asks the registrar after a quarter of this time.
  await using fleet = await Fleet.start(6000);
  const fallen = await fleet.fall(true);
  const first = fleet.connect([fallen.port]);
  await until('the agent is attached', () => first.connected);
  const [before, after] = [fleet.victim(), fleet.victim()];
  const exited = once(before, 'exit');
  assert.match(await fallen.order(before.pid), /^executed/);
  await exited;

  await fleet.registrar.revoke('responder-2');
  await until('the agent left the fallen responder', () => first.stats().refused > 0);
  assert.match(await fallen.order(after.pid), /^(?:refused|no answer)/);
  assert.equal(isAlive(after), true);
  await first.close();

  const honest = await fleet.honest();
  const second = fleet.connect([fallen.port, honest.port]);
  await until('the agent is at the honest responder', () => honest.attached(fleet.hostId) && second.connected);
  assert.match(await fallen.order(after.pid), /^no answer/);
  assert.equal(isAlive(after), true);
  const { signingKey } = loadIdentity(join(fleet.path, 'responder-1')) as Identity;
  const bytes = killCommand({ hostId: fleet.hostId, bootId, pid: after.pid }, signingKey);
  const killed = once(after, 'exit');
  assert.equal(decode('Result', await honest.execute(fleet.hostId, bytes)).outcome, 'executed');
  await killed;
});

test('cut off from the registrar, a revoked responder is obeyed no longer than the standing lasts', {
  timeout: 120_000,
}, async () => {
  await using fleet = await Fleet.start(4000);
  const fallen = await fleet.fall(true);
  const link = fleet.connect([fallen.port], true);
  await until('the agent is attached', () => link.connected);
  const victim = fleet.victim();
  await fleet.registrar.revoke('responder-2');
  await until('the standing is too old', () => link.stats().obeysNobody === 1);
  assert.equal(await fallen.order(victim.pid), 'refused no-standing');
  assert.equal(isAlive(victim), true);
});

test('a revoked responder that withholds the standing is not obeyed by an agent that asks the registrar', {
  timeout: 120_000,
}, async () => {
  await using fleet = await Fleet.start(4000);
  const fallen = await fleet.fall(false);
  await fleet.registrar.revoke('responder-2');
  const link = fleet.connect([fallen.port]);
  const victim = fleet.victim();
  await until('the agent left the fallen responder', () => link.stats().refused > 0);
  assert.match(await fallen.order(victim.pid), /^(?:refused|no answer)/);
  assert.equal(isAlive(victim), true);
});
