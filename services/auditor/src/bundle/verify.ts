import { createHash } from 'node:crypto';
import { fingerprintOf } from '@ringfence/wire';
import { checkChains, readChains, readRecords } from './chains.ts';
import { CHAINS, FORMAT, MANIFEST, type Manifest, RECORDS, SIGNATURE } from './format.ts';
import { type BundleProblem, Problems, type ProvedChain } from './problems.ts';
import { checkSignature } from './trust.ts';
import { type PlacedMember, readZip } from './zip.ts';

/** Largest bundle that is read. */
export const MAX_BUNDLE_BYTES: number = 512 * 2 ** 20;
export interface BundleVerification {
  readonly problems: readonly BundleProblem[];
  readonly problemCount: number;
  /** Null when the manifest can't be read */
  readonly manifest: Manifest | null;
  /** SHA-256 of the root key that the signature leads to, hex; null when it leads to none */
  readonly root: string | null;
  /** Name of the signer in its enrolment; empty: the root key itself */
  readonly signer: string;
  readonly records: number;
  readonly chains: readonly ProvedChain[];
}

/**
 * Verifies a bundle by itself: the container, the hash of each member, the signature up to the root key, and each
 * record with its chain. `root`: the fingerprint that the root key must have; without it any root key passes, and only
 * its fingerprint tells whose it is.
 */
export function verifyBundle(bytes: Buffer, root = ''): BundleVerification {
  const problems = new Problems();
  const { members, damagedAt } = readZip(bytes);
  const byName = new Map(members.map((member) => [member.name, member]));
  if (byName.size < members.length) problems.add('container', 'two members have the same name');
  const manifest = readManifest(byName.get(MANIFEST), problems);
  checkMembers(manifest, members, problems);
  // A changed member differs from the checksum in its header, too: that is one problem, not two.
  if (damagedAt !== null && problems.count === 0)
    problems.add(placeOf(damagedAt, members), 'differs from what was exported');
  const trust = checkSignature(byName, manifest, root, problems);
  const records = readRecords(byName.get(RECORDS), problems);
  const chains = readChains(byName.get(CHAINS), problems);
  const proved = checkChains(records, chains, trust?.root ?? null, problems);
  return {
    problems: problems.list,
    problemCount: problems.count,
    manifest,
    root: trust === null ? null : fingerprintOf(trust.root),
    signer: trust?.signer ?? '',
    records: records.length,
    chains: proved,
  };
}

function placeOf(at: number, members: readonly PlacedMember[]): string {
  const inside = members.find(({ offset, bytes }) => at >= offset && at < offset + bytes.length);
  const next = members.find(({ offset }) => at < offset);
  if (inside !== undefined) return `${inside.name} at byte ${at}`;
  return next === undefined ? `container at byte ${at}` : `container at byte ${at}, the header of ${next.name}`;
}

function readManifest(member: PlacedMember | undefined, problems: Problems): Manifest | null {
  if (member === undefined) {
    problems.add(MANIFEST, 'is missing or can not be reached: the container is damaged');
    return null;
  }
  const manifest = problems.attempt(MANIFEST, 'is no manifest', () => {
    const value = JSON.parse(member.bytes.toString('utf8')) as Manifest;
    if (typeof value.members !== 'object' || value.members === null) throw new TypeError('no members');
    return value;
  });
  if (manifest !== null && manifest.format !== FORMAT)
    problems.add(MANIFEST, `has format ${manifest.format}: this version reads ${FORMAT}`);
  return manifest;
}

function checkMembers(manifest: Manifest | null, members: readonly PlacedMember[], problems: Problems): void {
  const listed = new Map(Object.entries(manifest?.members ?? {}));
  for (const { name, bytes, offset } of members) {
    if (name === MANIFEST || name === SIGNATURE) continue;
    const place = `${name} (bytes ${offset} to ${offset + bytes.length - 1})`;
    if (manifest !== null && !listed.has(name)) problems.add(place, 'is not in the manifest');
    else if (manifest !== null && createHash('sha256').update(bytes).digest('hex') !== listed.get(name))
      problems.add(place, 'differs from its hash in the manifest');
    listed.delete(name);
  }
  for (const name of listed.keys()) problems.add(name, 'is missing or can not be reached');
}
