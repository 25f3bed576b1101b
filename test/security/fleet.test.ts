import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Bus, OutRecord } from '@ringfence/bus';
import { createEnricherPipeline } from '@ringfence/enricher';
import { RESPONDER_TOPICS } from '@ringfence/responder';
import {
  type Alert,
  alertId,
  type Command,
  createSigningKey,
  encode,
  encodeSigned,
  FRAME_BYTES,
  type Incident,
  type SigningKey,
  signBytes,
  signedPart,
  TOPIC,
  UNSIGNED,
} from '@ringfence/schema';
import { createTestHost, createTestIncident, kafkaMissing, TestHost, testRecords } from '@ringfence/testkit';
import { SmallFleet } from '../e2e/lib/fleet.ts';
import { death, type FleetAgent, lives, type Shown } from '../e2e/lib/fleet-agent.ts';
import { until } from '../e2e/lib/wait.ts';

const PATIENCE_MS = 120_000;

/** What lies on the topics after a true kill, and keys that a thief can make up. */
interface Scene {
  readonly thief: FleetAgent;
  readonly honest: FleetAgent;
  readonly bystander: Shown;
  /** the true alert of the bystander, for which nothing is killed */
  readonly alert: Alert;
  readonly command: Command;
  /** a key that nobody enrolled */
  readonly stranger: SigningKey;
}

interface Attack {
  readonly name: string;
  /** whose key to the brokers was stolen */
  readonly as: 'agent' | 'enricher' | 'detector' | 'responder' | 'registrar';
  readonly records: (scene: Scene) => readonly OutRecord[];
  /** `stage code` of the dead letters that must come of it */
  readonly letters: readonly string[];
}

const garbage = Buffer.from('this is no record at all, whatever is read into it');

/** The stranger's signature under another's name. */
const inTheNameOf = (keyId: string, { stranger }: Scene): SigningKey => ({ ...stranger, keyId });

/** A batch that says the bystander is what has to be killed. */
function accusation({ honest, bystander, stranger }: Scene, hostId: string, key: SigningKey = stranger): TestHost {
  const { bootId, run, wallOffset, ktime } = honest.host;
  const host = new TestHost({ hostId, bootId, key, run: run.readBigUInt64LE() + 1n, wallOffset, ktime });
  const shown = host.fork(host.init, { pid: bystander.process.tgid });
  host.exec(shown, '/usr/bin/sleep', { argv: ['sleep', 'rfvictim rfinvented'] });
  return host;
}

/** What an enricher would make of it. */
function enriched(scene: Scene, key: SigningKey | null): Buffer[] {
  const host = accusation(scene, scene.honest.hostId);
  const pipeline = createEnricherPipeline({ enrolment: { keyFor: () => host.key.publicKey }, key });
  const { outputs } = pipeline.handle(testRecords(host.hostId, [host.batch()]));
  return outputs.flatMap(({ value }) => (value === null ? [] : [Buffer.from(value)]));
}

function forgedAlert({ alert }: Scene, mark: string, key: SigningKey | null): Buffer {
  const forged = {
    ...alert,
    id: alertId(mark, alert.events),
    rule: mark,
    priority: 'emergency',
    action: 'kill',
  } as const;
  return encodeSigned('Alert', { ...forged, timestamp: Date.now() * 1000 }, key);
}

function forgedIncident({ alert }: Scene, key: SigningKey | null): Buffer {
  const incident: Incident = { ...createTestIncident([alert], 1), hostId: alert.hostId, severity: 'emergency' };
  return encodeSigned('Incident', incident, key);
}

function forgedCommand({ command, alert }: Scene, id: string, key: SigningKey): Buffer {
  const [process] = alert.lineage;
  const now = Date.now() * 1000;
  const bytes = encode('Command', {
    ...command,
    ...{ id, entityId: process?.entityId ?? '', pid: process?.pid ?? 0, start: process?.start ?? Buffer.alloc(8) },
    ...{ issuedAt: now, expiresAt: now + 30_000_000, keyId: key.keyId, signature: Buffer.alloc(64) },
  });
  const { signed, signature } = signedPart(bytes);
  signature.set(signBytes(key, signed));
  return bytes;
}

/** A frame of the right kind, then a text of 100 MB that is not there. */
function claimOf100MB(frame: Uint8Array): Buffer {
  return Buffer.concat([frame.subarray(0, FRAME_BYTES), Buffer.from('80c2d75f', 'hex'), Buffer.from('short')]);
}

const raw = (key: string, value: Uint8Array): OutRecord => ({ topic: TOPIC.raw, key, value });

const ATTACKS: readonly Attack[] = [
  {
    name: 'an agent speaks for another host, with its own key and with none that is known',
    as: 'agent',
    records: (scene) => {
      const { thief, honest } = scene;
      return [
        raw(honest.hostId, accusation(scene, honest.hostId, thief.host.key).batch()),
        raw(honest.hostId, accusation(scene, honest.hostId).batch()),
        raw(honest.hostId, accusation(scene, honest.hostId, inTheNameOf(honest.host.key.keyId, scene)).batch()),
      ];
    },
    letters: [
      'enricher ERR_ENRICHER_SIGNATURE',
      'enricher ERR_ENRICHER_UNKNOWN_HOST',
      'enricher ERR_ENRICHER_UNKNOWN_HOST',
    ],
  },
  {
    name: 'an agent puts its own batch under the key of another host',
    as: 'agent',
    records: (scene) => [raw(scene.honest.hostId, accusation(scene, scene.thief.hostId, scene.thief.host.key).batch())],
    letters: ['enricher ERR_ENRICHER_UNKNOWN_HOST'],
  },
  {
    name: 'an agent makes up a host',
    as: 'agent',
    records: () => {
      const host = createTestHost({ hostId: crypto.randomUUID() });
      host.exec(host.init, '/bin/sh', { argv: ['rfvictim'] });
      return [raw(host.hostId, host.batch())];
    },
    letters: ['enricher ERR_ENRICHER_UNKNOWN_HOST'],
  },
  {
    name: 'an agent sends what is no batch, and claims 100 MB',
    as: 'agent',
    records: ({ thief }) => [
      raw(thief.hostId, garbage),
      raw(thief.hostId, claimOf100MB(accusationFrame(thief))),
      raw(thief.hostId, Buffer.alloc(0)),
    ],
    letters: ['enricher ERR_SCHEMA_MALFORMED', 'enricher ERR_SCHEMA_MALFORMED', 'enricher ERR_SCHEMA_MALFORMED'],
  },
  {
    name: 'an enricher’s password: events that no enricher signed',
    as: 'enricher',
    records: (scene) =>
      [null, inTheNameOf(scene.alert.keyId, scene), scene.stranger]
        .flatMap((key) => enriched(scene, key))
        .map((value) => ({ topic: TOPIC.events, key: scene.honest.hostId, value })),
    letters: ['detector ERR_DETECTOR_FORGED', 'detector ERR_DETECTOR_FORGED', 'detector ERR_DETECTOR_FORGED'],
  },
  {
    name: 'a detector’s password: alerts and incidents that ask for the kill of somebody else',
    as: 'detector',
    records: (scene) => {
      const { honest, stranger, alert } = scene;
      const impostor = inTheNameOf(alert.keyId, scene);
      const incident = forgedIncident(scene, impostor);
      return [
        { topic: TOPIC.alerts, key: honest.hostId, value: forgedAlert(scene, 'rfforged-unsigned', null) },
        { topic: TOPIC.alerts, key: honest.hostId, value: forgedAlert(scene, 'rfforged-stranger', stranger) },
        { topic: TOPIC.alerts, key: honest.hostId, value: forgedAlert(scene, 'rfforged-impostor', impostor) },
        { topic: TOPIC.incidents, key: 'inc-forged', value: incident },
      ];
    },
    letters: [
      'responder ERR_RESPONDER_FORGED',
      'responder ERR_RESPONDER_FORGED',
      'responder ERR_RESPONDER_FORGED',
      'responder ERR_RESPONDER_FORGED',
    ],
  },
  {
    name: 'a detector’s password: what ties hosts together, and what agents need not send',
    as: 'detector',
    records: (scene) => {
      const { honest, alert } = scene;
      const blind = {
        ...{ detector: 'detector', version: 2 ** 50, at: Date.now() * 1000, openPathPrefixes: [], openNames: [] },
        ...UNSIGNED,
      };
      const value = encodeSigned('InterestRecord', blind, inTheNameOf(alert.keyId, scene));
      return [
        { topic: TOPIC.joins, key: honest.hostId, value: garbage },
        { topic: TOPIC.edges, key: 'edge', value: garbage },
        { topic: TOPIC.interest, key: 'detector', value },
        { topic: TOPIC.interest, key: 'detector', value: null },
      ];
    },
    letters: [
      'detector ERR_SCHEMA_MALFORMED',
      'detector-edges ERR_SCHEMA_MALFORMED',
      'responder/interest ERR_RESPONDER_FORGED',
    ],
  },
  {
    name: 'any service’s password: schemas that are none, dead letters that are none',
    as: 'enricher',
    records: () => [
      { topic: TOPIC.schemas, key: '0123456789abcdef', value: garbage },
      { topic: TOPIC.dlq, key: 'k', value: garbage },
    ],
    letters: ['auditor ERR_SCHEMA_FRAME'],
  },
  {
    name: 'a responder’s password: commands, answers, and incidents handed over, that it did not sign',
    as: 'responder',
    records: (scene) => {
      const { honest, command, alert, stranger } = scene;
      const impostor = inTheNameOf(command.keyId, scene);
      const handed = forgedIncident(scene, inTheNameOf(alert.keyId, scene));
      const answer = {
        id: 'early',
        hostId: honest.hostId,
        outcome: 'gone',
        reason: '',
        executable: '',
        at: 1,
      } as const;
      return [
        { topic: TOPIC.commands, key: honest.hostId, value: forgedCommand(scene, 'forged-1', stranger) },
        { topic: TOPIC.commands, key: honest.hostId, value: forgedCommand(scene, 'forged-2', impostor) },
        { topic: TOPIC.hostIncidents, key: honest.hostId, value: handed },
        { topic: TOPIC.answers, key: honest.hostId, value: garbage },
        { topic: TOPIC.answers, key: honest.hostId, value: encodeSigned('Result', answer, impostor) },
      ];
    },
    letters: [
      'responder ERR_RESPONDER_FORGED',
      'responder ERR_RESPONDER_FORGED',
      'responder ERR_RESPONDER_FORGED',
      'responder ERR_RESPONDER_FORGED',
      'responder ERR_SCHEMA_FRAME',
    ],
  },
  {
    name: 'the registrar’s password: a stranger is enrolled as a detector, and asks for a kill',
    as: 'registrar',
    records: ({ stranger }) => {
      const now = Date.now() * 1000;
      const enrolment = {
        ...{ subject: 'stranger', role: 'detector', signingKeyId: stranger.keyId, certificateSerials: [] },
        ...{ publicKey: stranger.publicKey.export({ type: 'spki', format: 'der' }) },
        ...{ issuedAt: now, revokedAt: 0, version: now },
      };
      const value = encodeSigned('Enrolment', enrolment, stranger);
      return [{ topic: TOPIC.enrolments, key: `stranger/${stranger.keyId}`, value }];
    },
    letters: [],
  },
  {
    name: 'that stranger’s alert',
    as: 'detector',
    records: (scene) => [
      {
        topic: TOPIC.alerts,
        key: scene.honest.hostId,
        value: forgedAlert(scene, 'rfforged-enrolled', scene.stranger),
      },
    ],
    letters: ['responder ERR_RESPONDER_FORGED'],
  },
];

/** The frame of a batch. */
function accusationFrame({ host }: FleetAgent): Buffer {
  const other = createTestHost({ hostId: host.hostId, key: host.key });
  other.tick(0);
  return other.batch();
}

/** A bystander that is seen, and a victim that is killed. */
async function setTheScene(fleet: SmallFleet): Promise<Scene> {
  const [thief, honest] = [await fleet.agent(), await fleet.agent()];
  const bystander = honest.show('rfbystander');
  const victim = honest.show('rfvictim');
  await honest.send();
  assert.equal(await death(victim), 'SIGKILL');
  using audit = fleet.audit();
  const alert = await until(
    'the alert of the bystander',
    async () => {
      const alerts = await Array.fromAsync(audit.alerts());
      return alerts.find(({ rule }) => rule === 'Bystander');
    },
    PATIENCE_MS,
  );
  const command = await until(
    'the command for the victim',
    async () => (await Array.fromAsync(audit.commands())).find(({ mode }) => mode === 'enforce'),
    PATIENCE_MS,
  );
  return { thief, honest, bystander, alert, command, stranger: createSigningKey() };
}

const PLANTED = Buffer.from('{"what":"no version of it would write"}');

/** Joins the responders, reads what their state holds, and writes over all of it, as one that has the partitions may. Returns their number. */
async function plantState(bus: Bus): Promise<number> {
  const stores = ['orders', 'limits', 'sightings', 'commands'].map((name) => `ringfence.state.responder.${name}`);
  await using consumer = await bus.consumer({ group: 'responder', topics: RESPONDER_TOPICS, stores });
  const ours = new Set<number>();
  consumer.onAssignment(async ({ assigned }) => {
    for (const partition of assigned) {
      for (const store of stores) assert.deepEqual(await Array.fromAsync(consumer.restore(store, partition)), []);
      ours.add(partition);
    }
  });
  const joined = until('a share of the partitions', async () => ours.size > 0, PATIENCE_MS);
  const stop = new AbortController();
  const records = consumer.poll(AbortSignal.any([stop.signal, AbortSignal.timeout(PATIENCE_MS)]));
  // What the listener finds wrong is what the poll rejects with.
  await Promise.race([joined, records.then(() => joined)]);
  stop.abort();
  await records;
  const position = { offset: 2 ** 40, index: 0 };
  const state = [...ours].flatMap((partition) =>
    stores.map((store) => ({ store, partition, key: 'planted', value: PLANTED, position })),
  );
  await consumer.commit(await records, { outputs: [], state });
  return ours.size;
}

describe('somebody with what was stolen of a fleet', { skip: kafkaMissing() }, () => {
  test('speaks for nobody else and kills nothing; all of it is in the dead letters, and the services go on', async (t) => {
    await using fleet = await SmallFleet.start();
    await fleet.join();
    const scene = await setTheScene(fleet);
    const { thief, honest, bystander } = scene;
    const pids = fleet.members.all.map(({ pid }) => pid);
    const keys = new Map<string, Bus>([['agent', thief.bus]]);
    for (const name of ['enricher', 'detector', 'responder', 'registrar']) keys.set(name, await fleet.stolen(name));

    const expected: string[] = [];
    const arrive = async (letters: readonly string[]): Promise<void> => {
      expected.push(...letters);
      const isThere = async (): Promise<boolean> => (await fleet.deadLetters()).length >= expected.length;
      await until(`${expected.length} dead letters`, isThere, PATIENCE_MS);
      const found = await fleet.deadLetters();
      // The next step goes on from what is there.
      const wanted = expected.splice(0).sort();
      expected.push(...found);
      assert.deepEqual(found, wanted);
    };
    for (const { name, as, records, letters } of ATTACKS) {
      await t.test(name, async () => {
        await keys.get(as)?.produce(records(scene));
        await arrive(letters);
        assert.ok(lives(bystander), 'the bystander was killed');
      });
    }

    await t.test(
      'a responder’s password: a member of its group for a while, who believes nothing and plants nothing',
      async () => {
        const planted = await plantState(keys.get('responder') as Bus);
        assert.ok(planted > 0, 'it got no partition');
        assert.ok(lives(bystander), 'the bystander was killed');
      },
    );

    await t.test('an agent may write nothing but what hosts report, and read nothing', async () => {
      for (const topic of [TOPIC.events, TOPIC.alerts, TOPIC.commands, TOPIC.enrolments, TOPIC.schemas, TOPIC.dlq])
        await assert.rejects(
          thief.bus.produce([{ topic, key: 'k', value: garbage }]),
          { code: 'ERR_BUS_REFUSED' },
          topic,
        );
      await assert.rejects(Array.fromAsync(thief.bus.read({ topic: TOPIC.raw })), { code: 'ERR_BUS_REFUSED' });
    });

    await t.test('a batch sent again doubles nothing, and a revoked agent is cut and heard no more', async () => {
      const shown = honest.show('rfbystander again');
      const sent = await honest.send();
      await thief.bus.produce([raw(honest.hostId, sent), raw(honest.hostId, sent)]);
      await fleet.revoke(thief.hostId);
      await until('its stream is cut', () => !thief.connected, PATIENCE_MS);
      thief.show('rfvictim of a revoked agent');
      await thief.send();
      await arrive(['enricher ERR_ENRICHER_REVOKED']);
      using audit = fleet.audit();
      const again = await until(
        'the alert of what was sent again',
        async () => {
          const alerts = await Array.fromAsync(audit.alerts());
          const found = alerts.filter(({ output }) => output.includes('again'));
          return found.length > 0 && found;
        },
        PATIENCE_MS,
      );
      assert.equal(again.length, 1);
      assert.ok(lives(shown));
    });

    await t.test('every service is the process it was, and still finds and kills what it should', async () => {
      const victim = honest.show('rfvictim at last');
      await honest.send();
      assert.equal(await death(victim), 'SIGKILL');
      assert.ok(lives(bystander), 'the bystander was killed');
      assert.deepEqual(
        fleet.members.all.map(({ pid }) => pid),
        pids,
      );
      assert.deepEqual(
        honest.results.map(({ outcome }) => outcome),
        ['executed', 'executed'],
      );
      assert.deepEqual(thief.results, []);
      using audit = fleet.audit();
      assert.deepEqual(audit.verify().problems, []);
    });
  });
});
