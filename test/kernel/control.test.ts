/**
 * From an enrolment token to a kill: an agent enrols over HTTPS, connects the control stream and obeys signed commands
 * until its host is revoked.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Bus, openEmbeddedBus } from '@ringfence/bus';
import { type Collector, startCollector } from '@ringfence/collector';
import { type ControlLink, type ControlServer, connectControl, serveControl } from '@ringfence/control';
import {
  createAuthority,
  Enrolments,
  enrol,
  FleetStanding,
  type Identity,
  identityPaths,
  standingPath,
  TrustedKeys,
  watchCertificates,
} from '@ringfence/identity';
import { INITIAL_INTEREST } from '@ringfence/interest';
import { isBpfFileSystem } from '@ringfence/libbpf-ts';
import { type Registrar, startRegistrar } from '@ringfence/registrar';
import { buildSensor } from '@ringfence/sensor/build';
import { uninstallSensor } from '@ringfence/sensor/parts';
import { createLogger } from '@ringfence/telemetry';
import { skip as kernelSkip } from '@ringfence/testkit/sensor';
import {
  commandId,
  decode,
  encodeSigned,
  PROCESS_ONLY,
  type Role,
  type SigningKey,
  TOPIC,
  topicsWith,
  verifyRecord,
} from '@ringfence/wire';

const BPF_FS = '/sys/fs/bpf';
const hostId = randomUUID();
const bootId = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
const log = createLogger({ level: 'silent' });
const skip = kernelSkip || (!isBpfFileSystem(BPF_FS) && `no bpf file system at ${BPF_FS}: mount -t bpf bpf ${BPF_FS}`);

/** The parts of a fleet that this test needs, in one process. The stack closes them in reverse order. */
class TestFleet {
  readonly path = mkdtempSync(join(tmpdir(), 'ringfence-control-'));
  readonly stack = new AsyncDisposableStack();

  constructor() {
    this.stack.defer(() => rmSync(this.path, { recursive: true, force: true }));
  }

  async bus(): Promise<Bus> {
    const bus = this.stack.use(await openEmbeddedBus({ path: join(this.path, 'bus.db') }));
    await bus.ensureTopics(topicsWith(1));
    return bus;
  }

  async registrar(bus: Bus): Promise<Registrar> {
    const ca = await createAuthority(join(this.path, 'ca'));
    return this.stack.use(await startRegistrar({ options: { port: 0, names: ['127.0.0.1'] }, bus, ca, log }));
  }

  enrol(registrar: Registrar, subject: string, role: Role, hosts: readonly string[] = []): Promise<Identity> {
    const token = registrar.createToken({ roles: [role], subject, hosts });
    const directory = join(this.path, subject);
    return enrol({ registrar: registrar.url, token, subject, roles: [role], directory });
  }

  async responder(bus: Bus, root: Identity['root']): Promise<{ server: ControlServer; enrolments: Enrolments }> {
    const enrolments = this.stack.use(await Enrolments.open({ bus, root }));
    const tls = this.stack.use(watchCertificates(identityPaths(join(this.path, 'responder-1'))));
    const onResult = (host: string, value: Uint8Array): Promise<void> =>
      bus.produce([{ topic: TOPIC.results, key: host, value }]);
    const standing = new FleetStanding(root, { path: standingPath(join(this.path, 'responder-1')) });
    const server = this.stack.use(await serveControl({ port: 0, tls, enrolments, standing, onResult, log }));
    return { server, enrolments };
  }

  async agent(
    bus: Bus,
    { signingKey, root }: Identity,
    port: number,
  ): Promise<{ collector: Collector; link: ControlLink }> {
    const pinPath = `${BPF_FS}/rf-test-${process.pid}-control`;
    this.stack.defer(() => uninstallSensor(pinPath));
    const standing = new FleetStanding(root, { path: standingPath(join(this.path, hostId)) });
    const trusted = new TrustedKeys(root, 'responder', standing);
    const collector = await startCollector({
      bus,
      identity: { hostId, bootId, key: signingKey, agentVersion: 'test' },
      trustedKeys: trusted,
      log,
      options: { sensorObject: await buildSensor(), stateDir: join(this.path, 'state'), pinPath },
    });
    this.stack.use(collector);
    const tls = this.stack.use(watchCertificates(identityPaths(join(this.path, hostId))));
    const { control } = collector;
    const endpoints = [`localhost:${port}`];
    const identity = { tls, control, trusted, standing, bootId, agentVersion: 'test' };
    const link = connectControl({ ...identity, endpoints, log, backoffMs: 50 });
    this.stack.use(link);
    return { collector, link };
  }
}

/**
 * Starts a process and returns it with the start time that its exec event reports, after verifying the event's
 * signature.
 */
async function startVictim(
  bus: Bus,
  collector: Collector,
  enrolments: Enrolments,
): Promise<{ child: ChildProcess; start: Uint8Array }> {
  const child = spawn('/bin/sleep', ['60'], { stdio: 'ignore' });
  await once(child, 'spawn');
  await collector.settle();
  for await (const { key, value } of bus.read({ topic: TOPIC.raw })) {
    if (value === null) continue;
    const batch = decode('RawBatch', value);
    const publicKey = enrolments.keyFor(key, batch.keyId);
    assert.ok(
      publicKey !== undefined && verifyRecord(publicKey, value),
      'signed by a key that is not enrolled for this host',
    );
    const exec = batch.events.find((event) => event.tgid === child.pid && 'ringfence.Exec' in event.body);
    if (exec !== undefined) return { child, start: exec.start };
  }
  throw new Error(`no exec event of process ${child.pid}`);
}

function kill(key: SigningKey, pid: number, start: Uint8Array): Buffer {
  const issuedAt = Date.now() * 1000;
  const id = commandId(randomUUID(), 'kill', 'entity', 0);
  const command = {
    id,
    action: 'kill',
    mode: 'enforce',
    cause: 'test',
    policy: 'test',
    reason: '',
    ordinal: 0,
    ...PROCESS_ONLY,
  } as const;
  const target = { hostId, bootId, entityId: 'entity', pid, start: Buffer.from(start), executable: '/bin/sleep' };
  return encodeSigned('Command', { ...command, ...target, issuedAt, expiresAt: issuedAt + 30_000_000 }, key);
}

test('an enrolled agent obeys a kill command only from an enrolled responder, and stops obeying after revocation', {
  skip,
  timeout: 120_000,
}, async () => {
  const fleet = new TestFleet();
  await using _ = fleet.stack;
  const bus = await fleet.bus();
  const registrar = await fleet.registrar(bus);
  const responder = await fleet.enrol(registrar, 'responder-1', 'responder', ['localhost']);
  const detector = await fleet.enrol(registrar, 'detector-1', 'detector');
  const agent = await fleet.enrol(registrar, hostId, 'agent');
  const { server, enrolments } = await fleet.responder(bus, responder.root);
  const { collector, link } = await fleet.agent(bus, agent, server.port);
  while (!server.attached(hostId)) await sleep(5);
  await server.setInterest({
    ...INITIAL_INTEREST,
    version: 1,
    openNames: ['shadow'],
  });

  const { child, start } = await startVictim(bus, collector, enrolments);
  const outcome = async (key: SigningKey): Promise<string> => {
    const bytes = kill(key, child.pid as number, start);
    const { id, outcome, reason } = decode('Result', await server.execute(hostId, bytes));
    server.acknowledge(hostId, id);
    return `${outcome} ${reason}`.trim();
  };
  const exited = once(child, 'exit');
  for (const key of [detector.signingKey, agent.signingKey]) assert.equal(await outcome(key), 'refused unknown-key');
  assert.equal(child.signalCode, null);
  assert.match(await outcome(responder.signingKey), /^executed/);
  assert.equal((await exited)[1], 'SIGKILL');

  await registrar.revoke('responder-1');
  while (enrolments.key('responder', 'responder-1') !== undefined) await sleep(5);
  const bytes = kill(responder.signingKey, child.pid as number, start);
  const late = decode('Result', await server.execute(hostId, bytes));
  assert.equal(late.reason, 'unknown-key', 'a command that was signed by a revoked responder was obeyed');

  await registrar.revoke(hostId);
  while (server.attached(hostId) || link.connected) await sleep(5);
  assert.equal(enrolments.keyFor(hostId, agent.signingKey.keyId), undefined);
});
