import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { InventoryContainer } from '@ringfence/host-facts';
import { postureOf } from '../src/posture.ts';
import type { ContainerState } from '../src/types.ts';
import { createTestContainer, createTestState, DEFAULT_CAPABILITIES } from './support.ts';

const findingsOf = (state: Partial<ContainerState>, container: Partial<InventoryContainer> = {}): string[] =>
  postureOf(createTestContainer(container), createTestState(state), null).findings.map(
    ({ id, severity }) => `${severity} ${id}`,
  );

describe('the posture of a container', () => {
  const cases: readonly { description: string; state: Partial<ContainerState>; expected: readonly string[] }[] = [
    { description: 'a hardened container', state: {}, expected: [] },
    { description: 'no seccomp filter', state: { seccomp: false }, expected: ['high seccomp'] },
    { description: 'no confinement', state: { confinement: '' }, expected: ['medium confinement'] },
    { description: 'a kernel without profiles', state: { confinement: null }, expected: [] },
    { description: 'set-user-id programs', state: { noNewPrivileges: false }, expected: ['low new-privileges'] },
    { description: 'user 0', state: { euid: 0 }, expected: ['medium root'] },
    { description: 'user 0 of a user namespace', state: { euid: 0, hostUsers: false }, expected: [] },
    { description: 'a writable root', state: { readOnlyRoot: false }, expected: ['low writable-root'] },
    { description: 'a writable /proc/sys', state: { procWritable: true }, expected: ['high proc'] },
    { description: 'the network of the host', state: { hostNamespaces: ['net'] }, expected: ['high host-net'] },
    { description: 'the ipc namespace of the host', state: { hostNamespaces: ['ipc'] }, expected: ['low host-ipc'] },
    { description: 'CAP_NET_ADMIN', state: { capabilities: ['CAP_NET_ADMIN'] }, expected: ['high capabilities'] },
    { description: 'CAP_SYS_ADMIN', state: { capabilities: ['CAP_SYS_ADMIN'] }, expected: ['critical capabilities'] },
    { description: 'the default capabilities', state: { capabilities: DEFAULT_CAPABILITIES }, expected: [] },
  ];
  for (const { description, state, expected } of cases)
    test(`with ${description} has ${expected.join(', ') || 'no finding'}`, () =>
      assert.deepEqual(findingsOf(state), expected));

  test('is privileged if the runtime reports it, or if its settings have the same effect', () => {
    assert.ok(findingsOf({}, { privileged: true }).includes('critical privileged'));
    const open = { capabilities: ['CAP_SYS_ADMIN'], procWritable: true, seccomp: false };
    assert.ok(findingsOf(open, { privileged: null }).includes('critical privileged'));
  });

  test('lists the worst finding first', () => {
    const severities = findingsOf({ euid: 0, hostNamespaces: ['pid'], readOnlyRoot: false }).map(
      (finding) => finding.split(' ')[0],
    );
    assert.deepEqual(severities, ['high', 'medium', 'low']);
  });

  test('reports unused capabilities only if the usage is known, and keeps the used ones', () => {
    const state = createTestState({ capabilities: DEFAULT_CAPABILITIES });
    const used = { names: new Set(['CAP_CHOWN', 'CAP_NET_RAW']), watchedSeconds: 660 };
    const known = postureOf(createTestContainer(), state, used);
    const [unused] = known.findings;
    assert.equal(unused?.id, 'unused-capabilities');
    assert.doesNotMatch(unused?.what ?? '', /CHOWN|NET_RAW/);
    assert.match(unused?.what ?? '', /SETUID.* in the 11 min that it was watched/);
    assert.deepEqual(known.flags, ['--cap-drop ALL', '--cap-add CHOWN', '--cap-add NET_RAW']);
    const unknown = postureOf(createTestContainer(), state, null);
    assert.deepEqual(unknown.findings, []);
    assert.equal(unknown.usageKnown, false);
    assert.ok(unknown.flags.includes('--cap-add SETUID') && !unknown.flags.includes('--cap-add NET_RAW'));
  });

  test('has flags for the container engine, and a security context for a pod', () => {
    const state = createTestState({ euid: 0, readOnlyRoot: false, noNewPrivileges: false, seccomp: false });
    assert.match(
      postureOf(createTestContainer(), state, null).flags.join(' '),
      /--cap-drop ALL --cap-add NET_BIND_SERVICE .*--read-only --tmpfs \/tmp/,
    );
    const { securityContext } = postureOf(createTestContainer({ pod: 'web-0', namespace: 'shop' }), state, null);
    for (const line of [
      '  readOnlyRootFilesystem: true',
      '  allowPrivilegeEscalation: false',
      '    type: RuntimeDefault',
    ])
      assert.ok(securityContext.includes(line), securityContext.join('\n'));
  });
});
