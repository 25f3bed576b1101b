import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { type Bus, openEmbeddedBus } from '@ringfence/bus';
import { localControlPlane } from '@ringfence/control/local';
import { INITIAL_INTEREST, type Interest } from '@ringfence/interest';
import {
  createTestAlert,
  createTestIncident,
  createTestLineage,
  EVIDENCE_HOST,
  EVIDENCE_WALL_OFFSET,
} from '@ringfence/synthetic';
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

suite('a responder that verifies signatures', () => {
  const forge = (key: SigningKey | null, sequence: number): Buffer => encodeSigned('Alert', alert(sequence), key);
  const withOtherSignature = (sequence: number): Buffer => {
    const bytes = forge(detector, sequence);
    bytes.set(forge(stranger, sequence).subarray(-64), bytes.length - 64);
    return bytes;
  };
  const tampered = (sequence: number): Buffer => {
    const bytes = forge(detector, sequence);
    const at = bytes.indexOf('/ringfence-demo-1');
    assert.ok(at > 0);
    bytes.write('2', at + '/ringfence-demo-1'.length - 1);
    return bytes;
  };
  const incident = createTestIncident([alert(9)], 1);

  test('acts on records of detectors and sends forged records to the dead letters with the reason', async () => {
    using dir = tempDir();
    await using bus = await openEmbeddedBus({ path: ':memory:' });
    await bus.ensureTopics(topicsWith(1));
    const key = createSigningKey();
    const agent = new TestAgent(key, dir.path, []);
    await using responder = await startTestResponder({ bus, key, control: agent, overrides: { trusted } });
    const forged = [forge(null, 1), forge(stranger, 2), withOtherSignature(3), tampered(4)];
    await bus.produce(forged.map((value) => ({ topic: TOPIC.alerts, key: EVIDENCE_HOST, value })));
    const signed = encodeSigned('Incident', incident as Incident, stranger);
    await bus.produce([{ topic: TOPIC.incidents, key: incident.id, value: signed }]);
    await bus.produce([{ topic: TOPIC.alerts, key: EVIDENCE_HOST, value: forge(detector, 5) }]);
    const letters = await read(bus, TOPIC.dlq, forged.length + 1, (value) => decode('DeadLetter', value));
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

  test('carries out commands of another responder and ignores commands and answers of a stranger', async () => {
    using dir = tempDir();
    await using bus = await openEmbeddedBus({ path: ':memory:' });
    await bus.ensureTopics(topicsWith(1));
    const otherKey = createSigningKey();
    const agent = new TestAgent(otherKey, dir.path, []);
    const responders = (keyId: string) => (keyId === otherKey.keyId ? otherKey.publicKey : undefined);
    const key = createSigningKey();
    await using _ = await startTestResponder({ bus, key, control: agent, overrides: { responders } });
    const value = encodeCommand(otherKey, 'honest');
    const { id, hostId } = decode('Command', value);
    const answer = {
      id,
      hostId,
      outcome: 'gone',
      reason: 'forged',
      executable: '',
      at: 1,
      children: 0,
      facts: {},
    } as const;
    await bus.produce([
      // A forged answer would end the command before its agent gets it.
      ...[null, stranger, { ...stranger, keyId: otherKey.keyId }].map((signer) => ({
        topic: TOPIC.answers,
        key: EVIDENCE_HOST,
        value: encodeSigned('Result', answer, signer),
      })),
      { topic: TOPIC.commands, key: EVIDENCE_HOST, value: encodeCommand(stranger, 'forged') },
      // Signed, but with the key of another host: a second partition would own it.
      { topic: TOPIC.commands, key: 'another-host', value },
      { topic: TOPIC.commands, key: EVIDENCE_HOST, value },
    ]);
    const letters = await read(bus, TOPIC.dlq, 5, (letter) => decode('DeadLetter', letter));
    const forged = Array.from({ length: 4 }, () => 'ERR_RESPONDER_FORGED');
    assert.deepEqual(letters.map(({ code }) => code).sort(), [...forged, 'ERR_RESPONDER_MISPLACED']);
    const results = await read(bus, TOPIC.results, 1, (result) => ({ ...decode('Result', result), bytes: result }));
    assert.deepEqual([results.length, agent.executed().length], [1, 1]);
    assert.equal(results[0]?.reason, 'not-the-process', 'the answer of the agent');
    assert.ok(verifyRecord(key.publicKey, results[0].bytes), 'the responder that published the answer signed it');
  });
});

suite('the interest that is sent to the agents', () => {
  const MINUTE = 60_000_000;
  const interestOf = (name: string, at: number, overrides: Partial<InterestRecord> = {}): InterestRecord => ({
    ...INITIAL_INTEREST,
    detector: name,
    version: 1,
    at,
    openPathPrefixes: [`/${name}`],
    keyId: '',
    signature: Buffer.alloc(64),
    ...overrides,
  });

  test('is the union over the recent detectors, with a new and higher version when it changes', () => {
    const interests = new DetectorInterests();
    assert.equal(interests.union(0), null);
    interests.update(
      interestOf('b', MINUTE, { openNames: ['id_rsa'], openExecutables: ['nginx'], changeNames: ['passwd'] }),
    );
    const changed = { changePathPrefixes: ['/spool'], changeNames: ['group'] };
    interests.update(interestOf('a', 2 * MINUTE, changed));
    const first = interests.union(2 * MINUTE);
    assert.deepEqual([first?.openPathPrefixes, first?.openNames], [['/a', '/b'], ['id_rsa']]);
    assert.deepEqual(first?.openExecutables, ['nginx']);
    assert.deepEqual([first?.changePathPrefixes, first?.changeNames], [['/spool'], ['group', 'passwd']]);
    interests.update(interestOf('a', 3 * MINUTE, changed));
    assert.equal(interests.union(3 * MINUTE), null);
    interests.update(interestOf('a', MINUTE, { openPathPrefixes: ['/old'] }));
    assert.equal(interests.union(3 * MINUTE), null, 'an older record changed it');
    const later = interests.union(7 * MINUTE);
    assert.deepEqual(later?.openPathPrefixes, ['/a']);
    assert.ok(later.version > (first?.version ?? 0));
    assert.equal(interests.union(20 * MINUTE), null, 'without detectors the agents keep their interest');
  });

  test('is every open as soon as one detector wants every open', () => {
    const interests = new DetectorInterests();
    interests.update(interestOf('a', MINUTE, { openExecutables: ['nginx'], changeNames: ['passwd'] }));
    interests.update(interestOf('b', MINUTE, { openPathPrefixes: null, openPaths: ['/srv/b'] }));
    const { openPathPrefixes, openExecutables, changeNames, openPaths } = interests.union(MINUTE) ?? {};
    assert.deepEqual([openPathPrefixes, openExecutables, changeNames], [null, [], []]);
    assert.deepEqual(openPaths, ['/srv/b'], 'another path may lead to a file that a rule names');
  });

  test('comes from ringfence.interest, from records that a detector signed', async () => {
    using dir = tempDir();
    await using bus = await openEmbeddedBus({ path: ':memory:' });
    await bus.ensureTopics(topicsWith(1));
    const key = createSigningKey();
    const agent = new TestAgent(key, dir.path, []);
    const sent: Interest[] = [];
    const plane = { ...localControlPlane(agent), setInterest: async (interest: Interest) => void sent.push(interest) };
    const overrides = { trusted, followInterest: true, control: plane, now: () => 3 * MINUTE };
    const publish = (signer: SigningKey | null, record: InterestRecord) =>
      bus.produce([
        { topic: TOPIC.interest, key: record.detector, value: encodeSigned('InterestRecord', record, signer) },
      ]);
    await publish(detector, interestOf('a', 2 * MINUTE));
    await publish(stranger, interestOf('b', 2 * MINUTE, { openPathPrefixes: [] }));
    await using _ = await startTestResponder({ bus, key, control: agent, overrides });
    const [letter] = await read(bus, TOPIC.dlq, 1, (value) => decode('DeadLetter', value));
    assert.deepEqual([letter?.code, letter?.stage], ['ERR_RESPONDER_FORGED', 'responder/interest']);
    await bus.produce([{ topic: TOPIC.interest, key: 'a', value: null }]);
    await publish(detector, interestOf('c', 2 * MINUTE));
    for (let tries = 0; tries < 500 && sent.at(-1)?.openPathPrefixes?.length !== 2; tries++)
      await new Promise((resolve) => setTimeout(resolve, 10));
    assert.deepEqual(sent.at(-1)?.openPathPrefixes, ['/a', '/c']);
  });
});
