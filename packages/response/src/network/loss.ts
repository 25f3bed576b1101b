import { type BarrierRule, type Network, networkOf, overlap } from '@ringfence/barrier';
import type { FoundProcess } from '../processes/protected.ts';
import type { LivingTarget } from '../processes/reach.ts';
import { type Sockets, socketsOf, summarize } from '../processes/sockets.ts';
import type { HostCgroup } from './cgroup.ts';
import { TCP_LISTEN, type TcpRow, tcpRows } from './tcp-rows.ts';

const LOOPBACK = ['127.0.0.0/8', '::1'].map((text) => networkOf(text) as Network);

/** Counts the TCP connections that the rules cut, and for an isolation the ports that nobody reaches any more. */
export function lossOf(
  rules: readonly BarrierRule[],
  cgroup: HostCgroup | null,
  processes: readonly (FoundProcess & LivingTarget)[],
): Sockets & { readonly processes: number } {
  const inside = cgroup === null ? processes : processes.filter((process) => cgroup.ids.has(process.cgroup));
  const pids = inside.map(({ tgid }) => tgid);
  const isCut = cutBy(rules);
  const counts = cgroup === null ? summarize(tcpRows(pids).filter(isCut)) : socketsOf(pids, isCut);
  return { ...counts, processes: inside.length };
}

function cutBy(rules: readonly BarrierRule[]): (row: TcpRow) => boolean {
  const isolates = rules.some(({ what }) => what === 'isolate');
  return (row) => {
    const remote = { bytes: row.remote, bits: 128 };
    const matches = (rule: BarrierRule): boolean =>
      'network' in rule && overlap(rule.network, remote) && (rule.port === 0 || rule.port === row.remotePort);
    if (row.state === TCP_LISTEN) return isolates;
    if (LOOPBACK.some((own) => overlap(own, remote))) return false;
    return isolates ? !rules.some(matches) : rules.some(matches);
  };
}
