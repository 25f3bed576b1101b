import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { catalogue, type FieldValue } from '@ringfence/fields';
import { createSyntheticHost, type SyntheticHost, type SyntheticProcess } from '@ringfence/synthetic';
import { EventView, KIND, u64FromBigInt } from '@ringfence/wire';
import { createTestEnricher, records } from './support.ts';

const CGROUP = 9n;
const NAMESPACES = { mnt: 5, pid: 50, net: 5, user: 5, uts: 5, ipc: 5, cgroup: 5, pidInNs: 1 };

/** Returns fields of the last exec, as rules read them. */
function fieldsOfExec(host: SyntheticHost, names: readonly string[]): Record<string, FieldValue> {
  const { outputs } = createTestEnricher(host).handle(records(host, [host.batch()]));
  const view = new EventView();
  let found: Record<string, FieldValue> = {};
  for (const { value } of outputs) {
    view.open(value as Buffer);
    while (view.next()) {
      if (view.cursor.kind !== KIND.Exec) continue;
      found = Object.fromEntries(names.map((name) => [name, fieldOf(view, name)]));
    }
  }
  return found;
}

function fieldOf(view: EventView, name: string): FieldValue {
  const [, base = name, key] = /^(.*)\[(.*)\]$/.exec(name) ?? [];
  const field = catalogue.fields.find((candidate) => candidate.name === base || candidate.aliases?.includes(base));
  assert.ok(field, name);
  return field.get(view, key);
}

describe('fields of a container', () => {
  test('describe it under the names of ECS and Falco', () => {
    const host = createSyntheticHost();
    host.container({
      cgroup: CGROUP,
      imageId: 'sha256:aa',
      imageDigests: ['sha256:bb'],
      capabilities: u64FromBigInt(1n << 12n),
      mounts: [
        { source: '/etc', destination: '/host', readonly: true },
        { source: '/srv', destination: '/srv', readonly: false },
      ],
      namespaces: ['network=host', 'ipc=shared'],
      pod: 'web-0',
      podUid: 'u1',
      namespace: 'shop',
      serviceAccount: 'till',
      podLabels: { app: 'shop' },
    });
    host.exec(host.fork(host.init, { cgroup: CGROUP }), '/bin/x');
    const expected = {
      'container.image.id': 'sha256:aa',
      'container.image.hash.all': ['sha256:bb'],
      'container.image.digest': ['sha256:bb'],
      'container.capabilities': ['CAP_NET_ADMIN'],
      'container.mount.source': ['/etc', '/srv'],
      'container.mount.dest': ['/host', '/srv'],
      'container.mount.writable': ['/srv'],
      'container.host_network': true,
      'container.host_ipc': false,
      'container.host_pid': false,
      'container.duration': undefined,
      'k8s.pod.name': 'web-0',
      'k8s.pod.uid': 'u1',
      'k8s.ns.name': 'shop',
      'k8s.sa.name': 'till',
      'k8s.pod.label[app]': 'shop',
      'orchestrator.resource.label[other]': undefined,
    };
    assert.deepEqual(fieldsOfExec(host, Object.keys(expected)), expected);
  });

  test('are missing if they are unknown; labels of earlier agents are still read', () => {
    const host = createSyntheticHost();
    host.container({ cgroup: CGROUP, labels: { 'io.kubernetes.pod.name': 'old-0' } });
    host.exec(host.fork(host.init, { cgroup: CGROUP }), '/bin/x');
    assert.deepEqual(
      fieldsOfExec(host, ['container.image.hash.all', 'container.capabilities', 'k8s.pod.name', 'k8s.sa.name']),
      {
        'container.image.hash.all': undefined,
        'container.capabilities': undefined,
        'k8s.pod.name': 'old-0',
        'k8s.sa.name': undefined,
      },
    );
  });

  const cases: readonly {
    readonly description: string;
    readonly namespaces?: readonly string[];
    readonly run: (host: SyntheticHost, shim: SyntheticProcess) => void;
    readonly expected: string | undefined;
  }[] = [
    {
      description: "the container's own program",
      run: (host, shim) => host.exec(host.fork(shim, { cgroup: CGROUP }), '/app', { namespaces: NAMESPACES }),
      expected: 'entrypoint',
    },
    {
      description: "a child of the container's own program",
      run: (host, shim) => {
        const app = host.exec(host.fork(shim, { cgroup: CGROUP }), '/app', { namespaces: NAMESPACES });
        host.exec(host.fork(app, { cgroup: CGROUP }), '/bin/sh', { namespaces: { ...NAMESPACES, pidInNs: 8 } });
      },
      expected: 'entrypoint',
    },
    {
      description: 'a program that a runtime starts in it later',
      run: (host, shim) =>
        host.exec(host.fork(shim, { cgroup: CGROUP }), '/bin/sh', { namespaces: { ...NAMESPACES, pidInNs: 9 } }),
      expected: 'exec',
    },
    {
      description: 'the runtime itself, in the cgroup but not yet in the namespaces',
      run: (host, shim) => host.exec(host.fork(shim, { cgroup: CGROUP }), '/proc/self/exe'),
      expected: undefined,
    },
    {
      description: "a container with the host's process numbers",
      namespaces: ['pid=host'],
      run: (host, shim) => host.exec(host.fork(shim, { cgroup: CGROUP }), '/app', { namespaces: NAMESPACES }),
      expected: undefined,
    },
  ];
  for (const { description, namespaces = [], run, expected } of cases) {
    test(`container.entry of ${description} is ${expected ?? 'missing'}`, () => {
      const host = createSyntheticHost();
      host.container({ cgroup: CGROUP, namespaces: [...namespaces] });
      run(host, host.spawn(host.init, '/usr/bin/containerd-shim'));
      assert.deepEqual(fieldsOfExec(host, ['container.entry']), { 'container.entry': expected });
    });
  }
});
