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
import { identityPaths, type TlsMaterial, TrustedKeys, watchCertificates, writeIdentity } from '@ringfence/identity';
import { createSigningKey, encode, encodeSigned } from '@ringfence/schema';
import type { ControlServer } from '../src/index.ts';
import { ResponderCredentials } from '../src/tls.ts';
import { attach, channelOptions, type FromAgent } from '../src/wire.ts';
import { command, createPlace, TestAgent, until } from './support.ts';

const limit = { timeout: 120_000 };

/** Opens a stream by hand, says `messages`; the status it ends with. */
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
  const place = await createPlace(t);
  const server = await place.serve({ helloTimeoutMs: 300 });
  const [own, other] = [randomUUID(), randomUUID()];
  const agent = await place.material(own, ['agent']);
  const hello = { hostId: own, bootId: 'b', agentVersion: '1', unacknowledged: [] };
  assert.match(await statusOf(server, agent.tls, [{ hello: { ...hello, hostId: other } }]), /^7 .*not for the host/);
  const detector = await place.material('detector-1', ['detector']);
  const asService = { hello: { ...hello, hostId: 'detector-1' } };
  assert.match(await statusOf(server, detector.tls, [asService]), /^7 .*not of an agent/);
  const many = Array.from({ length: 1001 }, (_, n) => String(n));
  assert.match(await statusOf(server, agent.tls, [{ hello: { ...hello, unacknowledged: many } }]), /^3 .*larger/);
  assert.match(await statusOf(server, agent.tls, [{ hello: { ...hello, bootId: 'x'.repeat(200) } }]), /^3 .*larger/);
  assert.match(await statusOf(server, agent.tls, [{ heartbeat: {} }]), /^3 expected a hello/);
  assert.match(await statusOf(server, agent.tls, []), /^4 no hello/);
  const big = { hello: { ...hello, bootId: 'x'.repeat(2 << 20) } };
  assert.match(await statusOf(server, agent.tls, [big]), /^8 /);
  assert.equal(server.stats().attached, 0);
});

test('a certificate of another fleet does not get through, on either side', limit, async (t) => {
  const place = await createPlace(t);
  const other = await createPlace(t);
  const server = await place.serve();
  const agent = new TestAgent();
  const stranger = await other.connect(agent, [server]);
  await until(() => stranger.stats().attempts >= 3);
  // Same fleet by the agent's lights, but the server is no responder: an agent with a server's certificate.
  const impostor = await place.serve({ tls: await place.source('detector-1', ['detector']) });
  const betrayed = await place.connect(agent, [impostor]);
  await until(() => betrayed.stats().attempts >= 3);
  assert.deepEqual([stranger.stats().welcomes, betrayed.stats().welcomes], [0, 0]);
  assert.deepEqual([server.stats().attached, impostor.stats().attached], [0, 0]);
});

test('a revoked agent is cut while it streams, and not taken again', limit, async (t) => {
  const place = await createPlace(t);
  const server = await place.serve({ heartbeatMs: 60_000 });
  const [bad, good] = [new TestAgent(), new TestAgent()];
  const tls = await place.source(bad.hostId, ['agent']);
  const link = await place.connect(bad, [server], { tls });
  const other = await place.connect(good, [server]);
  await until(() => server.attached(bad.hostId) && server.attached(good.hostId));
  bad.hold();
  const answer = assert.rejects(server.execute(bad.hostId, command(bad.hostId).bytes), { code: 'ERR_CONTROL_LOST' });
  place.log.revoke(tls.serial);
  await answer;
  assert.equal(server.attached(bad.hostId), false);
  await until(() => server.stats().cut.refused >= 2);
  assert.equal(link.connected, false);
  assert.equal(other.connected, true);
  assert.equal(link.stats().welcomes, 1);
});

test('a key that is to be retired later is cut when its time has come', limit, async (t) => {
  const place = await createPlace(t);
  const server = await place.serve({ heartbeatMs: 200 });
  const agent = new TestAgent();
  const tls = await place.source(agent.hostId, ['agent']);
  await place.connect(agent, [server], { tls });
  await until(() => server.attached(agent.hostId));
  place.log.revoke(tls.serial, (Date.now() + 300) * 1000);
  await until(() => place.enrolments.ofSubject(agent.hostId).some(({ revokedAt }) => revokedAt > 0));
  assert.equal(server.attached(agent.hostId), true);
  await until(() => server.stats().cut['not-in-force'] === 1 && !server.attached(agent.hostId));
});

test(
  'an expired certificate ends the stream; the next one, turned in while it runs, takes it up again',
  limit,
  async (t) => {
    const place = await createPlace(t);
    const server = await place.serve({ heartbeatMs: 200 });
    const agent = new TestAgent();
    const tls = await place.source(agent.hostId, ['agent'], 3 / 86_400);
    const link = await place.connect(agent, [server], { tls });
    await until(() => link.connected);
    await until(() => server.stats().cut['not-in-force'] === 1);
    const { attempts, welcomes } = link.stats();
    await until(() => link.stats().attempts >= attempts + 2);
    assert.equal(link.stats().welcomes, welcomes, 'TLS itself refuses it from now on');
    tls.turn((await place.material(agent.hostId, ['agent'])).tls);
    await until(() => link.connected);
    assert.equal(server.attached(agent.hostId), true);
  },
);

test('certificates change on both sides while they stream, from files, and no command is lost', limit, async (t) => {
  const place = await createPlace(t);
  const directory = mkdtempSync(join(tmpdir(), 'rf-control-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const signingKey = createSigningKey().privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const root = place.ca.root.publicKey.export({ type: 'spki', format: 'pem' }).toString();
  const renewed = async (name: string, roles: ['agent'] | ['responder']): Promise<string> => {
    const { tls, serial } = await place.material(name, roles);
    writeIdentity(join(directory, name), { ...tls, signingKey, root, stateKeys: '{}' });
    return serial;
  };
  const agent = new TestAgent();
  const serials = [await renewed(agent.hostId, ['agent']), await renewed('responder-1', ['responder'])];
  using agentTls = watchCertificates(identityPaths(join(directory, agent.hostId)));
  using serverTls = watchCertificates(identityPaths(join(directory, 'responder-1')));
  const server = await place.serve({ tls: serverTls });
  const link = await place.connect(agent, [server], { tls: agentTls });
  await until(() => link.connected);
  const shown = async (): Promise<string> => {
    const { key, certificate, authority } = agentTls.current();
    const socket = connectTls({ host: '127.0.0.1', port: server.port, key, cert: certificate, ca: authority });
    await once(socket, 'secureConnect');
    const { serialNumber } = socket.getPeerCertificate();
    socket.destroy();
    return serialNumber;
  };
  assert.equal(await shown(), serials[1]);
  for (let turn = 0; turn < 3; turn++) {
    const [agentSerial, serverSerial] = [
      await renewed(agent.hostId, ['agent']),
      await renewed('responder-1', ['responder']),
    ];
    const before = serials[0] as string;
    serials[0] = agentSerial;
    serverTls.check();
    agentTls.check();
    place.log.revoke(before);
    await until(() => link.stats().welcomes === turn + 2 && server.attached(agent.hostId));
    assert.equal(await shown(), serverSerial);
    await server.execute(agent.hostId, command(agent.hostId).bytes);
  }
  assert.equal(agent.executed.length, 3);
});

test(
  'garbage, half a handshake and floods of connections leave the port open to those who belong here',
  limit,
  async (t) => {
    const place = await createPlace(t);
    const server = await place.serve();
    const sockets = Array.from({ length: 50 }, (_, n) => {
      const socket = connectTcp(server.port, '127.0.0.1');
      socket.on('error', () => {});
      // TLS records of a client that never goes on, HTTP/2 without TLS, and noise.
      const said = [
        Buffer.from('16030102000100', 'hex'),
        'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
        randomBytes(4096),
      ] as const;
      socket.write(said[n % 3] as Buffer);
      return socket;
    });
    t.after(() => {
      for (const socket of sockets) socket.destroy();
    });
    const agent = new TestAgent();
    await place.connect(agent, [server]);
    await until(() => server.attached(agent.hostId));
    // With a certificate of ours, but no gRPC.
    const { tls } = await place.material(randomUUID(), ['agent']);
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
  },
);

test(
  'an agent finds its responder by trying on, and leaves no connection to those that never answer',
  limit,
  async (t) => {
    const place = await createPlace(t);
    let held = 0;
    const mute = createServer((socket) => {
      held++;
      socket.on('error', () => {});
      socket.on('close', () => held--).resume();
    }).listen(0, '127.0.0.1');
    await once(mute, 'listening');
    t.after(() => mute.close());
    const dead = createServer().listen(0, '127.0.0.1');
    await once(dead, 'listening');
    const port = (listening: typeof mute): number => (listening.address() as { port: number }).port;
    const agent = new TestAgent();
    const endpoints = [port(mute), port(dead)].map((one) => `127.0.0.1:${one}`);
    dead.close();
    const lost = await place.connect(agent, [], { endpoints, welcomeTimeoutMs: 100 });
    await until(() => lost.stats().attempts >= 8);
    assert.ok(held <= 1, `${held} connections are held`);
    await lost.close();
    await until(() => held === 0);
    const server = await place.serve();
    const found = await place.connect(agent, [], {
      endpoints: [...endpoints, `127.0.0.1:${server.port}`],
      welcomeTimeoutMs: 1000,
    });
    await until(() => found.connected && server.attached(agent.hostId));
  },
);

test('an agent that says nothing more is given up, and so is a responder', limit, async (t) => {
  const place = await createPlace(t);
  const server = await place.serve({ heartbeatMs: 200 });
  const agent = new TestAgent();
  const material = await place.material(agent.hostId, ['agent']);
  const silent = statusOf(server, material.tls, [
    { hello: { hostId: agent.hostId, bootId: 'b', agentVersion: '1', unacknowledged: [] } },
  ]);
  assert.match(await silent, /^4 the agent has gone silent/);
  assert.equal(server.stats().cut.silent, 1);

  // The network between them stops to carry anything: a proxy that holds everything back.
  let open = true;
  const proxy = createServer((down) => {
    const up = connectTcp(server.port, '127.0.0.1');
    for (const [from, to] of [
      [down, up],
      [up, down],
    ] as const) {
      from.on('data', (data) => void (open && to.write(data)));
      from.on('error', () => {});
      from.on('close', () => open && to.destroy());
      t.after(() => from.destroy());
    }
  }).listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  t.after(() => proxy.close());
  const { port } = proxy.address() as { port: number };
  const link = await place.connect(agent, [], { endpoints: [`localhost:${port}`], welcomeTimeoutMs: 300 });
  await until(() => link.connected);
  open = false;
  await until(() => !link.connected && !server.attached(agent.hostId));
  open = true;
  await until(() => link.connected);
});

test(
  'agents learn whose commands to obey from the root key, through whichever responder they have',
  limit,
  async (t) => {
    const place = await createPlace(t);
    const server = await place.serve();
    const agent = new TestAgent();
    const trusted = new TrustedKeys(place.ca.root.publicKey, 'responder');
    const keys = [createSigningKey(), createSigningKey(), createSigningKey()] as const;
    place.log.enrol('responder-2', 'auditor,responder', 'a1', keys[0]);
    place.log.enrol('detector-1', 'detector', 'a2', keys[1]);
    await until(() => place.enrolments.isInForce('a2'));
    await place.connect(agent, [server], { trusted });
    await until(() => trusted.get(keys[0].keyId) !== undefined);
    assert.equal(trusted.get(keys[0].keyId)?.equals(keys[0].publicKey), true);
    place.log.enrol('responder-3', 'responder', 'a3', keys[2]);
    await until(() => trusted.get(keys[2].keyId) !== undefined);
    place.log.revoke('a1');
    await until(() => trusted.get(keys[0].keyId) === undefined);
    assert.equal(trusted.get(keys[1].keyId), undefined, 'a detector orders nothing');
    assert.equal(trusted.refused, 0);
    // A responder that is not to be believed brings what nobody but itself has signed.
    const draft = place.enrolments.ofSubject('responder-3')[0];
    assert.ok(draft !== undefined);
    const thief = createSigningKey();
    const publicKey = thief.publicKey.export({ type: 'spki', format: 'der' });
    trusted.add(encodeSigned('Enrolment', { ...draft, signingKeyId: thief.keyId, publicKey }, thief));
    trusted.add(encode('Enrolment', { ...draft, signingKeyId: thief.keyId, publicKey }));
    trusted.add(encode('Enrolment', { ...draft, version: 9, revokedAt: 1 }));
    trusted.add(Buffer.from('garbage'));
    assert.equal(trusted.get(thief.keyId), undefined);
    assert.notEqual(trusted.get(keys[2].keyId), undefined);
    assert.equal(trusted.refused, 4);
  },
);
