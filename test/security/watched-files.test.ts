/**
 * Plays the ways by which the name of a secret can be avoided, with the real sensor and the pipeline behind it: each
 * must end in the same alert.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { silentLog } from '@ringfence/base';
import { type Bus, openEmbeddedBus } from '@ringfence/bus';
import { type Collector, startCollector } from '@ringfence/collector';
import { startDetector } from '@ringfence/detector';
import { startEnricher } from '@ringfence/enricher';
import type { Interest } from '@ringfence/interest';
import { buildSensor } from '@ringfence/sensor/build';
import { uninstallSensor } from '@ringfence/sensor/parts';
import { BPF_FS, kernelSkip } from '@ringfence/testkit/agent';
import { compileProgram } from '@ringfence/testkit/sensor';
import { createSigningKey, decode, TOPIC, topicsWith } from '@ringfence/wire';

const BUILT_IN = join(import.meta.dirname, '../../rules');
/** Exit status of a program whose way the kernel does not have. */
const NO_SUCH_WAY = 77;
const TICK_MS = 100;

const WAYS = [
  'hard-link',
  'bind-mount',
  'open-tree',
  'overlay',
  'copied-up',
  'handle',
  'chroot',
  'process-root',
  'descriptor',
  'symbolic-link',
  'rename',
];
/** Ways that change nothing on the host, so that they can be played on its own password hashes. */
const HARMLESS = ['bind-mount', 'open-tree', 'overlay', 'handle', 'chroot', 'process-root', 'descriptor'];

interface SeenAlert {
  readonly rule: string;
  readonly file: string;
  readonly program: string;
}

describe('a secret', { skip: kernelSkip() }, () => {
  let workspace: string;
  let secret: string;
  let bus: Bus;
  let collector: Collector;
  const stack = new AsyncDisposableStack();
  const pinPath = `${BPF_FS}/rf-test-${process.pid}-files`;

  before(async () => {
    workspace = mkdtempSync(join(tmpdir(), 'ringfence-secret-'));
    stack.defer(() => rmSync(workspace, { recursive: true, force: true }));
    secret = join(workspace, 'vault/secret');
    for (const directory of ['vault', 'bin', 'rules']) mkdirSync(join(workspace, directory));
    writeFileSync(secret, 'secret');
    for (const program of ['reach', 'io_uring']) compileProgram(program, join(workspace, 'bin', program));
    const rule = `- rule: Secret read\n  desc: d\n  condition: event.action = open and file.open.read = true and file.path = ${secret}\n`;
    writeFileSync(join(workspace, 'rules/rules.yaml'), rule);
    await startPipeline();
  });
  after(() => stack.disposeAsync());

  async function startPipeline(): Promise<void> {
    bus = stack.use(await openEmbeddedBus({ path: ':memory:' }));
    await bus.ensureTopics(topicsWith(1));
    const key = createSigningKey();
    const enricher = await startEnricher({ bus, enrolment: { keyFor: () => key.publicKey } });
    stack.defer(() => enricher.close());
    let interest: Interest | undefined;
    const detector = await startDetector({
      bus,
      rulePaths: [BUILT_IN, join(workspace, 'rules')],
      watchRules: false,
      onInterest: (next) => {
        interest = next;
      },
    });
    stack.defer(() => detector.close());
    assert.ok(interest !== undefined);
    stack.defer(() => uninstallSensor(pinPath));
    collector = await startCollector({
      bus,
      identity: { hostId: randomUUID(), bootId: randomUUID(), key, agentVersion: 'test' },
      trustedKeys: new Map(),
      log: silentLog,
      interest,
      options: {
        sensorObject: await buildSensor(),
        stateDir: join(workspace, 'state'),
        pinPath,
        tickMs: TICK_MS,
      },
    });
    stack.defer(() => collector.close());
  }

  let known = 0;
  /** Returns the alerts of programs of this test since the last call, once everything that happened is judged. */
  async function newAlerts(): Promise<SeenAlert[]> {
    await collector.settle();
    for (const group of ['enricher', 'detector'])
      while ([...(await bus.lag(group)).values()].some((records) => records > 0)) await sleep(5);
    const alerts: SeenAlert[] = [];
    for await (const { value } of bus.read({ topic: TOPIC.alerts })) {
      if (value === null) continue;
      const { rule, lineage, fields } = decode('Alert', value);
      const program = lineage[0]?.executable ?? '';
      if (program.startsWith(workspace)) alerts.push({ rule, file: fields['file.path'] ?? '', program });
    }
    const fresh = alerts.slice(known);
    known = alerts.length;
    return fresh;
  }

  /** Returns false if the kernel has no such way. */
  function reach(way: string, directory: string, name: string): boolean {
    const place = mkdtempSync(join(workspace, 'place-'));
    const { status } = spawnSync(join(workspace, 'bin/reach'), [way, directory, name, place], { stdio: 'ignore' });
    if (status !== NO_SUCH_WAY) assert.equal(status, 0, way);
    return status !== NO_SUCH_WAY;
  }

  async function rulesMatched(file: string): Promise<string[]> {
    const alerts = await newAlerts();
    return [...new Set(alerts.filter((alert) => alert.file === file).map(({ rule }) => rule))];
  }

  for (const way of WAYS)
    test(`that is read by ${way.replaceAll('-', ' ')} raises the alert of its rule`, async (t) => {
      if (!reach(way, join(workspace, 'vault'), 'secret')) return t.skip('this kernel has no such way');
      assert.deepEqual(await rulesMatched(secret), ['Secret read']);
    });

  for (const way of HARMLESS)
    test(`of the host, its password hashes, raises the built-in alert when read by ${way.replaceAll('-', ' ')}`, async (t) => {
      if (!reach(way, '/etc', 'shadow')) return t.skip('this kernel has no such way');
      assert.deepEqual(await rulesMatched('/etc/shadow'), ['Password hashes read']);
    });

  test('that another file has replaced is followed, and the former file too', async () => {
    const [former, next] = [join(workspace, 'vault/former'), join(workspace, 'vault/next')];
    renameSync(secret, former);
    writeFileSync(next, 'secret');
    renameSync(next, secret);
    await sleep(5 * TICK_MS);
    assert.ok(reach('hard-link', join(workspace, 'vault'), 'secret'));
    assert.deepEqual(await rulesMatched(secret), ['Secret read']);
    assert.ok(reach('descriptor', join(workspace, 'vault'), 'former'));
    assert.deepEqual(await rulesMatched(secret), ['Secret read']);
  });

  test('that is read through io_uring by another link raises the alert', async () => {
    const link = join(workspace, 'link');
    const script = 'ln "$0" "$1" && exec "$2" 0 0 openat "$1" 0';
    const { status } = spawnSync('sh', ['-c', script, secret, link, join(workspace, 'bin/io_uring')], {
      stdio: 'ignore',
    });
    assert.equal(status, 0);
    const expected = ['Files opened past the system calls from a scratch folder', 'Secret read'];
    assert.deepEqual(await rulesMatched(secret), expected);
  });
});
