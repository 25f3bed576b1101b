/** What a thief writes with each stolen key to the brokers, and the dead letters that must come of it. */
import type { OutRecord } from '@ringfence/bus';
import { createEnricherPipeline } from '@ringfence/enricher';
import { consumerRecords, createSyntheticHost, createTestIncident, SyntheticHost } from '@ringfence/synthetic';
import {
  type Alert,
  alertId,
  type Command,
  encode,
  encodeSigned,
  FRAME_BYTES,
  type Incident,
  type SigningKey,
  signBytes,
  signedPart,
  TOPIC,
  UNSIGNED,
} from '@ringfence/wire';
import type { FleetAgent, Shown } from '../e2e/lib/fleet-agent.ts';

/** What lies on the topics after a true kill, and keys that a thief can make up. */
export interface Scene {
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

export const garbage: Buffer = Buffer.from('this is no record at all, whatever is read into it');

/** The stranger's signature under another's name. */
const inTheNameOf = (keyId: string, { stranger }: Scene): SigningKey => ({ ...stranger, keyId });

/** A batch that says the bystander is what has to be killed. */
function accusation({ honest, bystander, stranger }: Scene, hostId: string, key: SigningKey = stranger): SyntheticHost {
  const { bootId, run, wallOffset, ktime } = honest.host;
  const host = new SyntheticHost({ hostId, bootId, key, run: run.readBigUInt64LE() + 1n, wallOffset, ktime });
  const shown = host.fork(host.init, { pid: bystander.process.tgid });
  host.exec(shown, '/usr/bin/sleep', { argv: ['sleep', 'rfvictim rfinvented'] });
  return host;
}

/** What an enricher would make of it. */
function enriched(scene: Scene, key: SigningKey | null): Buffer[] {
  const host = accusation(scene, scene.honest.hostId);
  const pipeline = createEnricherPipeline({ enrolment: { keyFor: () => host.key.publicKey }, key });
  const { outputs } = pipeline.handle(consumerRecords(host.hostId, [host.batch()]));
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

export const raw = (key: string, value: Uint8Array): OutRecord => ({ topic: TOPIC.raw, key, value });

export const ATTACKS: readonly Attack[] = [
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
      const host = createSyntheticHost({ hostId: crypto.randomUUID() });
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
    name: 'a detector’s password: what ties hosts together, what agents need not send, and that the rule is common everywhere',
    as: 'detector',
    records: (scene) => {
      const { honest, alert } = scene;
      const blind = {
        ...{
          detector: 'detector',
          version: 2 ** 50,
          at: Date.now() * 1000,
          openPathPrefixes: [],
          openNames: [],
          openExecutables: [],
          changePathPrefixes: [],
          changeNames: [],
          wants: [],
        },
        ...UNSIGNED,
      };
      const impostor = inTheNameOf(alert.keyId, scene);
      const value = encodeSigned('InterestRecord', blind, impostor);
      const common = { rule: alert.rule, chains: 2 ** 40, truePositives: 0, falsePositives: 2 ** 40 };
      const counts = encodeSigned('RuleCounts', { partition: 7, at: 2 ** 50, rules: [common] }, impostor);
      return [
        { topic: TOPIC.joins, key: honest.hostId, value: garbage },
        { topic: TOPIC.edges, key: 'edge', value: garbage },
        { topic: TOPIC.interest, key: 'detector', value },
        { topic: TOPIC.interest, key: 'detector', value: null },
        { topic: TOPIC.rarity, key: '7', value: counts },
      ];
    },
    letters: [
      'detector ERR_SCHEMA_MALFORMED',
      'detector-edges ERR_SCHEMA_MALFORMED',
      'responder/interest ERR_RESPONDER_FORGED',
      'detector/rarity ERR_DETECTOR_FORGED',
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
    name: 'a responder’s password: commands and answers that no responder signed',
    as: 'responder',
    records: (scene) => {
      const { honest, command, stranger } = scene;
      const impostor = inTheNameOf(command.keyId, scene);
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
        { topic: TOPIC.answers, key: honest.hostId, value: garbage },
        { topic: TOPIC.answers, key: honest.hostId, value: encodeSigned('Result', answer, impostor) },
      ];
    },
    letters: [
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
  const other = createSyntheticHost({ hostId: host.hostId, key: host.key });
  other.tick(0);
  return other.batch();
}
