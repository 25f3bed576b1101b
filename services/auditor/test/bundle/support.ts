import { hostname } from 'node:os';
import { join } from 'node:path';
import {
  createTestAction,
  createTestAlert,
  createTestCommand,
  createTestIncident,
  createTestResult,
} from '@ringfence/synthetic';
import {
  type Alert,
  createSigningKey,
  encode,
  encodeSigned,
  type Incident,
  type SigningKey,
  TOPIC,
} from '@ringfence/wire';
import { buildBundle, type HeadOnBus } from '../../src/bundle/index.ts';
import type { Evidence } from '../../src/evidence.ts';
import { AuditReader, createAuditPipeline, SqliteSink } from '../../src/index.ts';
import { inRecord } from '../support.ts';
import { testBatch } from '../trail.ts';

export interface TestKeys {
  readonly root: SigningKey;
  readonly auditor: SigningKey;
  readonly enrolment: Buffer;
}

export function createKeys(revokedAt = 0, role = 'auditor'): TestKeys {
  const root = createSigningKey();
  const auditor = createSigningKey();
  const draft = {
    ...{ subject: 'auditor-1', role, signingKeyId: auditor.keyId, certificateSerials: ['01'] },
    ...{ publicKey: auditor.publicKey.export({ type: 'spki', format: 'der' }), issuedAt: 1, revokedAt, version: 1 },
  };
  return { root, auditor, enrolment: encodeSigned('Enrolment', draft, root) };
}

/** Text of an attacker that would run, restyle or reorder a page. */
export const HOSTILE = '<script>alert(1)</script>"\'`\u202egnp.exe\u200f\u001b[2J\u0000\u{e0041}';

/** A trail with other incidents' records between those of the incident, and its evidence. */
export async function storedEvidence(
  directory: string,
  hostile = '',
): Promise<{ evidence: Evidence; heads: HeadDraft[] }> {
  const path = join(directory, 'audit.db');
  const sink = new SqliteSink({ path, maxBytes: 2 ** 26, eventRetentionMs: Infinity, synchronous: 'normal' });
  const alerts = Array.from(
    { length: 6 },
    (_, i): Alert => ({ ...createTestAlert(i), output: `output ${i} ${hostile}` }),
  );
  const mine = alerts.filter((_, i) => i % 2 === 0);
  const incident = (n: number): Incident => createTestIncident(mine.slice(0, n), n);
  const action = createTestAction(1, { target: incident(1).id, reason: hostile });
  const values: [topic: string, value: Uint8Array][] = [
    ...Array.from({ length: 4 }, (_, n): [string, Buffer] => [TOPIC.events, testBatch(n)]),
    ...alerts.map((alert): [string, Buffer] => [TOPIC.alerts, encode('Alert', alert)]),
    ...mine.map((_, n): [string, Buffer] => [TOPIC.incidents, encode('Incident', incident(n + 1))]),
    ...mine.flatMap((alert): [string, Buffer][] => {
      const command = createTestCommand(alert.id);
      return [
        [TOPIC.commands, encode('Command', command)],
        [TOPIC.results, encode('Result', createTestResult(command))],
      ];
    }),
    [TOPIC.operator, encode('OperatorAction', action)],
  ];
  await createAuditPipeline(sink)(values.map(([topic, value], offset) => inRecord(topic, offset, value)));
  const { trail, heads } = await sink.heads();
  await sink.close();
  using reader = new AuditReader(path);
  const evidence = reader.evidence(incident(1).id);
  if (evidence === undefined) throw new TypeError('the incident was not stored');
  return { evidence, heads: heads.map((head) => ({ ...head, trail })) };
}

type HeadDraft = Awaited<ReturnType<SqliteSink['heads']>>['heads'][number] & { readonly trail: string };

export function publishedHeads(heads: readonly HeadDraft[], { auditor, enrolment }: TestKeys): HeadOnBus[] {
  return heads.map(({ topic, partition, kind, seq: count, hash, offset, trail }) => {
    const head = { topic, partition, offset, count, hash: Buffer.from(hash, 'hex'), at: 5, kind, trail };
    return { topic, partition, kind, seq: count, bytes: encodeSigned('AuditHead', head, auditor), enrolment };
  });
}

export async function testBundle(directory: string, keys: TestKeys, hostile = ''): Promise<Buffer> {
  const { evidence, heads } = await storedEvidence(directory, hostile);
  const signer = { key: keys.auditor, root: keys.root.publicKey, enrolment: keys.enrolment, hostId: hostname() };
  return buildBundle({ evidence, heads: publishedHeads(heads, keys), signer, now: 1_800_000_000_000 });
}
