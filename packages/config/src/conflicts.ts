import type { Config } from './config.ts';
import { formatDuration } from './units.ts';

export interface Conflict {
  readonly key: string;
  readonly message: string;
}

/** A tick can be a second late, and takes time to arrive. */
const TICK_SLACK_MS = 2000;
const LOOPBACK = /^(127\.|::1$|localhost$)/;

/** Returns the conflicts between settings. */
export function conflictsOf(config: Config): Conflict[] {
  const { bus, metrics, collector } = config;
  const conflicts = bus.driver === 'kafka' ? [...kafkaConflictsOf(bus.kafka), ...silenceConflictsOf(config)] : [];
  conflicts.push(...clusterConflictsOf(config.auditor));
  if (metrics.enabled && !LOOPBACK.test(metrics.listen.host) && metrics.token === '') {
    const message = `expected a loopback address, or metrics.token to be set; got ${metrics.listen.host}`;
    conflicts.push({ key: 'metrics.listen', message });
  }
  const { enabled, listen, token, tokenFile } = collector.alerts;
  if (enabled && !LOOPBACK.test(listen.host)) {
    const message = `expected a loopback address, because alerts come unencrypted; got ${listen.host}`;
    conflicts.push({ key: 'collector.alerts.listen', message });
  }
  if (enabled && `${token}${tokenFile}` === '')
    conflicts.push({
      key: 'collector.alerts.token',
      message: 'expected a token, or tokenFile, because without one any process of this host could post alerts',
    });
  if (token !== '' && tokenFile !== '')
    conflicts.push({
      key: 'collector.alerts.tokenFile',
      message: 'expected no file, because collector.alerts.token is set',
    });
  return conflicts;
}

/** Only a fleet reports silent hosts. */
function silenceConflictsOf({ collector: { tickMs }, enricher: { silentAfterMs } }: Config): Conflict[] {
  const minMs = tickMs + TICK_SLACK_MS;
  if (silentAfterMs === 0 || silentAfterMs >= minMs) return [];
  const [tick, min, got] = [tickMs, minMs, silentAfterMs].map(formatDuration);
  const message = `expected 0s, or at least ${min}: ticks arrive every ${tick} (collector.tick) or up to a second later; got ${got}`;
  return [{ key: 'enricher.silentAfter', message }];
}

function clusterConflictsOf({ sink, elasticsearch: { nodes, user, apiKey } }: Config['auditor']): Conflict[] {
  const conflicts: Conflict[] = [];
  const expect = (holds: boolean, key: string, message: string) => {
    if (!holds) conflicts.push({ key: `auditor.elasticsearch.${key}`, message });
  };
  if (sink === 'sqlite') return conflicts;
  const isEncrypted = nodes.every((node) => node.startsWith('https:') || LOOPBACK.test(new URL(node).hostname));
  expect(user === '' || apiKey === '', 'apiKey', 'expected either an API key or a user');
  expect(
    sink === 'elasticsearch' || apiKey === '',
    'apiKey',
    'expected no API key: OpenSearch requires a user and a password',
  );
  expect(`${user}${apiKey}` === '' || isEncrypted, 'nodes', 'expected https: the secret would be sent unencrypted');
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
  const needsPassword = mechanism !== 'none' && mechanism !== 'oauthbearer';
  const sendsPlainSecret = mechanism === 'plain' || mechanism === 'oauthbearer';
  const isLocal = brokers.every((broker) => LOOPBACK.test(broker.replace(/^\[|\]?:\d+$/g, '')));
  expect((tls.cert === '') === (tls.key === ''), 'tls.cert', 'expected both tls.cert and tls.key, or neither');
  expect(tls.enabled || `${tls.ca}${tls.cert}` === '', 'tls.enabled', 'expected true, because certificates are set');
  expect(!needsPassword || sasl.username !== '', 'sasl.username', `expected a user for ${mechanism}`);
  expect(!needsPassword || sasl.password !== '', 'sasl.password', `expected a password for ${mechanism}`);
  expect(mechanism !== 'oauthbearer' || sasl.tokenFile !== '', 'sasl.tokenFile', 'expected a file for oauthbearer');
  expect(
    !sendsPlainSecret || tls.enabled || isLocal,
    'tls.enabled',
    `expected true: ${mechanism} sends its secret unencrypted`,
  );
  const isSatisfiable = replicationFactor === 0 || minInsyncReplicas <= replicationFactor;
  expect(isSatisfiable, 'minInsyncReplicas', `expected at most replicationFactor, ${replicationFactor}`);
  return conflicts;
}
