import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { MAX_RECORD_BYTES } from '@ringfence/bus';
import { ContainerSource, findUnmanagedContainer, matchRuntime } from '@ringfence/host-facts';
import { type ContainerDescription, readBounded } from '@ringfence/host-kit';
import type { RecordSource } from '@ringfence/sensor';
import { identity } from '@ringfence/testkit/agent';
import { records } from '@ringfence/wire';
import { Batch, type SignedBatch } from '../src/delivery/batch.ts';
import { AgentEvents } from '../src/steps/agent-events.ts';

const ID = 'a1'.repeat(32);
const TOKEN_AT = '/var/run/secrets/kubernetes.io/serviceaccount';

/** Returns the sensor's record of an exec by root. */
function execOf(executable: string, argv: readonly string[], cwd: string): RecordSource {
  const texts = [
    [records.EXEC_PATH, executable],
    [records.EXEC_ARGV, argv.join('\0')],
    [records.EXEC_CWD, cwd],
  ] as const;
  const bytes = Buffer.concat([Buffer.alloc(records.SIZEOF_EXEC), ...texts.map(([, text]) => Buffer.from(text))]);
  let end = records.SIZEOF_EXEC;
  for (const [at, text] of texts) {
    bytes.writeUInt32LE(end, at + records.TEXT_OFFSET);
    bytes.writeUInt32LE(text.length, at + records.TEXT_KEPT);
    end += text.length;
  }
  return { bytes, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.length) };
}

describe('input that a container controls', () => {
  let root = '';
  before(() => {
    root = mkdtempSync(join(tmpdir(), 'ringfence-hostile-'));
  });
  after(() => rmSync(root, { recursive: true }));

  const write = (name: string, content: unknown): void => {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), JSON.stringify(content));
  };

  function describePod(spec: object): ContainerDescription | null {
    write(`run/containerd/io.containerd.runtime.v2.task/k8s.io/${ID}/config.json`, { process: {}, ...spec });
    return matchRuntime(`/kubepods/pod1/${ID}`)?.runtime.describe(ID, { root, dockerRoots: [] }) ?? null;
  }

  it('cannot block the agent with a pipe in place of a token', async () => {
    const volume = '/var/lib/kubelet/pods/p1/volumes/kubernetes.io~projected/token';
    mkdirSync(join(root, volume), { recursive: true });
    const pipe = join(root, volume, 'token');
    execFileSync('mkfifo', [pipe]);
    const claims = { 'kubernetes.io': { serviceaccount: { name: 'till' } } };
    const token = `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.x`;
    // The writer serves the pipe, so that a reader that wrongly opens it gets a token and does not hang.
    const writer = spawn('sh', ['-c', 'printf %s "$0" > "$1"', token, pipe], { stdio: 'ignore' });
    try {
      const found = describePod({
        annotations: { 'io.kubernetes.pod.name': 'web-0' },
        mounts: [{ destination: TOKEN_AT, source: volume }],
      });
      assert.deepEqual([found?.pod, found?.serviceAccount], ['web-0', '']);
      assert.equal(writer.exitCode, null);
    } finally {
      writer.kill('SIGKILL');
    }
  });

  it('cannot make the agent open a device, which may act on being opened', () => {
    symlinkSync('/dev/zero', join(root, 'device'));
    assert.equal(readBounded(join(root, 'device'), 10), null);
    assert.equal(readBounded('/dev', 10), null);
    assert.ok(readBounded('/proc/self/status', 65_536));
  });

  it('fits a record of the bus behind a full batch, however large its labels and mounts are', () => {
    const long = (count: number, length: number): string[] =>
      Array.from({ length: count }, (_, index) => `/${index}${'\u20ac'.repeat(length)}`);
    const names = Object.fromEntries(long(100, 500).map((name) => [name, name]));
    const mounts = long(100, 4000).map((path) => ({ destination: path, source: path }));
    const annotations = { ...names, 'io.kubernetes.cri-o.Labels': JSON.stringify(names) };
    const found = describePod({ annotations, mounts });
    assert.ok(found);
    const batch = new Batch({ ...identity, run: Buffer.alloc(8) }, identity.key, 512 * 1024);
    const agentEvents = new AgentEvents(batch, () => 1);
    for (let uid = 0; uid < 490; uid++) agentEvents.user(uid, 'x'.repeat(1000));
    agentEvents.container({ ...found, cgroupId: 1n, id: ID, runtime: 'docker', described: true, path: '/x' });
    const [{ bytes, events }] = batch.takeFinished() as readonly [SignedBatch];
    assert.equal(events, 491);
    assert.ok(bytes.length < MAX_RECORD_BYTES, `${bytes.length} bytes`);
  });

  it('may be a cgroup path of any depth: only its outer cgroups are looked up', () => {
    write('run/crun/deep/status', { 'cgroup-path': `${'/a'.repeat(40)}/deep`, bundle: '/' });
    assert.equal(findUnmanagedContainer(`${'/a'.repeat(40)}/deep`, { root, dockerRoots: [] }), null);
    write('run/crun/flat/status', { 'cgroup-path': '/a/flat', bundle: '/' });
    assert.equal(findUnmanagedContainer(`/a/flat${'/a'.repeat(40)}`, { root, dockerRoots: [] })?.id, 'flat');
  });

  it('cannot fill the memory with short-lived cgroups: old ones are evicted as fast as new ones come', () => {
    let next = 2 ** 40;
    const containers = new ContainerSource({
      fileDirectories: [],
      onUnsafe: assert.fail,
      onUnreadable: assert.fail,
      roots: { root, dockerRoots: [] },
      creationOf: (id) => ({ path: `/lxc.payload.${id}`, ktime: 1 }),
    });
    for (let tick = 0; tick < 30; tick++) {
      for (let made = 0; made < 1000; made++, next++)
        containers.onEvent(next % 2 ** 32, Math.floor(next / 2 ** 32), 1, false);
      containers.tick();
    }
    assert.ok(containers.count <= 10_000, `${containers.count} are kept`);
    containers.close();
  });

  it('may contain paths that no file can have', () => {
    const long = 'x'.repeat(300);
    symlinkSync('loop', join(root, 'loop'));
    const volumes = '/pods/p1/volumes/kubernetes.io~secret';
    for (const source of [`${volumes}/${long}`, `/loop${volumes}/x`, `${volumes}/nul\0`])
      assert.equal(
        describePod({
          annotations: { 'io.kubernetes.pod.name': 'web-0' },
          mounts: [{ destination: TOKEN_AT, source }],
        })?.serviceAccount,
        '',
      );
    const containers = new ContainerSource({
      fileDirectories: [],
      onUnsafe: assert.fail,
      onUnreadable: assert.fail,
      roots: { root, dockerRoots: [] },
    });
    const run = (...args: string[]): void =>
      containers.onExec(execOf('/tmp/runc', ['runc', 'run', ...args], '/'), 0, 1);
    run('--bundle', `/${long}`, 'job');
    run('--bundle', '/loop', 'job');
    run(long);
    containers.close();
  });
});
