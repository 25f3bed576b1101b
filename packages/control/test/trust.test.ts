import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect as connectTcp, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { Client, type ServiceError } from '@grpc/grpc-js';
import {
  FleetStanding,
  identityPaths,
  type TlsMaterial,
  TrustedKeys,
  watchCertificates,
  writeIdentity,
} from '@ringfence/identity';
import { createSigningKey, encode, encodeSigned } from '@ringfence/wire';
import type { ControlServer } from '../src/index.ts';
import { ResponderCredentials } from '../src/tls.ts';
import { attach, channelOptions, type FromAgent } from '../src/wire.ts';
import { command, createTestFleet, TestAgent, until } from './support.ts';

const limit = { timeout: 120_000 };

/** Opens a stream, sends `messages` and returns the status the stream ends with. */
async function statusOf(server: ControlServer, tls: TlsMaterial, messages: readonly FromAgent[]): Promise<string> {
  const ended = new AbortController();
  const source = { current: () => tls, onChange: () => ({ [Symbol.dispose]() {} }) };
  const client = new Client(`127.0.0.1:${server.port}`, new ResponderCredentials(source, ended.signal), channelOptions);
  const call = client.makeBidiStreamRequest(attach.path, attach.requestSerialize, attach.responseDeserialize);
  call.on('data', () => {});
  for (const message of messages) call.write(message);
  const [error] = (await once(call, 'error').catch((error: unknown) => [error])) as [ServiceError];
  client.close();
  ended.abort();
  return `${error.code} ${error.details}`;
}

test('a hello for another host, from a service, too large or missing is refused', limit, async (t) => {
  const fleet = await createTestFleet(t);
  const server = await fleet.serve({ helloTimeoutMs: 300 });
  const [hostId, otherHostId] = [randomUUID(), randomUUID()];
  const agent = await fleet.material(hostId, ['agent']);
  const hello = { hostId: hostId, bootId: 'b', agentVersion: '1', unacknowledged: [] };
  assert.match(
    await statusOf(server, agent.tls, [{ hello: { ...hello, hostId: otherHostId } }]),
    /^7 .*not for the host/,
  );
  const detector = await fleet.material('detector-1', ['detector']);
  const asService = { hello: { ...hello, hostId: 'detector-1' } };
  assert.match(await statusOf(server, detector.tls, [asService]), /^7 .*does not belong to an agent/);
  const many = Array.from({ length: 1001 }, (_, n) => String(n));
  assert.match(await statusOf(server, agent.tls, [{ hello: { ...hello, unacknowledged: many } }]), /^3 .*too large/);
  assert.match(await statusOf(server, agent.tls, [{ hello: { ...hello, bootId: 'x'.repeat(200) } }]), /^3 .*too large/);
  assert.match(await statusOf(server, agent.tls, [{ heartbeat: {} }]), /^3 the first message must be a hello/);
  assert.match(await statusOf(server, agent.tls, []), /^4 no hello arrived/);
  const big = { hello: { ...hello, bootId: 'x'.repeat(2 << 20) } };
  assert.match(await statusOf(server, agent.tls, [big]), /^8 /);
  assert.equal(server.stats().attached, 0);
});

test('agents and responders refuse certificates of another fleet or role', limit, async (t) => {
  const fleet = await createTestFleet(t);
  const foreignFleet = await createTestFleet(t);
  const server = await fleet.serve();
  const agent = new TestAgent();
  const foreignLink = await foreignFleet.connect(agent, [server]);
  await until(() => foreignLink.stats().attempts >= 3);
  // The server's certificate is of the same fleet, but has another role than responder.
  const impostor = await fleet.serve({ tls: await fleet.source('detector-1', ['detector']) });
  const deceived = await fleet.connect(agent, [impostor]);
  await until(() => deceived.stats().attempts >= 3);
  assert.deepEqual([foreignLink.stats().welcomes, deceived.stats().welcomes], [0, 0]);
  assert.deepEqual([server.stats().attached, impostor.stats().attached], [0, 0]);
});

test('a revoked agent is disconnected and refused afterwards', limit, async (t) => {
  const fleet = await createTestFleet(t);
  const server = await fleet.serve({ heartbeatMs: 60_000 });
  const [revoked, good] = [new TestAgent(), new TestAgent()];
  const tls = await fleet.source(revoked.hostId, ['agent']);
  const link = await fleet.connect(revoked, [server], { tls });
  const goodLink = await fleet.connect(good, [server]);
  await until(() => server.attached(revoked.hostId) && server.attached(good.hostId));
  revoked.hold();
  const lost = assert.rejects(server.execute(revoked.hostId, command(revoked.hostId).bytes), {
    code: 'ERR_CONTROL_LOST',
  });
  fleet.log.revoke(tls.serial);
  await lost;
  assert.equal(server.attached(revoked.hostId), false);
  await until(() => server.stats().disconnects.refused >= 2);
  assert.equal(link.connected, false);
  assert.equal(goodLink.connected, true);
  assert.equal(link.stats().welcomes, 1);
});

test('a revocation with a future time disconnects the agent at that time', limit, async (t) => {
  const fleet = await createTestFleet(t);
  const server = await fleet.serve({ heartbeatMs: 200 });
  const agent = new TestAgent();
  const tls = await fleet.source(agent.hostId, ['agent']);
  await fleet.connect(agent, [server], { tls });
  await until(() => server.attached(agent.hostId));
  fleet.log.revoke(tls.serial, (Date.now() + 300) * 1000);
  await until(() => fleet.enrolments.ofSubject(agent.hostId).some(({ revokedAt }) => revokedAt > 0));
  assert.equal(server.attached(agent.hostId), true);
  await until(() => server.stats().disconnects['not-in-force'] === 1 && !server.attached(agent.hostId));
});

test('an expired certificate ends the stream; the agent reconnects with its new certificate', limit, async (t) => {
  const fleet = await createTestFleet(t);
  const server = await fleet.serve({ heartbeatMs: 200 });
  const agent = new TestAgent();
  const tls = await fleet.source(agent.hostId, ['agent'], 3 / 86_400);
  const link = await fleet.connect(agent, [server], { tls });
  await until(() => link.connected);
  await until(() => server.stats().disconnects['not-in-force'] === 1);
  const { attempts, welcomes } = link.stats();
  await until(() => link.stats().attempts >= attempts + 2);
  assert.equal(link.stats().welcomes, welcomes, 'TLS refuses the expired certificate');
  tls.rotate((await fleet.material(agent.hostId, ['agent'])).tls);
  await until(() => link.connected);
  assert.equal(server.attached(agent.hostId), true);
});

test('both sides reload changed certificate files while streaming, and no command is lost', limit, async (t) => {
  const fleet = await createTestFleet(t);
  const directory = mkdtempSync(join(tmpdir(), 'rf-control-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const signingKey = createSigningKey().privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const root = fleet.ca.root.publicKey.export({ type: 'spki', format: 'pem' }).toString();
  const renew = async (name: string, roles: ['agent'] | ['responder']): Promise<string> => {
    const { tls, serial } = await fleet.material(name, roles);
    writeIdentity(join(directory, name), { ...tls, signingKey, root, stateKeys: '{}' });
    return serial;
  };
  const agent = new TestAgent();
  const serials = [await renew(agent.hostId, ['agent']), await renew('responder-1', ['responder'])];
  using agentTls = watchCertificates(identityPaths(join(directory, agent.hostId)));
  using serverTls = watchCertificates(identityPaths(join(directory, 'responder-1')));
  const server = await fleet.serve({ tls: serverTls });
  const link = await fleet.connect(agent, [server], { tls: agentTls });
  await until(() => link.connected);
  const servedSerial = async (): Promise<string> => {
    const { key, certificate, authority } = agentTls.current();
    const socket = connectTls({ host: '127.0.0.1', port: server.port, key, cert: certificate, ca: authority });
    await once(socket, 'secureConnect');
    const { serialNumber } = socket.getPeerCertificate();
    socket.destroy();
    return serialNumber;
  };
  assert.equal(await servedSerial(), serials[1]);
  for (let round = 0; round < 3; round++) {
    const [agentSerial, serverSerial] = [
      await renew(agent.hostId, ['agent']),
      await renew('responder-1', ['responder']),
    ];
    const previous = serials[0] as string;
    serials[0] = agentSerial;
    serverTls.check();
    agentTls.check();
    fleet.log.revoke(previous);
    await until(() => link.stats().welcomes === round + 2 && server.attached(agent.hostId));
    assert.equal(await servedSerial(), serverSerial);
    await server.execute(agent.hostId, command(agent.hostId).bytes);
  }
  assert.equal(agent.executed.length, 3);
});

test('garbage, unfinished handshakes and connection floods do not keep an agent from attaching', limit, async (t) => {
  const fleet = await createTestFleet(t);
  const server = await fleet.serve();
  const sockets = Array.from({ length: 50 }, (_, n) => {
    const socket = connectTcp(server.port, '127.0.0.1');
    socket.on('error', () => {});
    // A TLS client that stops during the handshake, HTTP/2 without TLS, and random bytes.
    const payloads = [
      Buffer.from('16030102000100', 'hex'),
      'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
      randomBytes(4096),
    ] as const;
    socket.write(payloads[n % 3] as Buffer);
    return socket;
  });
  t.after(() => {
    for (const socket of sockets) socket.destroy();
  });
  const agent = new TestAgent();
  await fleet.connect(agent, [server]);
  await until(() => server.attached(agent.hostId));
  // A valid certificate, but no gRPC.
  const { tls } = await fleet.material(randomUUID(), ['agent']);
  const { key, certificate, authority } = tls;
  const socket = connectTls({
    host: '127.0.0.1',
    port: server.port,
    key,
    cert: certificate,
    ca: authority,
    ALPNProtocols: ['h2'],
  });
  socket.on('error', () => {});
  await once(socket, 'secureConnect');
  socket.resume();
  socket.write(randomBytes(65_536));
  await once(socket, 'close');
  await server.execute(agent.hostId, command(agent.hostId).bytes);
  assert.equal(server.stats().attached, 1);
});

test('an agent tries all responders and leaks no connection to those that never answer', limit, async (t) => {
  const fleet = await createTestFleet(t);
  let openConnections = 0;
  const mute = createServer((socket) => {
    openConnections++;
    socket.on('error', () => {});
    socket.on('close', () => openConnections--).resume();
  }).listen(0, '127.0.0.1');
  await once(mute, 'listening');
  t.after(() => mute.close());
  const dead = createServer().listen(0, '127.0.0.1');
  await once(dead, 'listening');
  const port = (listening: typeof mute): number => (listening.address() as { port: number }).port;
  const agent = new TestAgent();
  const endpoints = [port(mute), port(dead)].map((portNumber) => `127.0.0.1:${portNumber}`);
  dead.close();
  const lost = await fleet.connect(agent, [], { endpoints, welcomeTimeoutMs: 100 });
  await until(() => lost.stats().attempts >= 8);
  assert.ok(openConnections <= 1, `${openConnections} connections are open`);
  await lost.close();
  await until(() => openConnections === 0);
  const server = await fleet.serve();
  const found = await fleet.connect(agent, [], {
    endpoints: [...endpoints, `127.0.0.1:${server.port}`],
    welcomeTimeoutMs: 1000,
  });
  await until(() => found.connected && server.attached(agent.hostId));
});

test('both sides end a stream whose peer stops sending', limit, async (t) => {
  const fleet = await createTestFleet(t);
  const server = await fleet.serve({ heartbeatMs: 200 });
  const agent = new TestAgent();
  const material = await fleet.material(agent.hostId, ['agent']);
  const ended = statusOf(server, material.tls, [
    { hello: { hostId: agent.hostId, bootId: 'b', agentVersion: '1', unacknowledged: [] } },
  ]);
  assert.match(await ended, /^4 no message from the agent/);
  assert.equal(server.stats().disconnects.silent, 1);

  // The proxy stops forwarding but keeps the connections open, like a broken network.
  let forwarding = true;
  const proxy = createServer((down) => {
    const up = connectTcp(server.port, '127.0.0.1');
    for (const [from, to] of [
      [down, up],
      [up, down],
    ] as const) {
      from.on('data', (data) => void (forwarding && to.write(data)));
      from.on('error', () => {});
      from.on('close', () => forwarding && to.destroy());
      t.after(() => from.destroy());
    }
  }).listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  t.after(() => proxy.close());
  const { port } = proxy.address() as { port: number };
  const link = await fleet.connect(agent, [], { endpoints: [`localhost:${port}`], welcomeTimeoutMs: 300 });
  await until(() => link.connected);
  forwarding = false;
  await until(() => !link.connected && !server.attached(agent.hostId));
  forwarding = true;
  await until(() => link.connected);
});

test('agents accept responder keys that the root key signed, from any responder', limit, async (t) => {
  const fleet = await createTestFleet(t);
  const server = await fleet.serve();
  const agent = new TestAgent();
  const standing = new FleetStanding(fleet.ca.root.publicKey);
  const trusted = new TrustedKeys(fleet.ca.root.publicKey, 'responder', standing);
  const keys = [createSigningKey(), createSigningKey(), createSigningKey()] as const;
  fleet.log.enrol('responder-2', 'auditor,responder', 'a1', keys[0]);
  fleet.log.enrol('detector-1', 'detector', 'a2', keys[1]);
  await until(() => fleet.enrolments.isInForce('a2'));
  await fleet.connect(agent, [server], { trusted, standing });
  await until(() => trusted.get(keys[0].keyId) !== undefined);
  assert.equal(trusted.get(keys[0].keyId)?.equals(keys[0].publicKey), true);
  fleet.log.enrol('responder-3', 'responder', 'a3', keys[2]);
  await until(() => trusted.get(keys[2].keyId) !== undefined);
  fleet.log.revoke('a1');
  await until(() => trusted.get(keys[0].keyId) === undefined);
  assert.equal(trusted.get(keys[1].keyId), undefined, 'the key of a detector is not a responder key');
  assert.equal(trusted.refused, 0);
  // A malicious responder sends records that the root key did not sign.
  const draft = fleet.enrolments.ofSubject('responder-3')[0];
  assert.ok(draft !== undefined);
  const attacker = createSigningKey();
  const publicKey = attacker.publicKey.export({ type: 'spki', format: 'der' });
  trusted.add(encodeSigned('Enrolment', { ...draft, signingKeyId: attacker.keyId, publicKey }, attacker));
  trusted.add(encode('Enrolment', { ...draft, signingKeyId: attacker.keyId, publicKey }));
  trusted.add(encode('Enrolment', { ...draft, version: 9, revokedAt: 1 }));
  trusted.add(Buffer.from('garbage'));
  assert.equal(trusted.get(attacker.keyId), undefined);
  assert.notEqual(trusted.get(keys[2].keyId), undefined);
  assert.equal(trusted.refused, 4);
});
