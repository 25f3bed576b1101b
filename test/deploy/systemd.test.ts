import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { buildSensor } from '../../tools/build-sensor.ts';

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

  it('leaves the sensor the capabilities it needs to load', async (t) => {
    if (process.getuid?.() !== 0) return t.skip('needs root, to load BPF programs');
    if (!existsSync('/sys/kernel/btf/vmlinux')) return t.skip('this kernel has no type information');
    const pins = `/sys/fs/bpf/rf-test-${process.pid}`;
    if (spawnSync('mountpoint', ['-q', '/sys/fs/bpf']).status !== 0)
      return t.skip('no BPF file system is mounted at /sys/fs/bpf');
    t.after(() => rmSync(pins, { recursive: true, force: true }));
    const [capabilities = ''] = directive('CapabilityBoundingSet');
    const bounding = [
      '-all',
      ...capabilities.split(' ').map((name) => `+${name.replace(/^CAP_/, '').toLowerCase()}`),
    ].join();
    const loader = [
      '--bounding-set',
      bounding,
      '--no-new-privs',
      'bpftool',
      'prog',
      'loadall',
      await buildSensor(),
      pins,
    ];
    const loaded = spawnSync('setpriv', loader, { encoding: 'utf8' });
    assert.equal(loaded.status, 0, loaded.stderr);
  });
});
