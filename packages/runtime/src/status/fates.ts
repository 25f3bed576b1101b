import type { KindAccount } from '@ringfence/sensor';

export type Cause = keyof KindAccount['drops'];

/** What becomes of an event that is seen and not sent, and the causes that each adds up. */
export const FATES: readonly { readonly fate: string; readonly causes: readonly Cause[]; readonly lost: boolean }[] = [
  { fate: 'filtered', causes: ['unwatched', 'self', 'owner'], lost: false },
  { fate: 'merged', causes: ['merged'], lost: false },
  { fate: 'throttled', causes: ['throttled', 'probe_rate'], lost: true },
  { fate: 'ring full', causes: ['ring_full'], lost: true },
  { fate: 'other loss', causes: ['scratch', 'forgotten'], lost: true },
];

export const sumOf = ({ drops }: KindAccount, causes: readonly Cause[]): number =>
  causes.reduce((sum, cause) => sum + (drops[cause] ?? 0), 0);
