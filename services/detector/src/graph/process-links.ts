import type { Alert, EventView, IncidentReason } from '@ringfence/wire';
import { processReason, REPEATED, writtenReason } from '../incident/reasons.ts';
import type { Chain } from '../state/chain.ts';
import type { Host } from '../state/host.ts';
import type { HandledEvent } from './handled-event.ts';

/** A link between an alert and a chain. */
export interface ChainLink {
  readonly chain: Chain;
  /** Returns the reason, from the chain's present state; a repetition needs none. */
  readonly reason: () => IncidentReason;
}

/** Whether the executable was written recently from inside its container; images are written from outside. */
export function isOwnFile({ writer, writtenAgo, process }: EventView, withinUs: number): boolean {
  return writer !== undefined && writtenAgo <= withinUs && writer.container === process?.container;
}

/** Returns the chains that one of the processes belongs to, the nearest process first, and then those of the writer. */
export function processLinks(host: Host, keys: readonly string[], event: HandledEvent, withinUs: number): ChainLink[] {
  const links = new Map<Chain, ChainLink>();
  const { lineage, view } = event;
  for (const [distance, key] of keys.entries()) {
    const chain = host.byKey.get(key);
    if (chain === undefined || links.has(chain)) continue;
    const process = lineage[distance];
    const reason = (): IncidentReason => (process === undefined ? REPEATED : processReason(chain, process, distance));
    links.set(chain, { chain, reason });
  }
  const writers = isOwnFile(view, withinUs) ? event.writerLineage : [];
  for (const writer of writers) {
    const chain = host.byKey.get(writer.entityId);
    if (chain === undefined || links.has(chain)) continue;
    const { process, writtenAgo } = view;
    links.set(chain, { chain, reason: () => writtenReason(writer, process, writtenAgo) });
  }
  return [...links.values()];
}

/** The key of an alert of a hub, which links only repetitions of the same rule. */
export const loneKey = (alert: Alert): string => `${alert.lineage[0]?.entityId ?? ''}/${alert.rule}`;
