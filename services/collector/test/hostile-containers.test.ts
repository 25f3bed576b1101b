import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { records } from '@ringfence/schema';
import { ContainerSource } from '../src/context/containers.ts';
import type { Description } from '../src/context/description.ts';
import { matchRuntime } from '../src/context/runtimes.ts';
import { readBounded } from '../src/files.ts';
import type { Source } from '../src/steps/transcode.ts';

const ID = 'a1'.repeat(32);
const TOKEN_AT = '/var/run/secrets/kubernetes.io/serviceaccount';

/** As the sensor tells it: root executes `argv`. */
function execOf(executable: string, argv: readonly string[], cwd: string): Source {
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

describe('what containers have a say in', () => {
  let root = '';
  before(() => {
    root = mkdtempSync(join(tmpdir(), 'ringfence-hostile-'));
  });
  after(() => rmSync(root, { recursive: true }));

  const write = (name: string, content: unknown): void => {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), JSON.stringify(content));
  };

  function describePod(spec: object): Description | null {
    write(`run/containerd/io.containerd.runtime.v2.task/k8s.io/${ID}/config.json`, { process: {}, ...spec });
    return matchRuntime(`/kubepods/pod1/${ID}`)?.runtime.describe(ID, { root, dockerRoots: [] }) ?? null;
  }

  it('is no pipe that stands where a token should: nobody is waited for', async () => {
    const volume = '/var/lib/kubelet/pods/p1/volumes/empty';
    mkdirSync(join(root, volume), { recursive: true });
    const pipe = join(root, volume, 'token');
    execFileSync('mkfifo', [pipe]);
    const claims = { 'kubernetes.io': { serviceaccount: { name: 'till' } } };
    const token = `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.x`;
    // Whoever opens the pipe is served, so that a reader who would wait reads something instead.
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

  it('is no device, which may act on being opened', () => {
    symlinkSync('/dev/zero', join(root, 'device'));
    assert.equal(readBounded(join(root, 'device'), 10), null);
    assert.equal(readBounded('/dev', 10), null);
    assert.ok(readBounded('/proc/self/status', 65_536));
  });

  it('has names that no file can have', () => {
    const long = 'x'.repeat(300);
    symlinkSync('loop', join(root, 'loop'));
    for (const source of [`/${long}`, '/loop', '/nul\0'])
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
      places: { root, dockerRoots: [] },
    });
    const run = (...args: string[]): void =>
      containers.executed(execOf('/tmp/runc', ['runc', 'run', ...args], '/'), 0, 1);
    run('--bundle', `/${long}`, 'job');
    run('--bundle', '/loop', 'job');
    run(long);
    containers.close();
  });
});
