import type { KeyObject } from 'node:crypto';
import { Patience } from '@ringfence/base';
import type { InRecord } from '@ringfence/bus';
import { claimedSigner, SchemaError, TOPIC, verifyRecord, verifyRecordAsync } from '@ringfence/wire';
import { DetectorError } from '../errors.ts';
import type { DetectorStats } from '../metrics.ts';

/** The key with this id, if it may write in the role and was in force at `at`: µs since the epoch, when the bus took the record. */
export type TrustedKeys = (keyId: string, at: number) => KeyObject | undefined;

/** Whose signature a record needs. */
export type Trust = (role: 'enricher' | 'detector' | 'responder' | 'auditor') => TrustedKeys;

const WRITERS: Readonly<Record<string, string>> = {
  [TOPIC.events]: 'an enricher',
  [TOPIC.feedback]: 'an auditor, a responder or a detector',
};

export interface Verify {
  /** Throws DetectorError. */
  (record: InRecord, value: Uint8Array): void;
  /** Verifies a backlog side by side, so that the step finds it done. What is not valid is left to the step, which says why. */
  ahead(records: readonly InRecord[]): Promise<void>;
}

/**
 * Batches count only from an enricher, edges, joins and counts of rules only from a detector; feedback from who keeps the trail, where people give it, from a responder, and
 * from a detector that sends it on. `trust` undefined: in one process the log belongs to root alone.
 */
export function createVerifyStep(trust: Trust | undefined, graceMs: number, stats: DetectorStats): Verify {
  if (trust === undefined) return Object.assign(() => {}, { ahead: async () => {} });
  const [enricher, detector, responder, auditor] = (['enricher', 'detector', 'responder', 'auditor'] as const).map(
    trust,
  ) as [TrustedKeys, TrustedKeys, TrustedKeys, TrustedKeys];
  const judge: TrustedKeys = (id, at) => auditor(id, at) ?? responder(id, at) ?? detector(id, at);
  const trusted = (topic: string): TrustedKeys =>
    topic === TOPIC.events ? enricher : topic === TOPIC.feedback ? judge : detector;
  const valid = new WeakSet<Uint8Array>();
  const patience = new Patience({ graceMs });

  async function verifyAhead({ topic, value, timestamp }: InRecord): Promise<void> {
    try {
      const key = value === null ? undefined : trusted(topic)(claimedSigner(value), timestamp);
      if (value !== null && key !== undefined && (await verifyRecordAsync(key, value))) valid.add(value);
    } catch (error) {
      if (!(error instanceof SchemaError)) throw error;
    }
  }

  function verifySignature({ topic, key: name, timestamp }: InRecord, value: Uint8Array): void {
    if (valid.has(value)) return;
    const keyId = claimedSigner(value);
    const key = trusted(topic)(keyId, timestamp);
    if (key !== undefined && verifyRecord(key, value)) return;
    const fate = key === undefined && keyId !== '' && patience.waitsFor(keyId) ? 'retriable' : 'poison';
    if (fate === 'poison') stats.forged++;
    const by = WRITERS[topic] ?? 'a detector';
    const what =
      keyId === '' ? 'nobody signed it' : `${keyId} is no key of ${by} in force, or this is not its signature`;
    throw new DetectorError('ERR_DETECTOR_FORGED', name, `${topic}: ${what}; find out who writes there`, fate);
  }

  return Object.assign(verifySignature, {
    async ahead(records: readonly InRecord[]) {
      await Promise.all(records.map(verifyAhead));
    },
  });
}
