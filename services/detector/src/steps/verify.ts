import type { KeyObject } from 'node:crypto';
import { Patience } from '@ringfence/base';
import type { InRecord } from '@ringfence/bus';
import { SchemaError, signerOf, TOPIC, verifyRecord, verifyRecordAside } from '@ringfence/wire';
import { DetectorError } from '../errors.ts';
import type { DetectorStats } from '../metrics.ts';

/**
 * Returns the key with this id if it may write in the role and was in force at `at`, when the bus took the record (µs
 * since the epoch).
 */
export type TrustedKeys = (keyId: string, at: number) => KeyObject | undefined;

/** Returns the keys that may sign records in the role. */
export type Trust = (role: 'enricher' | 'detector' | 'responder' | 'auditor') => TrustedKeys;

const WRITERS: Readonly<Record<string, string>> = {
  [TOPIC.events]: 'an enricher',
  [TOPIC.feedback]: 'an auditor, a responder or a detector',
};

export interface Verify {
  /** Throws DetectorError. */
  (record: InRecord, value: Uint8Array): void;
  /** Verifies a backlog in parallel, before the step. Invalid records are left to the step, which throws for them. */
  ahead(records: readonly InRecord[]): Promise<void>;
}

/**
 * Batches must be signed by an enricher; edges, joins and counts of rules by a detector; feedback by an auditor, where
 * people give it, by a responder, or by a detector that forwards it. `trust` undefined: nothing is verified, because in
 * one process only root can write to the log.
 */
export function createVerifyStep(trust: Trust | undefined, graceMs: number, stats: DetectorStats): Verify {
  if (trust === undefined) return Object.assign(() => {}, { ahead: async () => {} });
  const [enricher, detector, responder, auditor] = (['enricher', 'detector', 'responder', 'auditor'] as const).map(
    trust,
  ) as [TrustedKeys, TrustedKeys, TrustedKeys, TrustedKeys];
  const feedbackGiver: TrustedKeys = (id, at) => auditor(id, at) ?? responder(id, at) ?? detector(id, at);
  const trusted = (topic: string): TrustedKeys =>
    topic === TOPIC.events ? enricher : topic === TOPIC.feedback ? feedbackGiver : detector;
  const valid = new WeakSet<Uint8Array>();
  const grace = new Patience({ graceMs });

  async function verifyAhead({ topic, value, timestamp }: InRecord): Promise<void> {
    try {
      const key = value === null ? undefined : trusted(topic)(signerOf(value), timestamp);
      if (value !== null && key !== undefined && (await verifyRecordAside(key, value))) valid.add(value);
    } catch (error) {
      if (!(error instanceof SchemaError)) throw error;
    }
  }

  function verifySignature({ topic, key: name, timestamp }: InRecord, value: Uint8Array): void {
    if (valid.has(value)) return;
    const keyId = signerOf(value);
    const key = trusted(topic)(keyId, timestamp);
    if (key !== undefined && verifyRecord(key, value)) return;
    const fate = key === undefined && keyId !== '' && grace.waitsFor(keyId) ? 'retriable' : 'poison';
    if (fate === 'poison') stats.forged++;
    const by = WRITERS[topic] ?? 'a detector';
    const problem =
      keyId === ''
        ? 'the record is not signed'
        : `${keyId} is no key of ${by} in force, or the signature does not match`;
    throw new DetectorError(
      'ERR_DETECTOR_FORGED',
      name,
      `${topic}: ${problem}; find the program that writes to the topic`,
      fate,
    );
  }

  return Object.assign(verifySignature, {
    async ahead(records: readonly InRecord[]) {
      await Promise.all(records.map(verifyAhead));
    },
  });
}
