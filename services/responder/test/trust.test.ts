import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { type Bus, openEmbeddedBus } from '@ringfence/bus';
import { localControlPlane } from '@ringfence/control/local';
import type { Interest } from '@ringfence/interest';
import {
  createTestAlert,
  createTestIncident,
  createTestLineage,
  EVIDENCE_HOST,
  EVIDENCE_WALL_OFFSET,
} from '@ringfence/testkit';
import {
  type Alert,
  createSigningKey,
  decode,
  encodeSigned,
  type Incident,
  type InterestRecord,
  type SigningKey,
  TOPIC,
  topicsWith,
  verifyRecord,
} from '@ringfence/wire';
import { DetectorInterests } from '../src/interest/union.ts';
import { encodeCommand, startTestResponder, TestAgent, tempDir } from './support.ts';

const detector = createSigningKey();
const stranger = createSigningKey();
const trusted = (keyId: string) => (keyId === detector.keyId ? detector.publicKey : undefined);

const alert = (sequence: number): Alert =>
  createTestAlert(sequence, {
    action: 'kill',
    cgroupPath: '/ringfence-demo-1',
    timestamp: EVIDENCE_WALL_OFFSET,
    lineage: [createTestLineage(2 ** 30 + sequence)],
  });

async function read<T>(bus: Bus, topic: string, count: number, of: (value: Uint8Array) => T): Promise<T[]> {
  const found: T[] = [];
  for await (const { value } of bus.read({ topic, follow: true, signal: AbortSignal.timeout(10_000) })) {
    if (value !== null) found.push(of(value));
    if (found.length >= count) break;
  }
  return found;
}

suite('a responder that knows its detectors', () => {
  const forge = (key: SigningKey | null, sequence: number): Buffer => encodeSigned('Alert', alert(sequence), key);
  const inTheNameOf = (sequence: number): Buffer => {
    const bytes = forge(detector, sequence);
    bytes.set(forge(stranger, sequence).subarray(-64), bytes.length - 64);
    return bytes;
  };
  const changed = (sequence: number): Buffer => {
    const bytes = forge(detector, sequence);
    const at = bytes.indexOf('/ringfence-demo-1');
    assert.ok(at > 0);
    bytes.write('2', at + '/ringfence-demo-1'.length - 1);
    return bytes;
  };
  const incident = createTestIncident([alert(9)], 1);

  test('acts on what they signed, and on nothing that anybody else has written: it goes to the dead letters, with the reason', async () => {
    using dir = tempDir();
    await using bus = await openEmbeddedBus({ path: ':memory:' });
    await bus.ensureTopics(topicsWith(1));
    const key = createSigningKey();
    const agent = new TestAgent(key, dir.path, []);
    await using responder = await startTestResponder({ bus, key, control: agent, overrides: { trusted } });
    const forged = [forge(null, 1), forge(stranger, 2), inTheNameOf(3), changed(4)];
    await bus.produce(forged.map((value) => ({ topic: TOPIC.alerts, key: EVIDENCE_HOST, value })));
    for (const topic of [TOPIC.incidents, TOPIC.hostIncidents]) {
      const signed = encodeSigned('Incident', incident as Incident, stranger);
      await bus.produce([{ topic, key: EVIDENCE_HOST, value: signed }]);
    }
    await bus.produce([{ topic: TOPIC.alerts, key: EVIDENCE_HOST, value: forge(detector, 5) }]);
    const letters = await read(bus, TOPIC.dlq, forged.length + 2, (value) => decode('DeadLetter', value));
    assert.deepEqual(
      new Set(letters.map(({ code, stage }) => `${stage} ${code}`)),
      new Set(['responder ERR_RESPONDER_FORGED']),
    );
    for (const { reason } of letters) assert.match(reason, /is not signed/);
    assert.deepEqual(
      letters.filter(({ topic }) => topic === TOPIC.alerts).map(({ original }) => Buffer.from(original)),
      forged,
    );
    const [command] = await read(bus, TOPIC.commands, 1, (value) => decode('Command', value));
    assert.equal(command?.cause, alert(5).id);
    await read(bus, TOPIC.results, 1, (value) => decode('Result', value));
    assert.equal(agent.executed().length, 1);
    assert.equal(responder.stats().commands.enforce, 1);
  });

  test('carries out the command of another responder it knows and believes its answers, not those of a stranger', async () => {
    using dir = tempDir();
    await using bus = await openEmbeddedBus({ path: ':memory:' });
    await bus.ensureTopics(topicsWith(1));
    const other = createSigningKey();
    const agent = new TestAgent(other, dir.path, []);
    const responders = (keyId: string) => (keyId === other.keyId ? other.publicKey : undefined);
    const key = createSigningKey();
    await using _ = await startTestResponder({ bus, key, control: agent, overrides: { responders } });
    const value = encodeCommand(other, 'ours');
    const { id, hostId } = decode('Command', value);
    const answer = { id, hostId, outcome: 'gone', reason: 'so they say', executable: '', at: 1 } as const;
    await bus.produce([
      // what would keep the command from its agent
      ...[null, stranger, { ...stranger, keyId: other.keyId }].map((by) => ({
        topic: TOPIC.answers,
        key: EVIDENCE_HOST,
        value: encodeSigned('Result', answer, by),
      })),
      { topic: TOPIC.commands, key: EVIDENCE_HOST, value: encodeCommand(stranger, 'theirs') },
      // signed, but laid where another responder would keep account of it too
      { topic: TOPIC.commands, key: 'another-host', value },
      { topic: TOPIC.commands, key: EVIDENCE_HOST, value },
    ]);
    const letters = await read(bus, TOPIC.dlq, 5, (letter) => decode('DeadLetter', letter));
    const forged = Array.from({ length: 4 }, () => 'ERR_RESPONDER_FORGED');
    assert.deepEqual(letters.map(({ code }) => code).sort(), [...forged, 'ERR_RESPONDER_MISPLACED']);
    const results = await read(bus, TOPIC.results, 1, (result) => ({ ...decode('Result', result), bytes: result }));
    assert.deepEqual([results.length, agent.executed().length], [1, 1]);
    assert.equal(results[0]?.reason, 'not-the-process', 'what the agent said');
    assert.ok(verifyRecord(key.publicKey, results[0].bytes), 'the one that kept account signed it');
  });
});

suite('what the rules can match', () => {
  const MINUTE = 60_000_000;
  const said = (name: string, at: number, over: Partial<InterestRecord> = {}): InterestRecord => ({
    detector: name,
    version: 1,
    at,
    openPathPrefixes: [`/${name}`],
    openNames: [],
    openExecutables: [],
    changePathPrefixes: [],
    changeNames: [],
    wants: null,
    keyId: '',
    signature: Buffer.alloc(64),
    ...over,
  });

  test('is the union over the detectors heard of lately, told when it changes, with a version that ascends', () => {
    const interests = new DetectorInterests();
    assert.equal(interests.union(0), null);
    interests.update(said('b', MINUTE, { openNames: ['id_rsa'], openExecutables: ['nginx'], changeNames: ['passwd'] }));
    const changed = { changePathPrefixes: ['/spool'], changeNames: ['group'] };
    interests.update(said('a', 2 * MINUTE, changed));
    const first = interests.union(2 * MINUTE);
    assert.deepEqual([first?.openPathPrefixes, first?.openNames], [['/a', '/b'], ['id_rsa']]);
    assert.deepEqual(first?.openExecutables, ['nginx']);
    assert.deepEqual([first?.changePathPrefixes, first?.changeNames], [['/spool'], ['group', 'passwd']]);
    interests.update(said('a', 3 * MINUTE, changed));
    assert.equal(interests.union(3 * MINUTE), null);
    interests.update(said('a', MINUTE, { openPathPrefixes: ['/old'] }));
    assert.equal(interests.union(3 * MINUTE), null, 'an older word changes nothing');
    const later = interests.union(7 * MINUTE);
    assert.deepEqual(later?.openPathPrefixes, ['/a']);
    assert.ok(later.version > (first?.version ?? 0));
    assert.equal(interests.union(20 * MINUTE), null, 'silence does not blind the agents');
  });

  test('is every open as soon as one detector says so', () => {
    const interests = new DetectorInterests();
    interests.update(said('a', MINUTE, { openExecutables: ['nginx'], changeNames: ['passwd'] }));
    interests.update(said('b', MINUTE, { openPathPrefixes: null }));
    const { openPathPrefixes, openExecutables, changeNames } = interests.union(MINUTE) ?? {};
    assert.deepEqual([openPathPrefixes, openExecutables, changeNames], [null, [], []]);
  });

  test('reaches the agents from ringfence.interest, when a detector has signed it', async () => {
    using dir = tempDir();
    await using bus = await openEmbeddedBus({ path: ':memory:' });
    await bus.ensureTopics(topicsWith(1));
    const key = createSigningKey();
    const agent = new TestAgent(key, dir.path, []);
    const told: Interest[] = [];
    const plane = { ...localControlPlane(agent), setInterest: async (one: Interest) => void told.push(one) };
    const overrides = { trusted, followInterest: true, control: plane, now: () => 3 * MINUTE };
    const say = (signer: SigningKey | null, record: InterestRecord) =>
      bus.produce([
        { topic: TOPIC.interest, key: record.detector, value: encodeSigned('InterestRecord', record, signer) },
      ]);
    await say(detector, said('a', 2 * MINUTE));
    await say(stranger, said('b', 2 * MINUTE, { openPathPrefixes: [] }));
    await using _ = await startTestResponder({ bus, key, control: agent, overrides });
    const [letter] = await read(bus, TOPIC.dlq, 1, (value) => decode('DeadLetter', value));
    assert.deepEqual([letter?.code, letter?.stage], ['ERR_RESPONDER_FORGED', 'responder/interest']);
    await bus.produce([{ topic: TOPIC.interest, key: 'a', value: null }]);
    await say(detector, said('c', 2 * MINUTE));
    for (let tries = 0; tries < 500 && told.at(-1)?.openPathPrefixes?.length !== 2; tries++)
      await new Promise((resolve) => setTimeout(resolve, 10));
    assert.deepEqual(told.at(-1)?.openPathPrefixes, ['/a', '/c']);
  });
});
