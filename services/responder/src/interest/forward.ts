import type { Log } from '@ringfence/base';
import type { Bus, InRecord } from '@ringfence/bus';
import { followTopic } from '@ringfence/bus/follow';
import type { ControlPlane } from '@ringfence/control';
import { deadLetter, decode, type InterestRecord, TOPIC } from '@ringfence/wire';
import type { ResponderMetrics } from '../metrics.ts';
import { checkSignature, type Trusted } from '../steps/verify.ts';
import { Interests } from './interests.ts';

export interface ForwardDeps {
  readonly bus: Pick<Bus, 'read' | 'produce'>;
  readonly control: ControlPlane;
  /** keys of the detectors; undefined: nothing is verified */
  readonly trusted: Trusted | undefined;
  readonly metrics: ResponderMetrics;
  readonly log: Log;
  /** µs since the epoch */
  readonly now: () => number;
  readonly signal: AbortSignal;
}

/** A start reads all that lies there; agents are told once, not once a record. */
const SETTLE_MS = 200;

/** Tells every agent what the rules of all detectors together can match, whenever that changes. Ends when `signal` aborts; never rejects. */
export async function forwardInterest(deps: ForwardDeps): Promise<void> {
  const { bus, log, metrics, signal } = deps;
  const interests = new Interests();
  let timer: NodeJS.Timeout | undefined;
  const tell = (): void => {
    timer = undefined;
    tellAgents(deps, interests).catch((err) => {
      interests.untold();
      metrics.failed('interest');
      log.warn(
        { err },
        'agents could not be told what the rules can match; they are told again with the next word of a detector',
      );
    });
  };
  await followTopic({
    bus,
    topic: TOPIC.interest,
    signal,
    take: async (record) => {
      await take(deps, interests, record);
      timer ??= setTimeout(tell, SETTLE_MS);
    },
    interrupted: (err) => {
      metrics.failed('interest');
      log.warn({ err }, 'ringfence.interest can not be read; it is read again');
    },
    maxPauseMs: 1000,
  });
  clearTimeout(timer);
}

async function take(deps: ForwardDeps, interests: Interests, record: InRecord): Promise<void> {
  // Nobody has signed a removal: it must not narrow what agents send. A detector that is gone is forgotten by the time.
  if (record.value === null) return;
  try {
    const said = decode('InterestRecord', record.value);
    verify(deps.trusted, said, record.value);
    interests.hear(said);
  } catch (error) {
    deps.metrics.deadLettered();
    deps.log.error({ err: error, offset: record.offset }, 'an interest can not be used; it goes to the dead letters');
    await deps.bus.produce([deadLetter(record, error, 'responder/interest')]);
  }
}

function verify(trusted: Trusted | undefined, said: InterestRecord, bytes: Uint8Array): void {
  if (trusted !== undefined) checkSignature(trusted, 'interest', { id: said.detector, keyId: said.keyId }, bytes);
}

async function tellAgents({ control, metrics, now }: ForwardDeps, interests: Interests): Promise<void> {
  const interest = interests.union(now());
  if (interest === null) return;
  await control.setInterest(interest);
  metrics.interestVersion = interest.version;
}
