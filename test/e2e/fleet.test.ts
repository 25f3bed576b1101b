import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, globSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { elasticsearchMissing, kafkaMissing, redisMissing } from '@ringfence/dev-servers';
import { ApiClient } from '@ringfence/runtime/client';
import type { Status } from '@ringfence/runtime/status';
import { repeatedKeys } from '@ringfence/testkit';
import { Panels } from './lib/fleet-panels.ts';
import { farSidesMissing, startFarSides } from './lib/fleet-sinks.ts';
import { type Ended, Running } from './lib/program.ts';
import { skip as noRoot } from './lib/root.ts';
import { until } from './lib/wait.ts';

const ROOT = join(import.meta.dirname, '../..');
const README_DIRECTORY = '/tmp/ringfence-fleet';
/** Start deadline on a loaded machine; an idle machine needs a tenth of it. */
const START_TIMEOUT_MS = 400_000;
/** End deadline. The demo can wait a minute for its incident; the rest takes seconds. */
const END_TIMEOUT_MS = 150_000;
const skip = noRoot || (kafkaMissing() ?? redisMissing() ?? elasticsearchMissing() ?? false);

/** Returns the commands of the section on fleets of README, by terminal. */
function commandsOf(readme: string): string[] {
  const section = /\n## A fleet\n(.*?)\n## /s.exec(readme)?.[1];
  assert.ok(section, 'README has no section "A fleet"');
  return [...section.matchAll(/```\n(.*?)```/gs)].map((match) => match[1] ?? '');
}

/** A shell without settings of Ringfence. As in a terminal, signals go to its whole process group. */
class Shell extends Running {
  constructor(commands: string, directory: string) {
    const env = Object.fromEntries(
      Object.entries(process.env).filter(([name]) => !/^(RINGFENCE_(?!TESTKIT_C)|NODE_|npm_)/.test(name)),
    );
    const text = commands.replaceAll(README_DIRECTORY, join(directory, 'ringfence-fleet'));
    super(
      spawn('bash', ['-ec', text], {
        cwd: ROOT,
        env: { ...env, TMPDIR: directory },
        stdio: ['ignore', 'pipe', 'pipe'],
        detached: true,
      }),
    );
  }

  /** Waits for the end. Kills the group at the deadline, and then fails with its output. */
  async endedInTime(): Promise<Ended> {
    using stack = new DisposableStack();
    stack.adopt(
      setTimeout(() => this.#signal('SIGKILL'), END_TIMEOUT_MS),
      clearTimeout,
    );
    const ended = await this.ended;
    assert.notEqual(
      ended.signal,
      'SIGKILL',
      `the shell did not end within ${END_TIMEOUT_MS} ms:\n${ended.stdout}${ended.stderr}`,
    );
    return ended;
  }

  override stop(signal: NodeJS.Signals = 'SIGINT'): Promise<Ended> {
    this.#signal(signal);
    return this.endedInTime();
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #signal(signal: NodeJS.Signals): void {
    try {
      process.kill(-this.pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
}

/** Returns the pins of fleets. */
const pins = (): string[] => readdirSync('/sys/fs/bpf').filter((name) => name.startsWith('ringfence-fleet-'));

const commandLines = (): string[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        return [readFileSync(`/proc/${pid}/cmdline`, 'latin1').replaceAll('\0', ' ')];
      } catch {
        return []; // The process has ended.
      }
    });

interface Hit {
  readonly _id: string;
  readonly _source: Readonly<Record<string, unknown>>;
}

/** Returns the answer of curl in the second terminal. */
const answerOf = (stdout: string): { readonly hits: { readonly hits: readonly Hit[] } } =>
  JSON.parse(stdout.slice(stdout.indexOf('\n{\n')));

/** Returns the ids of the alerts of the demo's incident. */
function alertsOf(stdout: string): readonly string[] {
  const alerts = answerOf(stdout).hits.hits[0]?._source['ringfence.incident.alerts'];
  assert.ok(Array.isArray(alerts) && alerts.length > 0);
  return alerts;
}

/** The address that the second terminal reads. */
const elasticsearchOf = (fleet: string): string =>
  /^ELASTICSEARCH='(.*)'$/m.exec(readFileSync(join(fleet, 'env'), 'utf8'))?.[1] ?? '';

/** Panels about what the demo does not do, and about events that only a sample of the processes stores. */
const MAY_BE_EMPTY: ReadonlySet<string> = new Set([
  'attack chains: Waiting for a person',
  'hosts and containers: Who talks to whom',
  'hosts and containers: Connections',
  'response: Only observed',
  'response: Not carried out',
  'pipeline health: Lost events',
  'pipeline health: Silent hosts',
  'pipeline health: Losses over time',
  'pipeline health: Losses by host and cause',
  'pipeline health: Dead letters',
  'audit: Dead letters',
  'audit: Signatures',
  'audit: What people did',
  'audit: Who did what, and why',
]);

test('the commands of README start a fleet that finds an incident, kills its process and stores it in Elasticsearch', {
  skip,
}, async (t) => {
  const [first, second, ...extra] = commandsOf(readFileSync(join(ROOT, 'README.md'), 'utf8'));
  assert.ok(first && second && extra.length === 0, 'README must have two terminals');
  const before = pins();
  using stack = new DisposableStack();
  const directory = stack.adopt(mkdtempSync(join(tmpdir(), 'rf-readme-')), (path) =>
    rmSync(path, { recursive: true, force: true }),
  );
  const fleet = join(directory, 'ringfence-fleet');
  await using servers = new AsyncDisposableStack();
  const noFarSides = farSidesMissing();
  const sinks = servers.adopt(mkdtempSync(join(tmpdir(), 'rf-readme-sinks-')), (path) =>
    rmSync(path, { recursive: true }),
  );
  const farSides = noFarSides === undefined ? await startFarSides(servers, sinks) : [];
  const withSinks = first.replace(/dev fleet$/m, `dev fleet --sinks ${sinks}`);
  assert.notEqual(withSinks, first);
  await using terminal = new Shell(noFarSides === undefined ? withSinks : first, directory);
  await until(
    'the start of the fleet',
    () => {
      assert.ok(terminal.alive, `the fleet ended:\n${terminal.stdout}${terminal.stderr}`);
      return terminal.stdout.includes('processes are up');
    },
    START_TIMEOUT_MS,
  );
  t.diagnostic(/\d+ processes are up after \d+ s/.exec(terminal.stdout)?.[0] ?? '');
  const { code, stdout, stderr } = await new Shell(second, directory).endedInTime();
  assert.equal(code, 0, stdout + stderr);

  await t.test('the agent has killed the process by a command', () => {
    const [, pid] = /done +kill \/opt\/shop\/backup-helper \(pid (\d+)\)/.exec(stdout) ?? [];
    assert.ok(pid, stdout);
    assert.equal(existsSync(`/proc/${pid}`), false, `${pid} is alive`);
    const log = readFileSync(join(fleet, 'agent/log'), 'utf8').split('\n');
    assert.ok(log.some((line) => line.includes('"command executed"') && line.includes(`"pid":${pid}`)));
  });

  await t.test('each service is a separate process, on Kafka', async () => {
    const names = ['agent', 'enricher-1', 'detector-1', 'responder-1', 'auditor-1', 'registrar'];
    const all = await Promise.all(
      names.map((name) => new ApiClient(join(fleet, name, 'run/ringfence.sock')).json<Status>('/status')),
    );
    assert.equal(new Set(all.map(({ pid }) => pid)).size, names.length);
    for (const { services } of all) assert.equal(services.length, 1);
    for (const name of ['enricher', 'detector', 'responder', 'auditor'])
      assert.match(stdout, new RegExp(`${name}-1 +partitions 0-11`), 'the output of topology');
    assert.match(stdout, /\n {2}4 hosts with the current interest \(\d+\)\n/, 'this machine and three simulated hosts');
  });

  const [, id = ''] = /\n +(inc-\w+) · critical/.exec(stdout) ?? [];
  await t.test('curl shows the incident of the demo', () => {
    assert.ok(id, stdout);
    const { hits } = answerOf(stdout);
    assert.deepEqual(
      hits.hits.map(({ _id }) => _id),
      [`incident/${id}`],
    );
    assert.match(String(hits.hits[0]?._source['message']), /web-1/);
  });

  for (const { name, ids } of farSides)
    await t.test(`the incident of the demo, its alerts, its order and the answer are in ${name}`, async () => {
      const wanted = alertsOf(stdout);
      await until(`the incident in ${name}`, async () => {
        const arrived = new Set(await ids());
        return (
          wanted.every((alert) => arrived.has(alert)) &&
          [...arrived].some((found) => found.startsWith(`${id}/`)) &&
          [...arrived].some((found) => found.startsWith('command/')) &&
          [...arrived].some((found) => found.startsWith('result/'))
        );
      });
    });
  await t.test('the incident of the demo is in two other systems', { skip: noFarSides ?? false }, () => {
    assert.deepEqual(farSides.map(({ name }) => name).sort(), ['VictoriaLogs', 'rsyslog']);
  });

  await t.test(
    'the query of every panel finds the incident of the demo, but for what it has none of',
    async (panel) => {
      const panels = new Panels(elasticsearchOf(fleet));
      await panels.refresh();
      const { _source } = answerOf(stdout).hits.hits[0]!;
      const counts = await panels.counts(await panels.documentsOf(id, String(_source['container.id'])));
      const full = [...counts.values()].filter((count) => count > 0);
      panel.diagnostic(`${full.length} of ${counts.size} panels have documents`);
      assert.deepEqual(
        [...counts].filter(([title, count]) => count === 0 && !MAY_BE_EMPTY.has(title)),
        [],
      );
    },
  );

  await t.test('no line of a log has a key twice', () => {
    const logs = globSync('*/log', { cwd: fleet }).map((path) => readFileSync(join(fleet, path), 'utf8'));
    const lines = logs.flatMap((log) => log.split('\n')).filter((line) => line.startsWith('{'));
    assert.ok(lines.length > 10, `${lines.length} lines`);
    assert.deepEqual(
      lines.filter((line) => repeatedKeys(line).length > 0),
      [],
    );
  });

  await t.test('its simulated hosts are connected to control streams and brokers', async () => {
    const { services } = await new ApiClient(join(fleet, 'hosts/run/ringfence.sock')).json<Status>('/status');
    const stats = services[0]?.stats as { hosts: number; streams: number; events: number };
    assert.deepEqual([stats.hosts, stats.streams], [3, 3]);
    assert.ok(stats.events > 0);
    await until('an incident on the terminal', () => /inc-\w+ .*web-\d/.test(terminal.stdout), 120_000);
  });

  await t.test('Ctrl-C removes everything', async () => {
    const ended = await terminal.stop('SIGINT');
    assert.equal(ended.stderr.includes('Error'), false, ended.stderr);
    assert.match(ended.stdout, /stopping/);
    assert.equal(existsSync(fleet), false, 'the directory remains');
    assert.deepEqual(pins(), before, 'pins remain');
    assert.deepEqual(
      commandLines().filter((line) => line.includes(directory)),
      [],
    );
    // npm keeps its compile cache there.
    assert.deepEqual(
      readdirSync(directory).filter((name) => name !== 'node-compile-cache'),
      [],
    );
  });
});
