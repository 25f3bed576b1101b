import { networkInterfaces } from 'node:os';
import { type Network, networkOf, networkText, overlap } from '@ringfence/barrier';

const NEVER_BLOCKED = ['127.0.0.0/8', '::1', '::', '0.0.0.0'].map((text) => networkOf(text) as Network);
/** Shorter prefixes are most of the Internet: bits of an IPv4 and an IPv6 network */
const SHORTEST_V4 = 96 + 8;
const SHORTEST_V6 = 16;

/** The addresses of this host, in the network namespace of this process. */
export const ownNetworks = (): Network[] =>
  Object.values(networkInterfaces()).flatMap((addresses = []) =>
    addresses.flatMap(({ address }) => networkOf(address.replace(/%.*/, '')) ?? []),
  );

/** Returns why a network must not be blocked; null: it may be. `own`: addresses of this host. */
export function refusalOf(target: Network, own: readonly Network[]): string | null {
  const text = networkText(target);
  const isV4 = target.bits >= 96 && target.bytes.subarray(0, 10).every((byte) => byte === 0);
  if (target.bits < (isV4 ? SHORTEST_V4 : SHORTEST_V6))
    return `${text} is too large a network to block: isolate the host instead`;
  if (NEVER_BLOCKED.some((other) => overlap(target, other))) return `${text} has loopback or unspecified addresses`;
  const mine = own.find((other) => overlap(target, other));
  return mine === undefined ? null : `${text} has an address of this host, ${networkText(mine)}`;
}
