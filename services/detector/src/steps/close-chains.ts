import { type ChainRef, UNKNOWN_BOOT } from '@ringfence/wire';
import type { Chain } from '../state/chain.ts';
import type { Host } from '../state/host.ts';
import type { Turn } from '../turn.ts';
import type { Publisher } from './publish.ts';

/** Ticks between versions of an incident that only count more repetitions */
const STALE_TICKS = 10;
/** An incident with members stays open for this much longer, because other hosts may be late, µs. */
const MEMBERS_LAG_US = 300_000_000;

/** The time of a tick, on the clock of the boot. */
export interface TickTime {
  readonly bootId: string;
  readonly ktime: number;
  /** µs between the boot's clock and the wall clock */
  readonly wallOffset: number;
}

/** Returns the chains that are over: idle, or of an earlier boot. */
export function endedChains({ host }: Turn, tick: TickTime, idleUs: number): Chain[] {
  return [...host.chains.values()].filter((chain) => isOfOtherBoot(chain, tick) || isIdle(chain, tick, idleUs));
}

/** Returns the chains with repetitions that their published incidents do not count yet. */
export function staleChains({ host }: Turn, publisher: Publisher): Chain[] {
  if (host.tick % STALE_TICKS !== 0) return [];
  return [...host.chains.values()].filter((chain) => chain.stale && publisher.isShown(chain));
}

/** Ends a chain: publishes its incident as closed, and remembers the decisions of people about it. */
export function closeChain(turn: Turn, chain: Chain, publisher: Publisher): void {
  const { host, touched } = turn;
  touched.delete(chain);
  if (chain.survivor !== null && chain.stale) publisher.share(turn, chain);
  host.removeChain(chain);
  if (chain.survivor !== null) host.forwards.set(chain.id, plain(chain.survivor));
  else if (publisher.isIncident(chain)) publisher.publish(turn, chain, 'closed');
  host.changed.delete(chain);
  settle(host, chain);
}

const isOfOtherBoot = (chain: Chain, { bootId }: TickTime): boolean =>
  chain.bootId !== bootId && chain.bootId !== UNKNOWN_BOOT;

function isIdle({ bootId, lastKtime, touchedKtime, members }: Chain, tick: TickTime, idleUs: number): boolean {
  // Lines that Filebeat sent without a boot id carry the wall clock's time.
  const now = bootId === UNKNOWN_BOOT ? tick.ktime + tick.wallOffset : tick.ktime;
  const lag = members.size > 0 ? MEMBERS_LAG_US : 0;
  return now - Math.max(lastKtime, touchedKtime) > idleUs + lag;
}

/** Remembers the last version and the triage, for feedback that comes after the chain is closed. */
function settle(host: Host, { id, version, triage }: Chain): void {
  if (version > 0 || triage.history.length > 0) host.settled.set(id, { version, triage });
}

const plain = ({ chainId, hostId, openedAt }: ChainRef): ChainRef => ({ chainId, hostId, openedAt });
