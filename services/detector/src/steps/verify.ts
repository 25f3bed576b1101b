import type { KeyObject } from 'node:crypto';
import type { InRecord } from '@ringfence/bus';
import { createVerifier, type Refusal } from '@ringfence/service-kit';
import { TOPIC } from '@ringfence/wire';
import { DetectorError } from '../errors.ts';
import type { DetectorStats } from '../metrics.ts';

/**
 * Returns the key with this id if it may write in the role, and was in force when the bus accepted the record (`at`,
 * µs).
 */
export type TrustedKeys = (keyId: string, at: number) => KeyObject | undefined;

/** Returns the keys of a role. */
export type Trust = (role: 'enricher' | 'detector' | 'responder' | 'auditor') => TrustedKeys;

const WRITERS: Readonly<Record<string, string>> = {
  [TOPIC.events]: 'an enricher',
  [TOPIC.feedback]: 'an auditor, a responder or a detector',
};

export interface Verify {
  /** Throws DetectorError. */
  (record: InRecord, value: Uint8Array): void;
  /** Verifies a backlog in parallel. Invalid records are left to the step, which throws. */
  ahead(records: readonly InRecord[]): Promise<void>;
}

/**
 * Accepts event batches from an enricher; edges, joins and rule counts from a detector; feedback from an auditor (where
 * people give it), a responder, or a detector that forwards it. Without `trust`, nothing is verified: in a single
 * process, only root can write to the log.
 */
export function createVerifyStep(trust: Trust | undefined, graceMs: number, stats: DetectorStats): Verify {
  if (trust === undefined) return Object.assign(() => {}, { ahead: async () => {} });
  const [enricher, detector, responder, auditor] = (['enricher', 'detector', 'responder', 'auditor'] as const).map(
    trust,
  ) as [TrustedKeys, TrustedKeys, TrustedKeys, TrustedKeys];
  const feedbackWriter: TrustedKeys = (id, at) => auditor(id, at) ?? responder(id, at) ?? detector(id, at);
  const trusted = (topic: string): TrustedKeys =>
    topic === TOPIC.events ? enricher : topic === TOPIC.feedback ? feedbackWriter : detector;

  function refuse({ topic, key: name }: InRecord, { keyId, fate }: Refusal): DetectorError {
    if (fate === 'poison') stats.forged++;
    const by = WRITERS[topic] ?? 'a detector';
    const problem =
      keyId === '' ? 'it has no signature' : `${keyId} is not a valid key of ${by}, or did not make this signature`;
    return new DetectorError('ERR_DETECTOR_FORGED', name, `${topic}: ${problem}; find out who writes there`, fate);
  }

  const { verify, ahead } = createVerifier<InRecord>({
    keyFor: ({ topic, timestamp }, keyId) => trusted(topic)(keyId, timestamp),
    refuse,
    graceMs,
    graceName: (_, keyId) => (keyId === '' ? null : keyId),
  });
  return Object.assign(verify, { ahead });
}
