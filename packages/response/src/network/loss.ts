import { type BarrierRule, type Network, networkOf, overlap } from '@ringfence/barrier';
import type { FoundProcess } from '../processes/protected.ts';
import { type Sockets, socketsOf, summarize } from '../processes/sockets.ts';
import { TCP_LISTEN, type TcpRow, tcpRows } from './tcp-rows.ts';

const LOOPBACK = ['127.0.0.0/8', '::1'].map((text) => networkOf(text) as Network);

/**
 * Counts the TCP connections that the rules cut, and for an isolation the ports that nobody reaches any more. Of all
 * processes, the sockets of their network namespaces count; of some, only their own.
 */
export function lossOf(
  rules: readonly BarrierRule[],
  processes: readonly FoundProcess[],
  areSome: boolean,
): Sockets & { readonly processes: number } {
  const pids = processes.map(({ tgid }) => tgid);
  const isCut = cutBy(rules);
  const counts = areSome ? socketsOf(pids, isCut) : summarize(tcpRows(pids).filter(isCut));
  return { ...counts, processes: processes.length };
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
