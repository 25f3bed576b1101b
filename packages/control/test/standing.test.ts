import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Client, type MethodDefinition, type ServiceDefinition } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { type Log, silentLog } from '@ringfence/base';
import { Enrolments, FleetStanding, TrustedKeys } from '@ringfence/identity';
import { INITIAL_INTEREST } from '@ringfence/interest';
import { createSigningKey, type SigningKey } from '@ringfence/wire';
import type { ControlServer } from '../src/index.ts';
import { ResponderCredentials } from '../src/tls.ts';
import { channelOptions, type FromAgent, type ReceivedToAgent } from '../src/wire.ts';
import { createTestFleet, type RotatingTls, TestAgent, type TestFleet, until } from './support.ts';

const limit = { timeout: 120_000 };

interface Responder {
  readonly server: ControlServer;
  readonly tls: RotatingTls;
  readonly key: SigningKey;
}

/** A responder whose view of the fleet is the one of the moment in which it fell: it never learns of its revocation. */
async function serveFallen(t: TestContext, fleet: TestFleet, ageMs = 0): Promise<Responder> {
  const tls = await fleet.source('responder-fallen', ['responder']);
  const key = createSigningKey();
  fleet.log.enrol('responder-fallen', 'responder', `${tls.serial}FF`, key);
  await until(() => fleet.enrolments.isInForce(`${tls.serial}FF`));
  const enrolments = await Enrolments.open({ bus: frozen(fleet), root: fleet.ca.root.publicKey });
  t.after(() => enrolments.close());
  const standing = new FleetStanding(fleet.ca.root.publicKey);
  standing.add(fleet.log.standing(ageMs));
  return {
    server: await fleet.serve({ tls, enrolments: { ...viewOf(enrolments), isInForce: () => true }, standing }),
    tls,
    key,
  };
}

/** The enrolments of now, for ever. */
function frozen({ log }: TestFleet): Parameters<typeof Enrolments.open>[0]['bus'] {
  return {
    async *read({ follow = false, signal }) {
      yield* log.read({});
      if (follow) await new Promise<void>((resolve) => signal?.addEventListener('abort', () => resolve()));
    },
  };
}

function viewOf(enrolments: Enrolments): Pick<Enrolments, 'withRole' | 'onChange'> {
  return {
    withRole: (role) => enrolments.withRole(role),
    onChange: (listener) => enrolments.onChange(listener),
  };
}

/** Revokes both enrolments of a responder: of its certificate and of its key. */
function revoke(fleet: TestFleet, { tls }: Responder): void {
  fleet.log.revoke(tls.serial);
  fleet.log.revoke(`${tls.serial}FF`);
}

test('a revoked responder that hides its revocation loses its agent, and is not obeyed', limit, async (t) => {
  const fleet = await createTestFleet(t);
  const honest = await fleet.serve();
  const fallen = await serveFallen(t, fleet);
  const agent = new TestAgent();
  // The registrar is asked after a quarter of the age: soon, for this test.
  const standing = new FleetStanding(fleet.ca.root.publicKey, { maxAgeMs: 4000 });
  const trusted = new TrustedKeys(fleet.ca.root.publicKey, 'responder', standing);
  const fetchStanding = async (): Promise<Uint8Array> => fleet.log.standing();
  const options = { standing, trusted, fetchStanding, standingWaitMs: 300 };
  const onlyFallen = await fleet.connect(agent, [fallen.server], options);
  await until(() => onlyFallen.connected && trusted.get(fallen.key.keyId) !== undefined);
  revoke(fleet, fallen);
  await until(() => onlyFallen.stats().refused === 1 && !onlyFallen.connected);
  assert.equal(trusted.get(fallen.key.keyId), undefined, 'the key of the fallen responder is still obeyed');
  assert.equal(onlyFallen.stats().obeysNobody, 0);
  // It is left again at each attempt, and cannot set the interest.
  await fallen.server.setInterest({ ...INITIAL_INTEREST, version: 7 });
  await until(() => onlyFallen.stats().refused >= 3);
  assert.deepEqual(agent.interests, []);
  await onlyFallen.close();

  const free = await fleet.connect(agent, [fallen.server, honest], options);
  await until(() => honest.attached(agent.hostId) && free.connected);
});

test('an agent that only a fallen responder serves obeys nobody once the last standing is old', limit, async (t) => {
  const fleet = await createTestFleet(t);
  const fallen = await serveFallen(t, fleet);
  const agent = new TestAgent();
  const standing = new FleetStanding(fleet.ca.root.publicKey, { maxAgeMs: 1500 });
  const trusted = new TrustedKeys(fleet.ca.root.publicKey, 'responder', standing);
  const errors: string[] = [];
  const log: Log = { ...silentLog, error: (_, message) => errors.push(message) };
  // The registrar does not answer: an attacker holds the network, too.
  const fetchStanding = async (): Promise<never> => {
    throw new Error('no route');
  };
  const options = { standing, trusted, fetchStanding, log, standingWaitMs: 300 };
  const link = await fleet.connect(agent, [fallen.server], options);
  await until(() => trusted.get(fallen.key.keyId) !== undefined);
  revoke(fleet, fallen);
  await until(() => link.stats().obeysNobody === 1);
  assert.equal(trusted.get(fallen.key.keyId), undefined);
  assert.equal(trusted.trustsNobody, true);
  assert.equal(link.stats().standing, 'expired');
  await fallen.server.setInterest({ ...INITIAL_INTEREST, version: 9 });
  await until(() => errors.length > 0);
  assert.match(errors[0] as string, /obeys no responder/);
  assert.equal(
    agent.interests.some(({ version }) => version === 9),
    false,
  );
  // The next standing of the registrar ends it.
  standing.add(fleet.log.standing());
  assert.equal(trusted.trustsNobody, false);
  await until(() => link.stats().refused === 1);
});

test('an agent obeys no responder that sends no standing, until the registrar does', limit, async (t) => {
  const fleet = await createTestFleet(t);
  const silent = { bytes: null, onChange: () => ({ [Symbol.dispose]() {} }) };
  const tls = await fleet.source('responder-1', ['responder']);
  const server = await fleet.serve({ tls, standing: silent });
  await server.setInterest({ ...INITIAL_INTEREST, version: 3 });
  const agent = new TestAgent();
  const standing = new FleetStanding(fleet.ca.root.publicKey);
  const trusted = new TrustedKeys(fleet.ca.root.publicKey, 'responder', standing);
  const link = await fleet.connect(agent, [server], { standing, trusted, standingWaitMs: 100 });
  await until(() => link.connected);
  assert.deepEqual([link.stats().standing, trusted.trustsNobody], ['missing', true]);
  await link.close();
  assert.deepEqual(agent.interests, []);
  // With the registrar the same responder is obeyed, as one of the previous version without standings.
  const helped = await fleet.connect(agent, [server], {
    standing,
    trusted,
    fetchStanding: async () => fleet.log.standing(),
  });
  await until(() => agent.interests.length === 1);
  assert.deepEqual([helped.stats().standing, trusted.trustsNobody], ['current', false]);
});

test(
  'with a registrar of the previous version the enrolments alone decide, until there is a standing',
  limit,
  async (t) => {
    const fleet = await createTestFleet(t);
    const silent = { bytes: null, onChange: () => ({ [Symbol.dispose]() {} }) };
    const server = await fleet.serve({ standing: silent });
    await server.setInterest({ ...INITIAL_INTEREST, version: 3 });
    const key = createSigningKey();
    fleet.log.enrol('responder-2', 'responder', 'A2', key);
    const agent = new TestAgent();
    const standing = new FleetStanding(fleet.ca.root.publicKey);
    const trusted = new TrustedKeys(fleet.ca.root.publicKey, 'responder', standing);
    const warnings: string[] = [];
    const log: Log = { ...silentLog, warn: (_, message) => warnings.push(message) };
    const link = await fleet.connect(agent, [server], { standing, trusted, log, fetchStanding: async () => null });
    await until(() => agent.interests.length === 1 && trusted.get(key.keyId) !== undefined);
    assert.equal(link.stats().standing, 'unsupported');
    assert.ok(warnings.some((message) => message.includes('upgrade the registrar')));
    // Once there was a standing, a registrar that denies it changes nothing.
    standing.add(fleet.log.standing());
    standing.markUnsupported();
    assert.equal(link.stats().standing, 'current');
  },
);

test('an agent ends its stream when the certificate of the responder expires', limit, async (t) => {
  const fleet = await createTestFleet(t);
  const tls = await fleet.source('responder-1', ['responder'], 3 / 86_400);
  // The responder itself would go on.
  const server = await fleet.serve({ tls });
  const link = await fleet.connect(new TestAgent(), [server]);
  await until(() => link.connected);
  await until(() => link.stats().refused === 1 && !link.connected);
});

test('an agent changes the responder after a rotation and now and then', limit, async (t) => {
  const fleet = await createTestFleet(t);
  const servers = [await fleet.serve(), await fleet.serve()];
  const agent = new TestAgent();
  const tls = await fleet.source(agent.hostId, ['agent']);
  const link = await fleet.connect(agent, servers, { tls });
  const attachedTo = (): number => servers.findIndex((server) => server.attached(agent.hostId));
  await until(() => attachedTo() >= 0);
  for (let round = 0; round < 3; round++) {
    const before = attachedTo();
    tls.rotate((await fleet.material(agent.hostId, ['agent'])).tls);
    await until(() => attachedTo() === 1 - before && link.stats().welcomes === round + 2);
  }
  await link.close();
  const restless = await fleet.connect(agent, servers, { tls, changeMs: 600 });
  await until(() => restless.stats().changes >= 3);
});

test('an agent of version 0.1.0, which knows no standing, is served as before', limit, async (t) => {
  const fleet = await createTestFleet(t);
  const server = await fleet.serve();
  await server.setInterest({ ...INITIAL_INTEREST, version: 5 });
  const directory = mkdtempSync(join(tmpdir(), 'rf-proto-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const current = readFileSync(fileURLToPath(new URL('../proto/control.proto', import.meta.url)), 'utf8');
  const path = join(directory, 'control.proto');
  writeFileSync(path, current.replace('bytes standing = 7;', ''));
  const loaded = loadSync(path, { longs: Number, defaults: true, arrays: true, oneofs: true });
  const old = loaded['ringfence.control.v1.Control'] as ServiceDefinition;
  const attach = old['Attach'] as MethodDefinition<FromAgent, ReceivedToAgent>;
  const agent = new TestAgent();
  const tls = await fleet.source(agent.hostId, ['agent']);
  const ended = new AbortController();
  const client = new Client(`127.0.0.1:${server.port}`, new ResponderCredentials(tls, ended.signal), channelOptions);
  t.after(() => {
    client.close();
    ended.abort();
  });
  const call = client.makeBidiStreamRequest(attach.path, attach.requestSerialize, attach.responseDeserialize);
  const received: ReceivedToAgent[] = [];
  call.on('data', (message: ReceivedToAgent) => received.push(message));
  call.on('error', () => {});
  call.write({ hello: { hostId: agent.hostId, bootId: 'b', agentVersion: '0.1.0', unacknowledged: [] } });
  await until(() => received.some(({ interest }) => interest?.version === 5));
  assert.notEqual(received[0]?.welcome, undefined);
  assert.ok(received.some(({ enrolment }) => enrolment !== undefined));
  assert.ok(received.every(({ standing }) => standing === undefined));
});
