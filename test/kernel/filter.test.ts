/**
 * The kernel's filter drops only events that no rule can match. The same script runs twice: with every event sent, and
 * with the filter that the rules produce.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Bus, openEmbeddedBus } from '@ringfence/bus';
import { startCollector } from '@ringfence/collector';
import { compileDetectorRules, readRuleFiles, startDetector } from '@ringfence/detector';
import { startEnricher } from '@ringfence/enricher';
import type { Interest } from '@ringfence/interest';
import { isBpfFileSystem } from '@ringfence/libbpf-ts';
import { buildSensor } from '@ringfence/sensor/build';
import { uninstallSensor } from '@ringfence/sensor/parts';
import { createLogger } from '@ringfence/telemetry';
import { compileProgram, skip as kernelSkip } from '@ringfence/testkit/sensor';
import { createSigningKey, decode, decodeText, TOPIC, topicsWith } from '@ringfence/wire';
import { ATTEMPT_ALERTS, CHANGE_ALERTS, NETWORK_ALERTS, OPEN_ALERTS, RULES, SCRIPT } from './filter-play.ts';

const BPF_FS = '/sys/fs/bpf';
const BUILT_IN = join(import.meta.dirname, '../../rules');

class Workspace implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), 'ringfence-filter-'));
  readonly pinPath = `${BPF_FS}/rf-test-${process.pid}-filter`;

  constructor() {
    for (const directory of ['bin', 'home/.ssh', 'home/.aws', 'rules'])
      mkdirSync(join(this.path, directory), { recursive: true });
    for (const [name, program] of Object.entries({ cat: 'cat', sh: 'sh', 'rf-reader': 'cat', 'rf-shell': 'sh' }))
      copyFileSync(`/bin/${program}`, join(this.path, 'bin', name));
    for (const file of ['.ssh/id_rsa', '.aws/credentials', '.aws/a-name-of-more-than-thirty-two-bytes.json'])
      writeFileSync(join(this.path, 'home', file), 'x');
    writeFileSync(join(this.path, 'plain-text'), 'x', { mode: 0o644 });
    writeFileSync(join(this.path, 'rules/rules.yaml'), RULES);
    for (const program of ['change', 'connect', 'flow', 'access', 'credentials'])
      compileProgram(program, join(this.path, 'bin', program));
    copyFileSync(join(this.path, 'bin/change'), join(this.path, 'bin/rf-changer'));
    chmodSync(this.path, 0o755);
  }

  [Symbol.dispose](): void {
    uninstallSensor(this.pinPath);
    rmSync(this.path, { recursive: true, force: true });
  }
}

interface RunResult {
  /** "rule: executable file", for the processes of the script */
  readonly alerts: readonly string[];
  readonly interest: Interest;
  /** opens by processes of the script that left the kernel */
  readonly opens: number;
  /** a variable that no rule names left the kernel */
  readonly secret: boolean;
  /** events that did not leave the kernel, by cause */
  readonly drops: Readonly<Record<string, number>>;
}

async function runScript(workspace: Workspace, opens: 'all' | 'interest'): Promise<RunResult> {
  await using bus = await openEmbeddedBus({ path: ':memory:' });
  await bus.ensureTopics(topicsWith(1));
  // Close everything even if an assertion throws: a sensor that stays attached would disturb other tests.
  await using stack = new AsyncDisposableStack();
  const key = createSigningKey();
  const enricher = await startEnricher({ bus, enrolment: { keyFor: () => key.publicKey } });
  stack.defer(() => enricher.close());
  let interest: Interest | undefined;
  const detector = await startDetector({
    bus,
    rulePaths: [BUILT_IN, join(workspace.path, 'rules')],
    watchRules: false,
    onInterest: (next) => {
      interest = next;
    },
  });
  stack.defer(() => detector.close());
  assert.ok(interest !== undefined);
  const collector = await startCollector({
    bus,
    identity: { hostId: randomUUID(), bootId: randomUUID(), key, agentVersion: 'test' },
    trustedKeys: new Map(),
    log: createLogger({ level: 'silent' }),
    interest,
    options: {
      sensorObject: await buildSensor(),
      stateDir: join(workspace.path, `state-${opens}`),
      pinPath: workspace.pinPath,
      opens,
      audit: opens === 'all' ? ['all'] : [],
    },
  });
  stack.defer(() => collector.close());
  execFileSync(
    'unshare',
    ['--mount', '--propagation', 'private', join(workspace.path, 'bin/sh'), '-c', SCRIPT, workspace.path],
    {
      stdio: 'ignore',
    },
  );
  await collector.settle();
  const { drops } = collector.stats();
  await collector.close();
  for (const group of ['enricher', 'detector']) await waitUntilConsumed(bus, group);
  const programs = join(workspace.path, 'bin/');
  return {
    alerts: await alertsBelow(bus, programs),
    opens: await opensBelow(bus, programs),
    secret: await hasSecret(bus),
    interest,
    drops,
  };
}

async function waitUntilConsumed(bus: Bus, group: string): Promise<void> {
  while ([...(await bus.lag(group)).values()].some((records) => records > 0)) await sleep(5);
}

async function alertsBelow(bus: Bus, directory: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { value } of bus.read({ topic: TOPIC.alerts })) {
    if (value === null) continue;
    const { rule, lineage, fields } = decode('Alert', value);
    if (!lineage.some(({ executable }) => executable.startsWith(directory))) continue;
    const file = fields['file.path'] ?? fields['file.name'] ?? fields['mount.target'] ?? '';
    found.push(
      `${rule}: ${lineage[0]?.executable.split('/').at(-1)} ${file.replace(/^\/proc\/\d+/, '/proc/PID')}`.trimEnd(),
    );
  }
  return found.sort();
}

async function opensBelow(bus: Bus, directory: string): Promise<number> {
  let found = 0;
  for await (const { value } of bus.read({ topic: TOPIC.events })) {
    if (value === null) continue;
    const { processes, events } = decode('EventBatch', value);
    const names = processes.map(({ executable }) => decodeText(executable));
    for (const { process, event } of events)
      if ('ringfence.Open' in event.body && names[process]?.startsWith(directory)) found++;
  }
  return found;
}

async function hasSecret(bus: Bus): Promise<boolean> {
  for await (const { value } of bus.read({ topic: TOPIC.events })) {
    if (value === null) continue;
    const { processes, events } = decode('EventBatch', value);
    const execs = events.flatMap(({ event: { body } }) => ('ringfence.Exec' in body ? [body['ringfence.Exec']] : []));
    const texts = [...processes.map(({ environment }) => environment), ...execs.map((exec) => exec.environment.bytes)];
    if (texts.some((text) => decodeText(text).includes('RF_SECRET='))) return true;
  }
  return false;
}

function skipReason(): string | false {
  return kernelSkip || (!isBpfFileSystem(BPF_FS) && `no bpf file system at ${BPF_FS}: mount -t bpf bpf ${BPF_FS}`);
}

describe('the filter in the kernel', { skip: skipReason() }, () => {
  test('does not change the alerts, and keeps the remaining opens and changes in the kernel', async () => {
    using workspace = new Workspace();
    const all = await runScript(workspace, 'all');
    const filtered = await runScript(workspace, 'interest');
    assert.deepEqual(filtered.alerts, all.alerts);
    assert.deepEqual(
      [...OPEN_ALERTS, ...NETWORK_ALERTS, ...ATTEMPT_ALERTS].filter((alert) => !all.alerts.includes(alert)),
      [],
    );
    const changes = all.alerts.filter((alert) => CHANGE_ALERTS.includes(alert));
    assert.deepEqual(
      changes,
      CHANGE_ALERTS,
      'each change raises an alert as often as it happened, and no other change does',
    );
    assert.notEqual(filtered.interest.openPathPrefixes, null);
    assert.deepEqual([filtered.interest.rawPaths, filtered.interest.environment.includes('RF_ASKED')], [true, true]);
    assert.deepEqual([all.secret, filtered.secret], [false, false]);
    assert.ok(
      filtered.interest.changeNames.includes('rf-account') && !filtered.interest.openNames.includes('rf-account'),
    );
    assert.deepEqual(filtered.interest.openExecutables, ['rf-absent', 'rf-changer', 'rf-reader']);
    for (const { drops } of [all, filtered]) assert.equal(drops['ring_full'] ?? 0, 0);
    assert.equal(all.alerts.filter((alert) => alert.startsWith('A watched port')).length, 2);
    assert.ok(filtered.opens < all.opens, `${filtered.opens} opens of ${all.opens}`);
    // Every connection has a flow and every lookup a datagram, so the rules name the ports.
    const frequent = (filtered.interest.wants ?? []).filter(({ kind }) => kind === 'flow' || kind === 'datagram');
    assert.deepEqual(
      frequent.filter(({ peerPorts, localPorts }) => peerPorts.length + localPorts.length === 0),
      [],
    );
    // The built-in rules match packets by names, those of DNS and of TLS.
    const packets = filtered.interest.wants?.filter(({ kind }) => kind === 'packet').map(({ form }) => form);
    assert.deepEqual([...new Set(packets)], ['dns', 'tls', 'tls-loopback']);
  });

  test('stays narrow with the built-in rules: none of them requires every open', async () => {
    const { diagnostics, interest } = compileDetectorRules(await readRuleFiles([BUILT_IN]));
    assert.deepEqual(
      diagnostics.map(({ message }) => message),
      [],
    );
    assert.deepEqual(
      interest.paths.flatMap(({ unbounded }) => unbounded),
      [],
    );
    assert.deepEqual(
      interest.paths.flatMap(({ executables }) => executables),
      [],
      'a rule by executable makes each open look up its process',
    );
    // Few processes read these, although they are near the root: crontabs, Kerberos tickets, sessions of PHP, folders
    // of security products, cameras, terminals and other devices.
    const rare =
      /^\/(etc\/((ana)?cron|audit$|clamav$|falco$|osquery$|sysmon$)|tmp\/(krb5cc_|sess_)|opt\/|proc\/xen$|var\/ossec$|dev\/(audio|dsp|fb|vcs|video)$)/;
    const shallow = interest.paths[0]?.prefixes.filter((prefix) => prefix.split('/').length < 4 && !rare.test(prefix));
    assert.deepEqual(shallow, [], 'a prefix near the root matches most opens of a machine');
  });
});
