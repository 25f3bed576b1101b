import type { Alert, EventView, ProcessInfo } from '@ringfence/wire';
import type { Chain } from '../state/chain.ts';
import type { Host } from '../state/host.ts';
import type { Shared } from './links.ts';
import { whyTied, whyWritten } from './words.ts';

/** Why an alert belongs to a chain. */
export interface Tie {
  readonly chain: Chain;
  /** words from what the chain holds now; a repetition needs none */
  readonly why: () => string;
}

/** Whether what runs was written lately and from inside of its own container; images are written from outside. */
export function isOwnWriter(event: EventView, withinUs: number): boolean {
  const { writer, writtenAgo, process } = event;
  return writer !== undefined && writtenAgo <= withinUs && writer.raw.container === process?.raw.container;
}

/** The chains that the alert ties together, the nearest tie first; each once. */
export function tiesOf(
  host: Host,
  keys: readonly string[],
  climbed: readonly ProcessInfo[],
  written: readonly ProcessInfo[],
  event: EventView,
): Tie[] {
  const ties = new Map<Chain, Tie>();
  keys.forEach((key, at) => {
    const chain = host.byKey.get(key);
    if (chain === undefined || ties.has(chain)) return;
    const tie = climbed[at];
    ties.set(chain, { chain, why: () => (tie === undefined ? 'the same again' : whyTied(chain, tie, at)) });
  });
  for (const writer of written) {
    const chain = host.byKey.get(writer.entityId);
    if (chain !== undefined && !ties.has(chain)) {
      const { writtenAgo } = event;
      ties.set(chain, { chain, why: () => whyWritten(writer, event.process, writtenAgo) });
    }
  }
  return [...ties.values()];
}

export const ownKeys = (shared: readonly Shared[]): string[] =>
  shared.filter(({ owned }) => owned !== false).map(({ key }) => key);

export function sharedTies(host: Host, shared: readonly Shared[]): Tie[] {
  return shared.flatMap(({ key, why }): Tie[] => {
    const chain = host.byKey.get(key);
    return chain === undefined ? [] : [{ chain, why: () => why(chain) }];
  });
}

/** Alerts of a hub itself only fold with their own repetitions. */
export const loneKey = (alert: Alert): string => `${alert.lineage[0]?.entityId ?? ''}/${alert.rule}`;
