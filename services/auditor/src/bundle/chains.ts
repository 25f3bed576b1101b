import { createPublicKey, type KeyObject } from 'node:crypto';
import { type AuditHead, AuditKinds, decode, verifyRecord } from '@ringfence/wire';
import { recordHash } from '../chain.ts';
import { type BundledChain, type BundledRecord, CHAINS, RECORDS } from './format.ts';
import type { Problems, ProvedChain } from './problems.ts';
import { checkEnrolment } from './trust.ts';
import type { PlacedMember } from './zip.ts';

/** Reads records whose contents fit their hash; reports the others. */
export function readRecords(member: PlacedMember | undefined, problems: Problems): BundledRecord[] {
  const lines = member?.bytes.toString('utf8').split('\n').slice(0, -1) ?? [];
  return lines.flatMap((line, index) => {
    const where = `${RECORDS} line ${index + 1}`;
    const record = problems.attempt(where, 'is no record', () => JSON.parse(line) as BundledRecord);
    if (record === null) return [];
    const isIntact = problems.attempt(where, 'is no record', () => hashOf(record) === record.hash);
    if (isIntact === false) problems.add(`${where} (${record.kind} ${record.id})`, 'differs from its hash');
    return isIntact === true ? [record] : [];
  });
}

function hashOf(record: BundledRecord): string {
  if (!AuditKinds.includes(record.kind)) throw new TypeError('an unknown kind');
  const payload = Buffer.from(record.payload, 'base64');
  return recordHash(Buffer.from(record.prevHash, 'hex'), { ...record, payload }).toString('hex');
}

export function readChains(member: PlacedMember | undefined, problems: Problems): BundledChain[] {
  if (member === undefined) return [];
  const chains = problems.attempt(CHAINS, 'has no chains', () => {
    const value = JSON.parse(member.bytes.toString('utf8')) as BundledChain[];
    if (!value.every(({ hashes, from }) => Array.isArray(hashes) && Number.isSafeInteger(from))) throw new TypeError();
    return value;
  });
  return chains ?? [];
}

const nameOf = ({ topic, partition, kind }: Pick<BundledChain, 'topic' | 'partition' | 'kind'>): string =>
  `${topic}/${partition} ${kind}`;

/** Compares each record with the hashes of its chain, and each chain with a published head. */
export function checkChains(
  records: readonly BundledRecord[],
  chains: readonly BundledChain[],
  root: KeyObject | null,
  problems: Problems,
): ProvedChain[] {
  const unplaced = new Set(records);
  const byName = Map.groupBy(records, nameOf);
  const proved = chains.map((chain) => {
    const end = chain.from + chain.hashes.length;
    const group = (byName.get(nameOf(chain)) ?? []).filter(({ seq }) => seq >= chain.from && seq < end);
    for (const record of group) {
      unplaced.delete(record);
      checkLink(record, chain, problems);
    }
    return { name: nameOf(chain), records: group.length, upTo: checkHead(chain, root, problems) };
  });
  for (const { kind, id, seq } of unplaced) problems.add(`record ${kind} ${id}`, `is not record ${seq} of its chain`);
  return proved;
}

function checkLink(
  { kind, id, seq, hash, prevHash }: BundledRecord,
  { from, hashes }: BundledChain,
  problems: Problems,
): void {
  const where = `record ${kind} ${id}`;
  if (hashes[seq - from] !== hash) problems.add(where, `is not record ${seq} of its chain`);
  else if (seq > from && hashes[seq - from - 1] !== prevHash)
    problems.add(where, 'does not follow the record before it');
}

function checkHead(chain: BundledChain, root: KeyObject | null, problems: Problems): ProvedChain['upTo'] {
  if (chain.published === null) return 'bundle';
  const where = `${CHAINS}, head of ${nameOf(chain)}`;
  const bytes = Buffer.from(chain.published, 'base64');
  const head = problems.attempt(where, 'can not be read', () => decode('AuditHead', bytes));
  if (head === null) return 'bundle';
  const { topic, partition, kind, count, hash } = head;
  if (topic !== chain.topic || partition !== chain.partition || kind !== chain.kind)
    problems.add(where, 'is of another chain');
  if (chain.hashes[count - chain.from] !== Buffer.from(hash).toString('hex'))
    problems.add(where, `is not the hash of record ${count}`);
  if (chain.enrolment === null) return 'published';
  const reason = root === null ? 'leads to no root key' : signatureProblem(head, bytes, chain.enrolment, root);
  if (reason !== null) problems.add(where, reason);
  return 'signed';
}

function signatureProblem({ at }: AuditHead, bytes: Buffer, enrolment: string, root: KeyObject): string | null {
  try {
    const { publicKey } = decode('Enrolment', Buffer.from(enrolment, 'base64'));
    const key = createPublicKey({ key: Buffer.from(publicKey), format: 'der', type: 'spki' });
    const signer = checkEnrolment(enrolment, key, root, at, 'auditor');
    if (typeof signer !== 'string') return signer.problem;
    return verifyRecord(key, bytes) ? null : 'is not signed by the auditor that it names';
  } catch {
    return 'can not be verified';
  }
}
