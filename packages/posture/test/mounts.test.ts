import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { InventoryMount } from '@ringfence/host-facts';
import { mountedPaths } from '../src/container-state.ts';
import { mountFindings } from '../src/mount-findings.ts';

describe('a mount of the host in a container', () => {
  const cases: readonly [source: string, readonly: boolean, expected: string | null][] = [
    ['/var/run/docker.sock', false, 'critical'],
    ['/run/docker.sock', true, 'critical'],
    ['/run/containerd/containerd.sock', false, 'critical'],
    ['/', false, 'critical'],
    ['/', true, 'high'],
    ['/etc', false, 'critical'],
    ['/etc/shadow', true, 'high'],
    ['/etc/nginx', false, 'medium'],
    ['/etc/localtime', false, null],
    ['/proc', false, 'critical'],
    ['/var/run', true, 'critical'],
    ['/sys/fs/cgroup', false, 'high'],
    ['/dev/sda', false, 'critical'],
    ['/var/lib/kubelet', false, 'critical'],
    ['/var/lib/kubelet/pods/1/volumes/kubernetes.io~empty-dir/data', false, null],
    ['/var/lib/docker/volumes/data/_data', false, null],
    ['/var/lib/docker', false, 'critical'],
    ['/var/log', false, 'medium'],
    ['/srv/data', false, null],
  ];
  for (const [source, readonly, expected] of cases) {
    test(`${source}${readonly ? ', read-only,' : ''} is ${expected ?? 'no finding'}`, () => {
      const [finding] = mountFindings([{ source, destination: '/x', readonly }]);
      assert.equal(finding?.severity ?? null, expected);
    });
  }

  test("is found by its device, whatever the runtime reports; the engine's own files are skipped", () => {
    const mount = (values: Partial<InventoryMount>): InventoryMount => ({
      device: 1,
      root: '/',
      point: '/',
      filesystem: 'ext4',
      source: '/dev/sda1',
      options: 'rw',
      ...values,
    });
    const host = [
      mount({}),
      mount({ device: 2, point: '/run', filesystem: 'tmpfs' }),
      mount({ device: 3, point: '/proc', filesystem: 'proc' }),
    ];
    const container = [
      mount({ device: 9, filesystem: 'overlay' }),
      mount({ device: 2, root: '/docker.sock', point: '/sock', filesystem: 'tmpfs' }),
      mount({ root: '/etc', point: '/host', options: 'ro,relatime' }),
      mount({ device: 8, point: '/tmp', filesystem: 'tmpfs' }),
      mount({ device: 3, point: '/proc', filesystem: 'proc' }),
    ];
    const reported = [
      { source: '/elsewhere', destination: '/host', readonly: false },
      { source: '/srv', destination: '/srv', readonly: true },
    ];
    assert.deepEqual(mountedPaths(container, host, { mounts: reported }), [
      { source: '/run/docker.sock', destination: '/sock', readonly: false },
      { source: '/etc', destination: '/host', readonly: true },
      { source: '/srv', destination: '/srv', readonly: true },
    ]);
  });
});
