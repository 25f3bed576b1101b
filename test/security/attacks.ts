/** Records that a thief writes with each stolen broker key, and the expected dead letters. */

import type { OutRecord } from '@ringfence/bus';
import { createEnricherPipeline } from '@ringfence/enricher';
import { INITIAL_INTEREST } from '@ringfence/interest';
import { consumerRecords, createSyntheticHost, createTestIncident, SyntheticHost } from '@ringfence/synthetic';
import {
  type Alert,
  alertId,
  type Command,
  encode,
  encodeSigned,
  FRAME_BYTES,
  fingerprint,
  type Incident,
  type SigningKey,
  signBytes,
  signedPart,
  TOPIC,
  typeOf,
  UNSIGNED,
} from '@ringfence/wire';
import type { FleetAgent, ReportedProcess } from '../e2e/lib/fleet-agent.ts';

/** Agents and genuine records after a genuine kill, and a forged key. */
export interface Scene {
  readonly thief: FleetAgent;
  readonly honest: FleetAgent;
  readonly bystander: ReportedProcess;
  /** Genuine alert of the bystander, which orders no kill. */
  readonly alert: Alert;
  readonly command: Command;
  /** Key without an enrolment. */
  readonly strangerKey: SigningKey;
}

interface Attack {
  readonly name: string;
  /** Owner of the stolen broker key. */
  readonly role: 'agent' | 'enricher' | 'detector' | 'responder' | 'registrar';
  readonly records: (scene: Scene) => readonly OutRecord[];
  /** Expected dead letters, as `stage code`. */
  readonly deadLetters: readonly string[];
}

export const garbage: Buffer = Buffer.from('this is no record in any encoding at all');

/** Returns the key of the stranger under the key id of another signer. */
const impostorKey = (keyId: string, { strangerKey }: Scene): SigningKey => ({ ...strangerKey, keyId });

/** Returns a host whose batch claims that the bystander is a process to kill. */
function accusation(
  { honest, bystander, strangerKey }: Scene,
  hostId: string,
  key: SigningKey = strangerKey,
): SyntheticHost {
  const { bootId, run, wallOffset, ktime } = honest.host;
  const host = new SyntheticHost({ hostId, bootId, key, run: run.readBigUInt64LE() + 1n, wallOffset, ktime });
  const accused = host.fork(host.init, { pid: bystander.process.tgid });
  host.exec(accused, '/usr/bin/sleep', { argv: ['sleep', 'rfvictim rfinvented'] });
  return host;
}

/** Returns the enriched batches of an accusation. */
function enrichedAccusation(scene: Scene, key: SigningKey | null): Buffer[] {
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

/** Returns a valid frame, followed by the length of a text of 100 MB and only a short text. */
function claimOf100MB(frame: Uint8Array): Buffer {
  return Buffer.concat([frame.subarray(0, FRAME_BYTES), Buffer.from('80c2d75f', 'hex'), Buffer.from('short')]);
}

/** Returns a schema of results with another field, an array of null: the items of a record would cost nothing. */
function bombSchema(): { readonly schema: string; readonly fingerprint: Buffer } {
  const { fields, ...record } = typeOf('Result').schema() as unknown as { readonly fields: readonly object[] };
  const bomb = { name: 'bomb', type: { type: 'array', items: 'null' } };
  const schema = JSON.stringify({ ...record, fields: [...fields.slice(0, -2), bomb, ...fields.slice(-2)] });
  return { schema, fingerprint: fingerprint(schema) };
}

export const raw = (key: string, value: Uint8Array): OutRecord => ({ topic: TOPIC.raw, key, value });

export const ATTACKS: readonly Attack[] = [
  {
    name: 'an agent sends batches of another host, with its own key and with an unknown key',
    role: 'agent',
    records: (scene) => {
      const { thief, honest } = scene;
      return [
        raw(honest.hostId, accusation(scene, honest.hostId, thief.host.key).batch()),
        raw(honest.hostId, accusation(scene, honest.hostId).batch()),
        raw(honest.hostId, accusation(scene, honest.hostId, impostorKey(honest.host.key.keyId, scene)).batch()),
      ];
    },
    deadLetters: [
      'enricher ERR_ENRICHER_SIGNATURE',
      'enricher ERR_ENRICHER_UNKNOWN_HOST',
      'enricher ERR_ENRICHER_UNKNOWN_HOST',
    ],
  },
  {
    name: 'an agent sends its own batch with the record key of another host',
    role: 'agent',
    records: (scene) => [raw(scene.honest.hostId, accusation(scene, scene.thief.hostId, scene.thief.host.key).batch())],
    deadLetters: ['enricher ERR_ENRICHER_UNKNOWN_HOST'],
  },
  {
    name: 'an agent invents a host',
    role: 'agent',
    records: () => {
      const host = createSyntheticHost({ hostId: crypto.randomUUID() });
      host.exec(host.init, '/bin/sh', { argv: ['rfvictim'] });
      return [raw(host.hostId, host.batch())];
    },
    deadLetters: ['enricher ERR_ENRICHER_UNKNOWN_HOST'],
  },
  {
    name: 'an agent sends malformed batches and claims a text of 100 MB',
    role: 'agent',
    records: ({ thief }) => [
      raw(thief.hostId, garbage),
      raw(thief.hostId, claimOf100MB(validBatch(thief))),
      raw(thief.hostId, Buffer.alloc(0)),
    ],
    deadLetters: ['enricher ERR_SCHEMA_MALFORMED', 'enricher ERR_SCHEMA_MALFORMED', 'enricher ERR_SCHEMA_MALFORMED'],
  },
  {
    name: 'the broker key of an enricher: events that no enricher signed',
    role: 'enricher',
    records: (scene) =>
      [null, impostorKey(scene.alert.keyId, scene), scene.strangerKey]
        .flatMap((key) => enrichedAccusation(scene, key))
        .map((value) => ({ topic: TOPIC.events, key: scene.honest.hostId, value })),
    deadLetters: ['detector ERR_DETECTOR_FORGED', 'detector ERR_DETECTOR_FORGED', 'detector ERR_DETECTOR_FORGED'],
  },
  {
    name: 'the broker key of a detector: alerts and incidents that demand the kill of a bystander',
    role: 'detector',
    records: (scene) => {
      const { honest, strangerKey, alert } = scene;
      const impostor = impostorKey(alert.keyId, scene);
      const incident = forgedIncident(scene, impostor);
      return [
        { topic: TOPIC.alerts, key: honest.hostId, value: forgedAlert(scene, 'rfforged-unsigned', null) },
        { topic: TOPIC.alerts, key: honest.hostId, value: forgedAlert(scene, 'rfforged-stranger', strangerKey) },
        { topic: TOPIC.alerts, key: honest.hostId, value: forgedAlert(scene, 'rfforged-impostor', impostor) },
        { topic: TOPIC.incidents, key: 'inc-forged', value: incident },
      ];
    },
    deadLetters: [
      'responder ERR_RESPONDER_FORGED',
      'responder ERR_RESPONDER_FORGED',
      'responder ERR_RESPONDER_FORGED',
      'responder ERR_RESPONDER_FORGED',
    ],
  },
  {
    name: 'the broker key of a detector: joins, an interest without events, and counts of a common rule',
    role: 'detector',
    records: (scene) => {
      const { honest, alert } = scene;
      const blind = {
        ...{
          ...INITIAL_INTEREST,
          detector: 'detector',
          version: 2 ** 50,
          at: Date.now() * 1000,
          wants: [],
        },
        ...UNSIGNED,
      };
      const impostor = impostorKey(alert.keyId, scene);
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
    deadLetters: [
      'detector ERR_SCHEMA_MALFORMED',
      'detector-edges ERR_SCHEMA_MALFORMED',
      'responder/interest ERR_RESPONDER_FORGED',
      'detector/rarity ERR_DETECTOR_FORGED',
    ],
  },
  {
    name: 'the broker key of any service: malformed schemas and malformed dead letters',
    role: 'enricher',
    records: () => [
      { topic: TOPIC.schemas, key: '0123456789abcdef', value: garbage },
      { topic: TOPIC.dlq, key: 'k', value: garbage },
    ],
    deadLetters: ['auditor ERR_SCHEMA_FRAME'],
  },
  {
    name: 'the broker key of a responder: a schema with items that take no bytes, and an answer of millions of them',
    role: 'responder',
    records: ({ honest }) => {
      const { schema, fingerprint } = bombSchema();
      const value = Buffer.concat([Buffer.from([0xc3, 1]), fingerprint, Buffer.alloc(32_768, 0xfe)]);
      return [
        { topic: TOPIC.schemas, key: `Result/${fingerprint.toString('hex')}`, value: Buffer.from(schema) },
        { topic: TOPIC.answers, key: honest.hostId, value },
      ];
    },
    deadLetters: ['responder ERR_SCHEMA_UNKNOWN'],
  },
  {
    name: 'the broker key of a responder: commands and answers that it did not sign',
    role: 'responder',
    records: (scene) => {
      const { honest, command, strangerKey } = scene;
      const impostor = impostorKey(command.keyId, scene);
      const answer = {
        id: 'early',
        hostId: honest.hostId,
        outcome: 'gone',
        reason: '',
        executable: '',
        at: 1,
        children: 0,
        facts: {},
      } as const;
      return [
        { topic: TOPIC.commands, key: honest.hostId, value: forgedCommand(scene, 'forged-1', strangerKey) },
        { topic: TOPIC.commands, key: honest.hostId, value: forgedCommand(scene, 'forged-2', impostor) },
        { topic: TOPIC.answers, key: honest.hostId, value: garbage },
        { topic: TOPIC.answers, key: honest.hostId, value: encodeSigned('Result', answer, impostor) },
      ];
    },
    deadLetters: [
      'responder ERR_RESPONDER_FORGED',
      'responder ERR_RESPONDER_FORGED',
      'responder ERR_RESPONDER_FORGED',
      'responder ERR_SCHEMA_FRAME',
    ],
  },
  {
    name: 'the broker key of the registrar: a forged enrolment of a stranger as a detector',
    role: 'registrar',
    records: ({ strangerKey }) => {
      const now = Date.now() * 1000;
      const enrolment = {
        ...{ subject: 'stranger', role: 'detector', signingKeyId: strangerKey.keyId, certificateSerials: [] },
        ...{ publicKey: strangerKey.publicKey.export({ type: 'spki', format: 'der' }) },
        ...{ issuedAt: now, revokedAt: 0, version: now },
      };
      const value = encodeSigned('Enrolment', enrolment, strangerKey);
      return [{ topic: TOPIC.enrolments, key: `stranger/${strangerKey.keyId}`, value }];
    },
    deadLetters: [],
  },
  {
    name: 'an alert of that stranger',
    role: 'detector',
    records: (scene) => [
      {
        topic: TOPIC.alerts,
        key: scene.honest.hostId,
        value: forgedAlert(scene, 'rfforged-enrolled', scene.strangerKey),
      },
    ],
    deadLetters: ['responder ERR_RESPONDER_FORGED'],
  },
];

/** Returns a valid batch of the agent's host. */
function validBatch({ host }: FleetAgent): Buffer {
  const copy = createSyntheticHost({ hostId: host.hostId, key: host.key });
  copy.tick(0);
  return copy.batch();
}
