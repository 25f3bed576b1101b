import { buildBundle, verifyBundle } from '@ringfence/auditor/bundle';
import { createTestAlert, createTestIncident, EVIDENCE_HOST } from '@ringfence/synthetic';
import { createSigningKey, encode, TOPIC } from '@ringfence/wire';
import { mutate } from '../lib/mutate.ts';
import type { FuzzTarget } from '../lib/target.ts';

/** A small bundle, whose records and chains are of the right form. */
function createBundle(): Buffer {
  const alert = createTestAlert(1);
  const incident = createTestIncident([alert], 1);
  const place = { topic: TOPIC.alerts, partition: 0, kind: 'alert', hostId: EVIDENCE_HOST } as const;
  const [prevHash, hash] = [Buffer.alloc(32), Buffer.alloc(32, 1)];
  const record = { ...place, id: alert.id, timestamp: 1, offset: 0, seq: 1, prevHash, hash };
  const key = createSigningKey();
  return buildBundle({
    evidence: {
      dossier: { incident, versions: 1, alerts: [alert], commands: [], results: [], executions: [] },
      records: [{ ...record, payload: encode('Alert', alert) }],
      links: [{ ...place, from: 1, hashes: [hash], head: 1 }],
      hashes: [],
      omitted: 0,
    },
    heads: [],
    signer: { key, root: key.publicKey, enrolment: null, hostId: EVIDENCE_HOST },
    now: 1,
  });
}

export const bundles: FuzzTarget = {
  name: 'bundles',
  description: 'files of `ringfence incident export`, as audit verify --bundle reads them',
  shortRuns: 300,
  outcomes: ['refused'],
  memoryMax: 64 << 20,
  open() {
    const bundle = createBundle();
    return {
      generate: (random) => mutate(bundle, random),
      run: (input) => (input.equals(bundle) || verifyBundle(input).problemCount > 0 ? 'refused' : 'accepted'),
    };
  },
};
