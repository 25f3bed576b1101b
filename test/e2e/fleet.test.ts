import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { elasticsearchMissing, kafkaMissing, redisMissing } from '@ringfence/dev-servers';
import { ApiClient } from '@ringfence/runtime/client';
import type { Status } from '@ringfence/runtime/status';
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
  await using terminal = new Shell(first, directory);
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

  await t.test('curl shows the incident of the demo', () => {
    const [, id] = /\n +(inc-\w+) · critical/.exec(stdout) ?? [];
    assert.ok(id, stdout);
    const answer = stdout.slice(stdout.indexOf('\n{\n'));
    const { hits } = JSON.parse(answer) as { hits: { hits: { _id: string; _source: { message: string } }[] } };
    assert.deepEqual(
      hits.hits.map(({ _id }) => _id),
      [`incident/${id}`],
    );
    assert.match(hits.hits[0]?._source.message ?? '', /web-1/);
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
