import type { Config } from './config.ts';
import { formatDuration } from './units.ts';

export interface Conflict {
  readonly key: string;
  readonly message: string;
}

/** A tick may come a second later than asked, and travels. */
const TICK_SLACK_MS = 2000;
const LOOPBACK = /^(127\.|::1$|localhost$)/;

/** What must hold between settings. */
export function conflictsOf(config: Config): Conflict[] {
  const { bus, metrics } = config;
  const conflicts = bus.driver === 'kafka' ? [...kafkaConflictsOf(bus.kafka), ...silenceConflictsOf(config)] : [];
  conflicts.push(...clusterConflictsOf(config.auditor));
  if (metrics.enabled && !LOOPBACK.test(metrics.listen.host) && metrics.token === '') {
    const message = `expected a loopback address, or metrics.token to be set; got ${metrics.listen.host}`;
    conflicts.push({ key: 'metrics.listen', message });
  }
  return conflicts;
}

/** Only a fleet tells silent hosts. */
function silenceConflictsOf({ collector: { tickMs }, enricher: { silentAfterMs } }: Config): Conflict[] {
  const leastMs = tickMs + TICK_SLACK_MS;
  if (silentAfterMs === 0 || silentAfterMs >= leastMs) return [];
  const [tick, least, got] = [tickMs, leastMs, silentAfterMs].map(formatDuration);
  const message = `expected 0s, or at least ${least}: ticks come every ${tick} (collector.tick), or up to a second later; got ${got}`;
  return [{ key: 'enricher.silentAfter', message }];
}

function clusterConflictsOf({ sink, elasticsearch: { nodes, user, apiKey } }: Config['auditor']): Conflict[] {
  const conflicts: Conflict[] = [];
  const expect = (holds: boolean, key: string, message: string) => {
    if (!holds) conflicts.push({ key: `auditor.elasticsearch.${key}`, message });
  };
  if (sink === 'sqlite') return conflicts;
  const isHidden = nodes.every((node) => node.startsWith('https:') || LOOPBACK.test(new URL(node).hostname));
  expect(user === '' || apiKey === '', 'apiKey', 'expected either an API key or a user');
  expect(sink === 'elasticsearch' || apiKey === '', 'apiKey', 'expected none: OpenSearch takes a user and password');
  expect(`${user}${apiKey}` === '' || isHidden, 'nodes', 'expected https: the secret would travel as it is');
  return conflicts;
}

function kafkaConflictsOf({
  tls,
  sasl,
  brokers,
  replicationFactor,
  minInsyncReplicas,
}: Config['bus']['kafka']): Conflict[] {
  const conflicts: Conflict[] = [];
  const expect = (holds: boolean, key: string, message: string) => {
    if (!holds) conflicts.push({ key: `bus.kafka.${key}`, message });
  };
  const { mechanism } = sasl;
  const asksPassword = mechanism !== 'none' && mechanism !== 'oauthbearer';
  const unhidden = mechanism === 'plain' || mechanism === 'oauthbearer';
  const local = brokers.every((broker) => LOOPBACK.test(broker.replace(/^\[|\]?:\d+$/g, '')));
  expect((tls.cert === '') === (tls.key === ''), 'tls.cert', 'expected tls.cert and tls.key both, or neither');
  expect(tls.enabled || `${tls.ca}${tls.cert}` === '', 'tls.enabled', 'expected true, as certificates are named');
  expect(!asksPassword || sasl.username !== '', 'sasl.username', `expected a user for ${mechanism}`);
  expect(!asksPassword || sasl.password !== '', 'sasl.password', `expected a password for ${mechanism}`);
  expect(mechanism !== 'oauthbearer' || sasl.tokenFile !== '', 'sasl.tokenFile', 'expected a file for oauthbearer');
  expect(!unhidden || tls.enabled || local, 'tls.enabled', `expected true: ${mechanism} sends its secret as it is`);
  const enough = replicationFactor === 0 || minInsyncReplicas <= replicationFactor;
  expect(enough, 'minInsyncReplicas', `expected at most replicationFactor, ${replicationFactor}`);
  return conflicts;
}
