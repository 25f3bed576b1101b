import type { Log } from '@ringfence/base';
import type { Bus, InRecord } from '@ringfence/bus';
import { followTopic } from '@ringfence/bus/follow';
import type { ControlPlane } from '@ringfence/control';
import { deadLetter, decode, type InterestRecord, TOPIC } from '@ringfence/wire';
import type { ResponderMetrics } from '../metrics.ts';
import { checkSignature, type Trusted } from '../steps/verify.ts';
import { DetectorInterests } from './union.ts';

export interface ForwardDeps {
  readonly bus: Pick<Bus, 'read' | 'produce'>;
  readonly control: ControlPlane;
  /** Keys of the detectors; undefined: signatures are not verified */
  readonly trusted: Trusted | undefined;
  readonly metrics: ResponderMetrics;
  readonly log: Log;
  /** µs since the epoch */
  readonly now: () => number;
  readonly signal: AbortSignal;
}

/** Waits for more records before the agents are updated: a start reads the whole topic. */
const SETTLE_MS = 200;

/**
 * Sends every agent the union of the detectors' interests, whenever it changes. Resolves when `signal` aborts; never
 * rejects.
 */
export async function forwardInterest(deps: ForwardDeps): Promise<void> {
  const { bus, log, metrics, signal } = deps;
  const interests = new DetectorInterests();
  let timer: NodeJS.Timeout | undefined;
  const send = (): void => {
    timer = undefined;
    updateAgents(deps, interests).catch((err) => {
      interests.resend();
      metrics.failed('interest');
      log.warn(
        { err },
        'the interest could not be sent to the agents; it is sent again with the next record of a detector',
      );
    });
  };
  await followTopic({
    bus,
    topic: TOPIC.interest,
    signal,
    take: async (record) => {
      await take(deps, interests, record);
      timer ??= setTimeout(send, SETTLE_MS);
    },
    interrupted: (err) => {
      metrics.failed('interest');
      log.warn({ err }, 'ringfence.interest could not be read; reading is retried');
    },
    maxPauseMs: 1000,
  });
  clearTimeout(timer);
}

async function take(deps: ForwardDeps, interests: DetectorInterests, record: InRecord): Promise<void> {
  // A tombstone is not signed, so it must not narrow what agents send. A detector that is gone expires.
  if (record.value === null) return;
  try {
    const decoded = decode('InterestRecord', record.value);
    verify(deps.trusted, decoded, record.value);
    interests.update(decoded);
  } catch (error) {
    deps.metrics.deadLettered();
    deps.log.error(
      { err: error, offset: record.offset },
      'an interest record is invalid and was sent to the dead letters',
    );
    await deps.bus.produce([deadLetter(record, error, 'responder/interest')]);
  }
}

function verify(trusted: Trusted | undefined, { detector, keyId }: InterestRecord, bytes: Uint8Array): void {
  if (trusted !== undefined) checkSignature(trusted, 'interest', { id: detector, keyId }, bytes);
}

async function updateAgents({ control, metrics, now }: ForwardDeps, interests: DetectorInterests): Promise<void> {
  const interest = interests.union(now());
  if (interest === null) return;
  await control.setInterest(interest);
  metrics.interestVersion = interest.version;
}
