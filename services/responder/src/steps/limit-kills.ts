import type { Memory, Place } from './memory.ts';

const WINDOW_US = 60_000_000;

/**
 * At most `perMinute` kills on one host in any minute of event time. Takes one when there is one left. A cause from the past counts as of the
 * newest kill, so that old timestamps don't open the window again.
 */
export function createKillLimit(
  memory: Memory,
  perMinute: number,
): (hostId: string, at: number, place: Place) => boolean {
  return function limitKills(hostId, at, place) {
    const kills = memory.limits.get(hostId)?.kills ?? [];
    const now = Math.max(at, kills.at(-1) ?? 0);
    const recent = kills.filter((kill) => kill > now - WINDOW_US);
    if (recent.length >= perMinute) return false;
    memory.limits.set(hostId, { kills: [...recent, now] }, place);
    return true;
  };
}
