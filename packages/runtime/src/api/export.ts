import type { Evidence } from '@ringfence/auditor';
import { buildBundle, type HeadOnBus, isIn } from '@ringfence/auditor/bundle';
import { OperatorError } from '@ringfence/base';
import { claimedSigner, decode, keyIdOf, TOPIC } from '@ringfence/wire';
import type { App } from '../app.ts';
import { auditOf } from './incident.ts';

/** Heads that are kept for the choice of one for each chain of the bundle. */
const MAX_HEADS = 100_000;

/** Returns an incident as a signed file, with heads of its chains that cover it. Throws OperatorError. */
export async function exportIncident(app: App, id: string): Promise<Buffer> {
  const audit = auditOf(app);
  const { auditor } = app.services;
  if (auditor === undefined) throw new OperatorError('run this command where the auditor runs: it publishes the heads');
  // The newest records have no published head yet.
  await auditor.publishHeads();
  const evidence = await audit.evidence(id);
  if (evidence === undefined) throw new OperatorError(`there is no incident ${id}: ringfence incidents lists them`);
  const heads = await headsOf(app, evidence);
  return buildBundle({ evidence, heads, signer: signerOf(app), now: Date.now() });
}

/** Reads the published heads of the parts of chains that the evidence has. */
async function headsOf({ deployment }: App, { records, links }: Evidence): Promise<HeadOnBus[]> {
  const { bus, fleet } = deployment;
  const from = records.reduce((oldest, { timestamp }) => Math.min(oldest, timestamp), Number.POSITIVE_INFINITY);
  const heads: HeadOnBus[] = [];
  for await (const { value } of bus.read({ topic: TOPIC.auditHeads, from })) {
    if (value === null) continue;
    const { topic, partition, kind, count: seq } = decode('AuditHead', value);
    if (!links.some((part) => isIn(part, { topic, partition, kind, seq }))) continue;
    const enrolment = fleet?.enrolments?.recordOf(claimedSigner(value)) ?? null;
    heads.push({ topic, partition, kind, seq, bytes: value, enrolment });
    if (heads.length >= MAX_HEADS) break;
  }
  return heads;
}

/** In a fleet the key of this service, which the root key has enrolled; in one process the key of the host. */
function signerOf({ deployment }: App): Parameters<typeof buildBundle>[0]['signer'] {
  const { fleet, hostId, commandKey, serviceKey } = deployment;
  if (fleet === null || serviceKey === null)
    return { key: commandKey, root: commandKey.publicKey, enrolment: null, hostId };
  const enrolment = fleet.enrolments?.recordOf(keyIdOf(serviceKey.publicKey));
  if (enrolment === undefined)
    throw new OperatorError('the enrolment of this service is not on the bus yet: try again in some seconds');
  return { key: serviceKey, root: fleet.identity.root, enrolment, hostId };
}
