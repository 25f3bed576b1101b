import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { INITIAL_INTEREST } from '@ringfence/interest';
import { decode, encodeSigned } from '@ringfence/wire';
import { interestFromWire, interestToWire } from '../src/wire.ts';
import { command, createTestFleet, TestAgent, until } from './support.ts';

const limit = { timeout: 120_000 };

test('an agent executes a command and keeps its Result until it is acknowledged', limit, async (t) => {
  const fleet = await createTestFleet(t);
  const server = await fleet.serve();
  const agent = new TestAgent();
  const attached: string[] = [];
  server.onAttach((hostId) => attached.push(hostId));
  const link = await fleet.connect(agent, [server]);
  await until(() => server.attached(agent.hostId));
  assert.deepEqual(attached, [agent.hostId]);
  const { id, bytes } = command(agent.hostId);
  const [first, second] = await Promise.all([server.execute(agent.hostId, bytes), server.execute(agent.hostId, bytes)]);
  assert.equal(decode('Result', first).id, id);
  assert.deepEqual(first, second);
  assert.equal(link.stats().unacknowledged, 1);
  assert.deepEqual(await server.execute(agent.hostId, bytes), first, 'a repeated command returns the same Result');
  assert.deepEqual(agent.executed, [id], 'executed once');
  server.acknowledge(agent.hostId, id);
  await until(() => link.stats().unacknowledged === 0);
  assert.deepEqual(fleet.stored, []);
  assert.equal(server.stats().waiting, 0);
});

test('execute rejects for a detached host, for bytes that are not a command, and when aborted', limit, async (t) => {
  const fleet = await createTestFleet(t);
  const server = await fleet.serve();
  const agent = new TestAgent();
  const { bytes } = command(agent.hostId);
  await assert.rejects(server.execute(agent.hostId, bytes), { code: 'ERR_CONTROL_NOT_ATTACHED', fate: 'retriable' });
  await fleet.connect(agent, [server]);
  await until(() => server.attached(agent.hostId));
  const garbage = server.execute(agent.hostId, Buffer.from('garbage'));
  await assert.rejects(garbage, { code: 'ERR_CONTROL_BAD_COMMAND', fate: 'poison' });
  const huge = server.execute(agent.hostId, Buffer.alloc(2 << 20));
  await assert.rejects(huge, { code: 'ERR_CONTROL_BAD_COMMAND' });
  agent.hold();
  const stop = new AbortController();
  const pending = server.execute(agent.hostId, bytes, stop.signal);
  await until(() => agent.executed.length === 1);
  stop.abort(new Error('enough'));
  await assert.rejects(pending, /enough/);
  agent.release();
  await until(() => fleet.stored.length === 1);
});

test('the interest reaches attached agents and later ones; an older version is ignored', limit, async (t) => {
  const fleet = await createTestFleet(t);
  const server = await fleet.serve();
  const [first, second] = [new TestAgent(), new TestAgent()];
  await fleet.connect(first, [server]);
  await until(() => server.attached(first.hostId));
  const interest = {
    ...INITIAL_INTEREST,
    version: 7,
    openPathPrefixes: ['/etc/', '/root/'],
    openNames: ['id_rsa'],
    openExecutables: ['nginx'],
    openPaths: ['/srv/secret'],
  };
  await server.setInterest(interest);
  await until(() => first.interests.length === 1);
  await fleet.connect(second, [server]);
  await until(() => second.interests.length === 1);
  assert.deepEqual([first.interests[0], second.interests[0]], [interest, interest]);
  await server.setInterest({ ...interest, version: 6 });
  const everything = {
    ...INITIAL_INTEREST,
    version: 8,
    openPathPrefixes: null,
    openPaths: ['/srv/secret'],
  };
  await server.setInterest(everything);
  await until(() => first.interests.length === 2);
  assert.deepEqual(first.interests[1], everything);
});

test('an agent that does not know open_executables reports every open instead', () => {
  const wants = null;
  const named = {
    ...INITIAL_INTEREST,
    version: 1,
    openPathPrefixes: ['/etc/'],
    openExecutables: ['nginx'],
    openPaths: ['/srv/secret'],
    wants,
  };
  assert.equal(interestToWire(named).everyOpen, true);
  for (const interest of [
    named,
    { ...named, openExecutables: [] },
    { ...named, openPathPrefixes: null, openExecutables: [] },
  ])
    assert.deepEqual(interestFromWire(interestToWire(interest)), interest);
  const every = interestFromWire(interestToWire({ ...named, openPathPrefixes: null }));
  assert.deepEqual(
    [every.openPathPrefixes, every.openExecutables],
    [null, []],
    'every open includes the opens of executables',
  );
});

test(
  'when a responder stops during a command, the agent reconnects to another and executes it once',
  limit,
  async (t) => {
    const fleet = await createTestFleet(t);
    const servers = [await fleet.serve(), await fleet.serve()] as const;
    const agent = new TestAgent();
    const link = await fleet.connect(agent, servers);
    await until(() => servers.some((server) => server.attached(agent.hostId)));
    const [first, survivor] = servers[0].attached(agent.hostId) ? servers : ([servers[1], servers[0]] as const);
    agent.hold();
    const { id, bytes } = command(agent.hostId);
    const pending = first.execute(agent.hostId, bytes);
    const lost = assert.rejects(pending, { code: 'ERR_CONTROL_LOST', fate: 'retriable' });
    await until(() => agent.executed.length === 1);
    await first.close();
    await lost;
    await until(() => survivor.attached(agent.hostId));
    // The second responder repeats the command while it still runs, and gets the Result of that run.
    const retried = survivor.execute(agent.hostId, bytes);
    await until(() => survivor.stats().waiting === 1);
    agent.release();
    assert.equal(decode('Result', await retried).id, id);
    assert.deepEqual(agent.executed, [id]);
    survivor.acknowledge(agent.hostId, id);
    await until(() => link.stats().unacknowledged === 0);
  },
);

test('a Result that finished while disconnected is sent after the reconnect until it is stored', limit, async (t) => {
  const fleet = await createTestFleet(t);
  const first = await fleet.serve();
  const agent = new TestAgent();
  const link = await fleet.connect(agent, [first]);
  await until(() => first.attached(agent.hostId));
  agent.hold();
  const { id, bytes } = command(agent.hostId);
  first.execute(agent.hostId, bytes).catch(() => {});
  await until(() => agent.executed.length === 1);
  await first.close();
  agent.release();
  await until(() => link.stats().unacknowledged === 1);
  let failures = 2;
  const second = await fleet.serve({
    port: first.port,
    onResult: async (hostId, result) => {
      if (failures-- > 0) throw new Error('the bus is full');
      fleet.stored.push({ hostId, id: decode('Result', result).id });
    },
  });
  await until(() => link.stats().unacknowledged === 0);
  assert.deepEqual(fleet.stored, [{ hostId: agent.hostId, id }]);
  assert.equal(second.stats().disconnects['not-stored'], 2);
  assert.deepEqual(agent.executed, [id]);
});

test('a newer stream of a host replaces the older one', limit, async (t) => {
  const fleet = await createTestFleet(t);
  const server = await fleet.serve();
  const [older, newer] = [new TestAgent(), new TestAgent()];
  const twin = new TestAgent(older.hostId);
  const link = await fleet.connect(older, [server], { backoffMs: 60_000, maxBackoffMs: 60_000 });
  await until(() => link.connected);
  await fleet.connect(newer, [server]);
  await fleet.connect(twin, [server]);
  await until(() => !link.connected && server.attached(twin.hostId));
  const { id, bytes } = command(twin.hostId);
  await server.execute(twin.hostId, bytes);
  assert.deepEqual([older.executed, twin.executed], [[], [id]]);
  assert.equal(server.stats().disconnects.replaced, 1);
  assert.equal(server.stats().attached, 2);
});

test('an agent that sends the Result of another host is disconnected', limit, async (t) => {
  const fleet = await createTestFleet(t);
  const server = await fleet.serve();
  const agent = new TestAgent();
  const otherHostId = randomUUID();
  agent.execute = async (bytes) => {
    const { id } = decode('Command', bytes);
    return encodeSigned(
      'Result',
      { id, hostId: otherHostId, outcome: 'executed', reason: '', executable: '', at: 1, children: 0, facts: {} },
      null,
    );
  };
  await fleet.connect(agent, [server], { backoffMs: 60_000, maxBackoffMs: 60_000 });
  await until(() => server.attached(agent.hostId));
  await assert.rejects(server.execute(agent.hostId, command(agent.hostId).bytes), { code: 'ERR_CONTROL_LOST' });
  assert.equal(server.stats().disconnects.misbehaved, 1);
  assert.deepEqual(fleet.stored, []);
});

test('change filters are also sent as open filters, for agents that do not know them', () => {
  const interest = {
    ...INITIAL_INTEREST,
    version: 1,
    openPathPrefixes: ['/etc/'],
    openNames: ['shadow'],
    changePathPrefixes: ['/var/spool/'],
    changeNames: ['passwd'],
  };
  const wire = interestToWire(interest);
  assert.deepEqual(
    [wire.openPathPrefixes, wire.openNames],
    [
      ['/etc/', '/var/spool/'],
      ['shadow', 'passwd'],
    ],
  );
  assert.deepEqual(interestFromWire(wire), interest);
  const twice = { ...interest, changePathPrefixes: ['/etc/'], changeNames: ['shadow', 'passwd'] };
  assert.deepEqual(interestFromWire(interestToWire(twice)), { ...interest, changePathPrefixes: [] }, 'opens stay');
});
