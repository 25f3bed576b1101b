import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { decode, encodeSigned } from '@ringfence/wire';
import { interestFromWire, interestToWire } from '../src/wire.ts';
import { command, createPlace, TestAgent, until } from './support.ts';

const limit = { timeout: 120_000 };

test('a command goes down, its Result comes up, and is kept until it is acknowledged', limit, async (t) => {
  const place = await createPlace(t);
  const server = await place.serve();
  const agent = new TestAgent();
  const attached: string[] = [];
  server.onAttach((hostId) => attached.push(hostId));
  const link = await place.connect(agent, [server]);
  await until(() => server.attached(agent.hostId));
  assert.deepEqual(attached, [agent.hostId]);
  const { id, bytes } = command(agent.hostId);
  const [first, second] = await Promise.all([server.execute(agent.hostId, bytes), server.execute(agent.hostId, bytes)]);
  assert.equal(decode('Result', first).id, id);
  assert.deepEqual(first, second);
  assert.equal(link.stats().unacknowledged, 1);
  assert.deepEqual(await server.execute(agent.hostId, bytes), first, 'asked again, it answers the same');
  assert.deepEqual(agent.executed, [id], 'carried out once');
  server.acknowledge(agent.hostId, id);
  await until(() => link.stats().unacknowledged === 0);
  assert.deepEqual(place.stored, []);
  assert.equal(server.stats().waiting, 0);
});

test('a host that is not here, bytes that are no command, an impatient caller', limit, async (t) => {
  const place = await createPlace(t);
  const server = await place.serve();
  const agent = new TestAgent();
  const { bytes } = command(agent.hostId);
  await assert.rejects(server.execute(agent.hostId, bytes), { code: 'ERR_CONTROL_NOT_ATTACHED', fate: 'retriable' });
  await place.connect(agent, [server]);
  await until(() => server.attached(agent.hostId));
  const garbage = server.execute(agent.hostId, Buffer.from('garbage'));
  await assert.rejects(garbage, { code: 'ERR_CONTROL_BAD_COMMAND', fate: 'poison' });
  const huge = server.execute(agent.hostId, Buffer.alloc(2 << 20));
  await assert.rejects(huge, { code: 'ERR_CONTROL_BAD_COMMAND' });
  agent.hold();
  const stop = new AbortController();
  const answer = server.execute(agent.hostId, bytes, stop.signal);
  await until(() => agent.executed.length === 1);
  stop.abort(new Error('enough'));
  await assert.rejects(answer, /enough/);
  agent.release();
  await until(() => place.stored.length === 1);
});

test('the interest goes to all, and to whoever comes later; an older one is ignored', limit, async (t) => {
  const place = await createPlace(t);
  const server = await place.serve();
  const [one, two] = [new TestAgent(), new TestAgent()];
  await place.connect(one, [server]);
  await until(() => server.attached(one.hostId));
  const interest = {
    version: 7,
    openPathPrefixes: ['/etc/', '/root/'],
    openNames: ['id_rsa'],
    openExecutables: ['nginx'],
    changePathPrefixes: [],
    changeNames: [],
    wants: null,
  };
  await server.setInterest(interest);
  await until(() => one.interests.length === 1);
  await place.connect(two, [server]);
  await until(() => two.interests.length === 1);
  assert.deepEqual([one.interests[0], two.interests[0]], [interest, interest]);
  await server.setInterest({ ...interest, version: 6 });
  const everything = {
    version: 8,
    openPathPrefixes: null,
    openNames: [],
    openExecutables: [],
    changePathPrefixes: [],
    changeNames: [],
    wants: null,
  };
  await server.setInterest(everything);
  await until(() => one.interests.length === 2);
  assert.deepEqual(one.interests[1], everything);
});

test('an agent that knows of no executables sends every open in place of theirs', () => {
  const wants = null;
  const named = {
    version: 1,
    openPathPrefixes: ['/etc/'],
    openNames: [],
    openExecutables: ['nginx'],
    changePathPrefixes: [],
    changeNames: [],
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
  assert.deepEqual([every.openPathPrefixes, every.openExecutables], [null, []], 'every open is more than theirs');
});

test(
  'a responder dies with a command at work: the agent goes to the other, and its Result is stored once',
  limit,
  async (t) => {
    const place = await createPlace(t);
    const servers = [await place.serve(), await place.serve()] as const;
    const agent = new TestAgent();
    const link = await place.connect(agent, servers);
    await until(() => servers.some((server) => server.attached(agent.hostId)));
    const [first, other] = servers[0].attached(agent.hostId) ? servers : ([servers[1], servers[0]] as const);
    agent.hold();
    const { id, bytes } = command(agent.hostId);
    const answer = first.execute(agent.hostId, bytes);
    const lost = assert.rejects(answer, { code: 'ERR_CONTROL_LOST', fate: 'retriable' });
    await until(() => agent.executed.length === 1);
    await first.close();
    await lost;
    await until(() => other.attached(agent.hostId));
    // Asked again by the other one while it is still at work, and answered by what began under the first.
    const again = other.execute(agent.hostId, bytes);
    await until(() => other.stats().waiting === 1);
    agent.release();
    assert.equal(decode('Result', await again).id, id);
    assert.deepEqual(agent.executed, [id]);
    other.acknowledge(agent.hostId, id);
    await until(() => link.stats().unacknowledged === 0);
  },
);

test(
  'a Result of while nobody was there is sent after the reconnect, and again until it is stored',
  limit,
  async (t) => {
    const place = await createPlace(t);
    const first = await place.serve();
    const agent = new TestAgent();
    const link = await place.connect(agent, [first]);
    await until(() => first.attached(agent.hostId));
    agent.hold();
    const { id, bytes } = command(agent.hostId);
    first.execute(agent.hostId, bytes).catch(() => {});
    await until(() => agent.executed.length === 1);
    await first.close();
    agent.release();
    await until(() => link.stats().unacknowledged === 1);
    let failures = 2;
    const second = await place.serve({
      port: first.port,
      onResult: async (hostId, result) => {
        if (failures-- > 0) throw new Error('the bus is full');
        place.stored.push({ hostId, id: decode('Result', result).id });
      },
    });
    await until(() => link.stats().unacknowledged === 0);
    assert.deepEqual(place.stored, [{ hostId: agent.hostId, id }]);
    assert.equal(second.stats().cut['not-stored'], 2);
    assert.deepEqual(agent.executed, [id]);
  },
);

test('of two streams of one host the newer one wins', limit, async (t) => {
  const place = await createPlace(t);
  const server = await place.serve();
  const [older, newer] = [new TestAgent(), new TestAgent()];
  const twin = new TestAgent(older.hostId);
  const link = await place.connect(older, [server], { backoffMs: 60_000, maxBackoffMs: 60_000 });
  await until(() => link.connected);
  await place.connect(newer, [server]);
  await place.connect(twin, [server]);
  await until(() => !link.connected && server.attached(twin.hostId));
  const { id, bytes } = command(twin.hostId);
  await server.execute(twin.hostId, bytes);
  assert.deepEqual([older.executed, twin.executed], [[], [id]]);
  assert.equal(server.stats().cut.replaced, 1);
  assert.equal(server.stats().attached, 2);
});

test('an agent that answers about another host is cut', limit, async (t) => {
  const place = await createPlace(t);
  const server = await place.serve();
  const agent = new TestAgent();
  const other = randomUUID();
  agent.execute = async (bytes) => {
    const { id } = decode('Command', bytes);
    return encodeSigned('Result', { id, hostId: other, outcome: 'executed', reason: '', executable: '', at: 1 }, null);
  };
  await place.connect(agent, [server], { backoffMs: 60_000, maxBackoffMs: 60_000 });
  await until(() => server.attached(agent.hostId));
  await assert.rejects(server.execute(agent.hostId, command(agent.hostId).bytes), { code: 'ERR_CONTROL_LOST' });
  assert.equal(server.stats().cut.misbehaved, 1);
  assert.deepEqual(place.stored, []);
});

test('what is asked for of changes alone an agent that does not tell them apart sends of opens, too', () => {
  const interest = {
    version: 1,
    openPathPrefixes: ['/etc/'],
    openNames: ['shadow'],
    openExecutables: [],
    changePathPrefixes: ['/var/spool/'],
    changeNames: ['passwd'],
    wants: null,
  };
  const said = interestToWire(interest);
  assert.deepEqual(
    [said.openPathPrefixes, said.openNames],
    [
      ['/etc/', '/var/spool/'],
      ['shadow', 'passwd'],
    ],
  );
  assert.deepEqual(interestFromWire(said), interest);
  const twice = { ...interest, changePathPrefixes: ['/etc/'], changeNames: ['shadow', 'passwd'] };
  assert.deepEqual(interestFromWire(interestToWire(twice)), { ...interest, changePathPrefixes: [] }, 'opens stay');
});
