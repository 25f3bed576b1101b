import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import type { Status } from '@ringfence/runtime/status';
import { buildSensor } from '@ringfence/sensor/build';
import { readable } from '@ringfence/testkit';
import { Installation, Running } from '../e2e/lib/program.ts';
import { skip } from '../e2e/lib/root.ts';
import { TWO_USERS } from '../e2e/lib/two-users.ts';
import { until } from '../e2e/lib/wait.ts';

const root = dirname(dirname(import.meta.dirname));
const path = join(root, 'deploy/systemd/ringfence.service');
const unit = readFileSync(path, 'utf8');

const [NOBODY = '', DAEMON = ''] = ['nobody', 'daemon'].map((user) =>
  spawnSync('id', ['-u', user], { encoding: 'utf8' }).stdout.trim(),
);

/** Returns all values of a directive. */
function directive(name: string): string[] {
  return unit.split('\n').flatMap((line) => (line.startsWith(`${name}=`) ? [line.slice(name.length + 1)] : []));
}

describe('the systemd unit', () => {
  it('runs exactly `ringfence up`', () => {
    assert.deepEqual(directive('ExecStart'), ['/usr/bin/ringfence up']);
    assert.deepEqual(unit.match(/^Exec\w+/gm), ['ExecStartPre', 'ExecStart']);
  });

  it('passes the security analysis of systemd', (t) => {
    const analysis = spawnSync(
      'systemd-analyze',
      ['security', '--offline=true', '--threshold=40', '--no-pager', path],
      {
        encoding: 'utf8',
      },
    );
    if (analysis.error !== undefined) return t.skip('systemd-analyze is not installed');
    assert.equal(analysis.status, 0, analysis.stdout + analysis.stderr);
  });

  it('has only directives that systemd knows', (t) => {
    const dir = mkdtempSync(join(tmpdir(), 'rf-unit-'));
    t.after(() => rmSync(dir, { recursive: true }));
    const installed = join(dir, 'ringfence.service');
    writeFileSync(installed, unit.replace('=/usr/bin/ringfence', `=${join(root, 'deploy/bin/ringfence')}`));
    const verified = spawnSync('systemd-analyze', ['verify', '--man=no', installed], { encoding: 'utf8' });
    if (verified.error !== undefined) return t.skip('systemd-analyze is not installed');
    assert.deepEqual([verified.status, verified.stdout, verified.stderr], [0, '', '']);
  });

  it('precompiles the program at installation for the users, who cannot write the cache', {
    skip,
  }, () => {
    const dir = mkdtempSync(join(tmpdir(), 'rf-compiled-'));
    try {
      chmodSync(dir, 0o755);
      const cache = join(dir, 'cache');
      // precompile must not empty the cache directory that the caller exports.
      const callersCache = join(dir, 'callers-cache');
      mkdirSync(callersCache);
      for (const users of [['root'], ['nobody', 'daemon']]) {
        const compiled = spawnSync(readable(join(root, 'deploy/bin/precompile')), [...users, cache], {
          env: { ...process.env, NODE_COMPILE_CACHE: callersCache },
          encoding: 'utf8',
        });
        assert.equal(compiled.status, 0, compiled.stderr);
        const uids = readdirSync(cache).map((name) => name.split('-').at(-1));
        const [rootCache = assert.fail()] = readdirSync(cache).filter((name) => name.endsWith('-0'));
        assert.deepEqual(uids.sort(), users[0] === 'root' ? ['0'] : ['0', DAEMON, NOBODY].sort());
        assert.ok(!readdirSync(join(cache, rootCache)).includes(rootCache));
      }
      assert.ok(existsSync(callersCache));
      const env = { ...process.env, NODE_COMPILE_CACHE: cache };
      const asNobody = [
        '--reuid=nobody',
        '--regid=nogroup',
        '--clear-groups',
        '--bounding-set=-all',
        '--inh-caps=-all',
      ];
      const command = [...asNobody, readable(join(root, 'deploy/bin/ringfence')), '--version'];
      const result = spawnSync('setpriv', command, {
        env: { ...env, NODE_DEBUG_NATIVE: 'COMPILE_CACHE' },
        encoding: 'utf8',
      });
      assert.match(result.stderr, /code cache for ESM .*\/cli\/src\/main\.ts was accepted/);
      assert.doesNotMatch(result.stderr, /no such file|writing/);
      const writable = spawnSync('setpriv', [...asNobody, 'find', dir, '-writable'], { encoding: 'utf8' });
      assert.deepEqual([writable.status, writable.stdout], [0, '']);
    } finally {
      rmSync(dir, { recursive: true });
    }
  });

  it('gives `ringfence up` its users and necessary capabilities, which only the process of the sensor keeps', {
    skip,
  }, async () => {
    await buildSensor();
    await using home = new Installation(TWO_USERS);
    chmodSync(home.dir, 0o755);
    for (const path of [home.stateDir, home.sensorStateDir, home.runDir]) mkdirSync(path, { mode: 0o700 });
    const [before = ''] = directive('ExecStartPre');
    const prepare = before.replace(/^\+/, '').replace('/sys/fs/bpf/ringfence', home.pinPath);
    assert.equal(spawnSync('/bin/sh', ['-c', prepare]).status, 0);

    // The second line is for the start only.
    const [kept = [], ...forStart] = directive('CapabilityBoundingSet').map((line) => line.split(' '));
    const capabilities = [...kept, ...forStart.flat()];
    assert.deepEqual([directive('User'), directive('AmbientCapabilities')], [[], []]);
    const set = ['-all', ...capabilities.map((name) => `+${name.replace(/^CAP_/, '').toLowerCase()}`)].join();
    const rights = [`--bounding-set=${set}`, '--no-new-privs'];
    const settings = home.settings.flatMap((setting) => ['--set', setting]);
    const up = [readable(join(root, 'deploy/bin/ringfence')), 'up', '--config', '/dev/null', ...settings];
    const child = spawn('setpriv', [...rights, ...up], { stdio: ['ignore', 'pipe', 'pipe'] });
    await using running = new Running(child);
    await running.says('watching this machine');
    spawnSync('/bin/true', ['rf-under-the-unit']);
    const where = 'event.action = exec and process.command_line contains rf-under-the-unit';
    await until('the event', async () => (await home.output(['events', '--where', where])).includes('/bin/true'));
    const { processes } = JSON.parse(await home.output(['status', '--json'])) as Status;
    assert.deepEqual(
      processes.map(({ capabilities }) => [...capabilities].sort()),
      [[], kept.filter((name) => name !== 'CAP_KILL').sort()],
    );
    assert.equal(new Set(processes.map(({ uid }) => uid)).size, 2);
    assert.ok(processes.every(({ uid }) => uid !== 0));
    assert.equal((await running.stop('SIGTERM')).code, 0, running.stderr);
    home.assertClean();
  });
});
