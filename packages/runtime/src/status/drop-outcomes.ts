import type { KindAccount } from '@ringfence/sensor';

export type DropCause = keyof KindAccount['drops'];

/** An outcome of events that the kernel saw and did not send. Its count is the sum of its causes. */
export interface DropOutcome {
  readonly name: string;
  readonly causes: readonly DropCause[];
  /** Whether these events count as lost. */
  readonly lost: boolean;
}

export const DROP_OUTCOMES: readonly DropOutcome[] = [
  { name: 'filtered', causes: ['unwatched', 'self', 'owner'], lost: false },
  { name: 'merged', causes: ['merged'], lost: false },
  { name: 'throttled', causes: ['throttled', 'probe_rate'], lost: true },
  { name: 'ring full', causes: ['ring_full'], lost: true },
  { name: 'other loss', causes: ['scratch', 'forgotten'], lost: true },
];

export const sumOfDrops = ({ drops }: KindAccount, causes: readonly DropCause[]): number =>
  causes.reduce((sum, cause) => sum + (drops[cause] ?? 0), 0);
