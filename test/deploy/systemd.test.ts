import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { buildSensor } from '../../tools/build-sensor.ts';
import { Installation, Running } from '../e2e/lib/program.ts';
import { skip } from '../e2e/lib/root.ts';
import { until } from '../e2e/lib/wait.ts';

const root = dirname(dirname(import.meta.dirname));
const path = join(root, 'deploy/systemd/ringfence.service');
const unit = readFileSync(path, 'utf8');

/** All values of one directive. */
function directive(name: string): string[] {
  return unit.split('\n').flatMap((line) => (line.startsWith(`${name}=`) ? [line.slice(name.length + 1)] : []));
}

describe('the systemd unit', () => {
  it('runs exactly `ringfence up`', () => {
    assert.deepEqual(directive('ExecStart'), ['/usr/bin/ringfence up']);
    assert.equal(unit.match(/^Exec/gm)?.length, 1);
  });

  it('is sandboxed well by the judgement of systemd itself', (t) => {
    const judged = spawnSync('systemd-analyze', ['security', '--offline=true', '--threshold=40', '--no-pager', path], {
      encoding: 'utf8',
    });
    if (judged.error !== undefined) return t.skip('systemd-analyze is not installed');
    assert.equal(judged.status, 0, judged.stdout + judged.stderr);
  });

  it('has nothing that systemd would not understand', (t) => {
    const dir = mkdtempSync(join(tmpdir(), 'rf-unit-'));
    t.after(() => rmSync(dir, { recursive: true }));
    const installed = join(dir, 'ringfence.service');
    writeFileSync(installed, unit.replace('=/usr/bin/ringfence', `=${join(root, 'deploy/bin/ringfence')}`));
    const verified = spawnSync('systemd-analyze', ['verify', '--man=no', installed], { encoding: 'utf8' });
    if (verified.error !== undefined) return t.skip('systemd-analyze is not installed');
    assert.deepEqual([verified.status, verified.stdout, verified.stderr], [0, '', '']);
  });

  it('leaves `ringfence up` the capabilities it needs', { skip }, async () => {
    await buildSensor();
    await using home = new Installation();
    const capabilities = directive('CapabilityBoundingSet').join(' ').split(' ');
    const bounding = capabilities.map((name) => `+${name.replace(/^CAP_/, '').toLowerCase()}`);
    const up = [
      '--bounding-set',
      ['-all', ...bounding].join(),
      '--no-new-privs',
      join(root, 'deploy/bin/ringfence'),
      'up',
    ];
    const settings = home.settings.flatMap((setting) => ['--set', setting]);
    const child = spawn('setpriv', [...up, '--config', '/dev/null', ...settings], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    await using running = new Running(child);
    await running.says('watching this machine');
    spawnSync('/bin/true', ['rf-under-the-unit']);
    const where = 'event.action = exec and process.command_line contains rf-under-the-unit';
    await until('the event', async () => (await home.output(['events', '--where', where])).includes('/bin/true'));
    assert.equal((await running.stop('SIGTERM')).code, 0, running.stderr);
    home.assertClean();
  });
});
