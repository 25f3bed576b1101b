import { createHash, type KeyObject } from 'node:crypto';
import { hostname } from 'node:os';
import { jsonText, jsonValue, VERSION } from '@ringfence/base';
import { catalogue, documentOf, eventKinds } from '@ringfence/fields';
import { incidentTitle, storyLines } from '@ringfence/incident-text';
import {
  type Alert,
  decode,
  EventView,
  escapeText,
  type OperatorAction,
  type SigningKey,
  signBytes,
} from '@ringfence/wire';
import type { ChainedRecord, ChainLinks, Evidence, FileHash } from '../evidence.ts';
import {
  type BundledChain,
  type BundledRecord,
  type BundleSignature,
  CHAINS,
  CONTEXT,
  FORMAT,
  MANIFEST,
  type Manifest,
  RECORDS,
  SIGNATURE,
} from './format.ts';
import { pageOf } from './page.ts';
import { type Member, writeZip } from './zip.ts';

/** A head that an auditor has published. */
export interface HeadOnBus {
  readonly topic: string;
  readonly partition: number;
  readonly kind: string;
  readonly seq: number;
  /** The AuditHead as it was on the bus */
  readonly bytes: Uint8Array;
  /** Enrolment of its signer; null when it is unsigned */
  readonly enrolment: Uint8Array | null;
}

export interface BundleInput {
  readonly evidence: Evidence;
  readonly heads: readonly HeadOnBus[];
  readonly signer: {
    readonly key: SigningKey;
    readonly root: KeyObject;
    /** Null when the key is the root key */
    readonly enrolment: Uint8Array | null;
    readonly hostId: string;
  };
  /** ms since the epoch */
  readonly now: number;
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const spki = (key: KeyObject): string => key.export({ type: 'spki', format: 'der' }).toString('base64');
const json = (value: unknown): Buffer => Buffer.from(`${jsonText(jsonValue(value), 1)}\n`);
const lines = (values: readonly unknown[]): Buffer =>
  Buffer.from(values.map((value) => `${jsonText(jsonValue(value))}\n`).join(''));

/** Returns a signed zip file with an incident: its records with their chains, and the same for people. */
export function buildBundle({ evidence, heads, signer, now }: BundleInput): Buffer {
  const { dossier, records, links, omitted } = evidence;
  const chains = links.map((chain) => chainOf(chain, records, heads));
  const counts = Object.fromEntries(
    [...Map.groupBy(records, ({ kind }) => kind)].map(([kind, { length }]) => [kind, length]),
  );
  const createdBy = { hostname: hostname(), hostId: signer.hostId, version: VERSION };
  const about = { createdAt: now, createdBy, records: counts, omitted };
  const actions = records
    .filter(({ kind }) => kind === 'operator')
    .map(({ payload }) => decode('OperatorAction', payload));
  const hashes = hashesOf(dossier.alerts, evidence.hashes);
  const members: Member[] = [
    { name: 'index.html', bytes: Buffer.from(pageOf({ dossier, actions, chains, hashes, about })) },
    ...documents(evidence, actions, hashes),
    { name: RECORDS, bytes: lines(records.map(bundled)) },
    { name: CHAINS, bytes: json(chains) },
  ];
  const manifest: Manifest = {
    ...{ format: FORMAT, incident: dossier.incident.id, ...about },
    members: Object.fromEntries(members.map(({ name, bytes }) => [name, sha256(bytes)])),
  };
  const manifestBytes = json(manifest);
  const signed = Buffer.concat([Buffer.from(CONTEXT), manifestBytes]);
  const signature: BundleSignature = {
    publicKey: spki(signer.key.publicKey),
    signature: signBytes(signer.key, signed).toString('hex'),
    root: spki(signer.root),
    enrolment: signer.enrolment === null ? null : base64(signer.enrolment),
  };
  return writeZip([{ name: MANIFEST, bytes: manifestBytes }, { name: SIGNATURE, bytes: json(signature) }, ...members]);
}

/** What people and programs read without Ringfence. */
function documents(
  { dossier, records }: Evidence,
  actions: readonly OperatorAction[],
  hashes: readonly FileHash[],
): Member[] {
  const { incident, alerts, commands, results } = dossier;
  const story = [incidentTitle(incident), ...storyLines(incident)].map(escapeText);
  return [
    { name: 'story.txt', bytes: Buffer.from(`${story.join('\n')}\n`) },
    { name: 'incident.json', bytes: json(incident) },
    { name: 'alerts.json', bytes: json(alerts) },
    { name: 'processes.json', bytes: json(incident.processes) },
    { name: 'orders.json', bytes: json({ commands, results }) },
    { name: 'hashes.json', bytes: json(hashes) },
    { name: 'operators.json', bytes: json(actions) },
    { name: 'executions.jsonl', bytes: lines(executionsOf(records)) },
  ];
}

function executionsOf(records: readonly ChainedRecord[]): unknown[] {
  const view = new EventView();
  return records.flatMap(({ kind, id, payload }) => {
    if (kind !== 'execution' && !(kind === 'held' && id.includes('/execution/'))) return [];
    view.open(payload);
    return view.next() ? [documentOf(view, catalogue.fields, eventKinds.names[view.cursor.kind] ?? 'unknown')] : [];
  });
}

/** The hashes of the processes, and those that the alerts name, each with the executable of its process. */
function hashesOf(alerts: readonly Alert[], ofProcesses: readonly FileHash[]): FileHash[] {
  const found = new Map(ofProcesses.map((hash) => [`${hash.path} ${hash.sha256}`, hash]));
  for (const { fields, lineage } of alerts) {
    for (const [name, value] of Object.entries(fields)) {
      if (!/^[0-9a-f]{64}$/.test(value)) continue;
      const process = lineage[name.startsWith('process.parent.') ? 1 : 0];
      const path = process?.executable ?? '';
      found.set(`${path} ${value}`, { path, sha256: value });
    }
  }
  return [...found.values()];
}

function bundled({ prevHash, hash, payload, ...record }: ChainedRecord): BundledRecord {
  return { ...record, prevHash: prevHash.toString('hex'), hash: hash.toString('hex'), payload: base64(payload) };
}

/** With the first published head behind its last record; without one, the newest that reaches any of them. */
function chainOf(links: ChainLinks, records: readonly ChainedRecord[], heads: readonly HeadOnBus[]): BundledChain {
  const { topic, partition, kind, from, hashes, head } = links;
  const last = records.filter((record) => isIn(links, record)).reduce((most, { seq }) => Math.max(most, seq), from);
  const reaching = heads.filter((name) => isIn(links, name)).sort((a, b) => a.seq - b.seq);
  const published = reaching.find(({ seq }) => seq >= last) ?? reaching.at(-1);
  return {
    ...{ topic, partition, kind, from, head },
    hashes: hashes.slice(0, Math.max(last, published?.seq ?? 0) - from + 1).map((hash) => hash.toString('hex')),
    published: published === undefined ? null : base64(published.bytes),
    enrolment: published === undefined || published.enrolment === null ? null : base64(published.enrolment),
  };
}

/** Whether a record or a head is in a part of a chain. */
export const isIn = (
  { topic, partition, kind, from, hashes }: ChainLinks,
  place: Pick<HeadOnBus, 'topic' | 'partition' | 'kind' | 'seq'>,
): boolean =>
  place.topic === topic &&
  place.partition === partition &&
  place.kind === kind &&
  place.seq >= from &&
  place.seq < from + hashes.length;
