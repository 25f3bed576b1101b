import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Writable } from 'node:stream';
import { describe, test } from 'node:test';
import { paintFor } from '@ringfence/base';
import type { InventoryContainer, InventoryMount } from '@ringfence/collector';
import type { ContainerState } from '@ringfence/posture';
import { hostFindings, mountedPaths, mountFindings, postureOf } from '@ringfence/posture';
import { postureText } from '../src/posture/view.ts';

const DEFAULTS = [
  ...['CAP_CHOWN', 'CAP_DAC_OVERRIDE', 'CAP_FOWNER', 'CAP_FSETID', 'CAP_KILL', 'CAP_SETGID', 'CAP_SETUID'],
  ...[
    'CAP_SETPCAP',
    'CAP_NET_BIND_SERVICE',
    'CAP_NET_RAW',
    'CAP_SYS_CHROOT',
    'CAP_MKNOD',
    'CAP_AUDIT_WRITE',
    'CAP_SETFCAP',
  ],
];

function createTestContainer(values: Partial<InventoryContainer> = {}): InventoryContainer {
  return {
    id: 'c0ffee',
    name: 'web-1',
    runtime: 'docker',
    image: 'nginx:1.27',
    privileged: false,
    labels: {},
    imageId: '',
    imageDigests: [],
    capabilities: null,
    mounts: [],
    namespaces: [],
    pod: '',
    podUid: '',
    namespace: '',
    serviceAccount: '',
    podLabels: {},
    startedAt: 0,
    cgroup: '/docker/c0ffee',
    pids: [7],
    ...values,
  };
}

/** One that nothing is wrong with. */
function createTestState(values: Partial<ContainerState> = {}): ContainerState {
  return {
    pid: 7,
    capabilities: ['CAP_NET_BIND_SERVICE'],
    noNewPrivileges: true,
    seccomp: true,
    confinement: 'docker-default (enforce)',
    euid: 1000,
    hostUsers: true,
    hostNamespaces: [],
    readOnlyRoot: true,
    procWritable: false,
    mounts: [],
    ...values,
  };
}

const ids = (state: Partial<ContainerState>, container: Partial<InventoryContainer> = {}): string[] =>
  postureOf(createTestContainer(container), createTestState(state), null).findings.map(
    ({ id, severity }) => `${severity} ${id}`,
  );

describe('the posture of a container', () => {
  const cases: readonly { description: string; state: Partial<ContainerState>; expected: readonly string[] }[] = [
    { description: 'nothing amiss', state: {}, expected: [] },
    { description: 'no filter of system calls', state: { seccomp: false }, expected: ['high seccomp'] },
    { description: 'unconfined', state: { confinement: '' }, expected: ['medium confinement'] },
    { description: 'a kernel without profiles', state: { confinement: null }, expected: [] },
    { description: 'set-user-id programs', state: { noNewPrivileges: false }, expected: ['low new-privileges'] },
    { description: 'user 0', state: { euid: 0 }, expected: ['medium root'] },
    { description: 'user 0 of a user namespace', state: { euid: 0, hostUsers: false }, expected: [] },
    { description: 'a writable root', state: { readOnlyRoot: false }, expected: ['low writable-root'] },
    { description: 'a writable /proc/sys', state: { procWritable: true }, expected: ['high proc'] },
    { description: "the host's network", state: { hostNamespaces: ['net'] }, expected: ['high host-net'] },
    { description: "the host's users of ipc", state: { hostNamespaces: ['ipc'] }, expected: ['low host-ipc'] },
    {
      description: 'a capability too many',
      state: { capabilities: ['CAP_NET_ADMIN'] },
      expected: ['high capabilities'],
    },
    { description: 'a power of root', state: { capabilities: ['CAP_SYS_ADMIN'] }, expected: ['critical capabilities'] },
    { description: 'those of every container', state: { capabilities: DEFAULTS }, expected: [] },
  ];
  for (const { description, state, expected } of cases)
    test(`${description}: ${expected.join(', ') || 'nothing is said'}`, () => assert.deepEqual(ids(state), expected));

  test('is privileged when its runtime says so, and when it comes to that', () => {
    assert.ok(ids({}, { privileged: true }).includes('critical privileged'));
    const open = { capabilities: ['CAP_SYS_ADMIN'], procWritable: true, seccomp: false };
    assert.ok(ids(open, { privileged: null }).includes('critical privileged'));
  });

  test('says which capabilities were never used only where that is known, and keeps those that were', () => {
    const state = createTestState({ capabilities: DEFAULTS });
    const used = { names: new Set(['CAP_CHOWN', 'CAP_NET_RAW']), watchedSeconds: 660 };
    const known = postureOf(createTestContainer(), state, used);
    const [unused] = known.findings;
    assert.equal(unused?.id, 'unused-capabilities');
    assert.doesNotMatch(unused?.what ?? '', /CHOWN|NET_RAW/);
    assert.match(unused?.what ?? '', /SETUID.* in the 11 min that it was watched/);
    assert.deepEqual(known.flags, ['--cap-drop ALL', '--cap-add CHOWN', '--cap-add NET_RAW']);
    const not = postureOf(createTestContainer(), state, null);
    assert.deepEqual(not.findings, []);
    assert.equal(not.usageKnown, false);
    assert.ok(not.flags.includes('--cap-add SETUID') && !not.flags.includes('--cap-add NET_RAW'));
  });

  test('is told in the words of a pod where it is one', () => {
    const state = createTestState({ euid: 0, readOnlyRoot: false, noNewPrivileges: false, seccomp: false });
    const { securityContext } = postureOf(createTestContainer({ pod: 'web-0', namespace: 'shop' }), state, null);
    for (const line of [
      '  readOnlyRootFilesystem: true',
      '  allowPrivilegeEscalation: false',
      '    type: RuntimeDefault',
    ])
      assert.ok(securityContext.includes(line), securityContext.join('\n'));
  });

  test('is shown worst first, with what to start it with, and harmless on a terminal', () => {
    const container = createTestContainer({ name: 'web\u001b[2J' });
    const state = createTestState({ euid: 0, hostNamespaces: ['pid'], readOnlyRoot: false });
    const text = postureText(
      { containers: [postureOf(container, state, null), postureOf(createTestContainer(), null, null)], host: [] },
      paintFor(new Writable()),
    );
    assert.ok(!text.includes('\u001b'));
    assert.ok(text.indexOf('high') < text.indexOf('medium') && text.indexOf('medium') < text.indexOf('low'), text);
    assert.match(text, /--cap-drop ALL --cap-add NET_BIND_SERVICE .*--read-only --tmpfs \/tmp/);
    assert.match(text, /it ended while it was looked at/);
  });
});

describe('what is mounted into a container', () => {
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
    test(`${source}${readonly ? ', read-only' : ''} is ${expected ?? 'not worth a word'}`, () => {
      const [finding] = mountFindings([{ source, destination: '/x', readonly }]);
      assert.equal(finding?.severity ?? null, expected);
    });
  }

  test("is found on the host by its device, whatever the runtime says; an engine's own files are not told", () => {
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
    const inside = [
      mount({ device: 9, filesystem: 'overlay' }),
      mount({ device: 2, root: '/docker.sock', point: '/sock', filesystem: 'tmpfs' }),
      mount({ root: '/etc', point: '/host', options: 'ro,relatime' }),
      mount({ device: 8, point: '/tmp', filesystem: 'tmpfs' }),
      mount({ device: 3, point: '/proc', filesystem: 'proc' }),
    ];
    const told = [
      { source: '/elsewhere', destination: '/host', readonly: false },
      { source: '/srv', destination: '/srv', readonly: true },
    ];
    assert.deepEqual(mountedPaths(inside, host, { mounts: told }), [
      { source: '/run/docker.sock', destination: '/sock', readonly: false },
      { source: '/etc', destination: '/host', readonly: true },
      { source: '/srv', destination: '/srv', readonly: true },
    ]);
  });
});

describe('the posture of the host', () => {
  test('names each setting that is amiss with the command that mends it, and none that the kernel lacks', () => {
    const root = mkdtempSync(join(tmpdir(), 'rf-posture-'));
    try {
      for (const [path, value] of [
        ['kernel/unprivileged_bpf_disabled', '0'],
        ['kernel/kptr_restrict', '2'],
        ['fs/protected_symlinks', '0'],
      ] as const) {
        const file = join(root, 'proc/sys', path);
        mkdirSync(dirname(file), { recursive: true });
        writeFileSync(file, `${value}\n`);
      }
      assert.deepEqual(
        hostFindings(root).map(({ severity, instead }) => [severity, ...instead]),
        [
          ['high', 'sysctl -w kernel.unprivileged_bpf_disabled=1'],
          ['medium', 'sysctl -w fs.protected_symlinks=1'],
        ],
      );
    } finally {
      rmSync(root, { recursive: true });
    }
  });
});
