import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createServer } from 'node:net';
import { isAbsolute } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Inventory } from '@ringfence/host-facts';
import { buildSensor } from '@ringfence/sensor/build';
import { readable } from '@ringfence/testkit';
import { skip } from '@ringfence/testkit/sensor';
import { inventoryText, socketText } from '../src/inventory/view.ts';
import { assertEscaped, HOSTILE, plain, RINGFENCE } from './support.ts';

/** `ringfence`, also for users who can't enter the folder of this checkout. */
const command = RINGFENCE.map((word) => (isAbsolute(word) ? readable(word) : word));

/** `wrapper`: a command that runs `ringfence inventory`. */
function inventory(args: readonly string[], wrapper: readonly string[] = []): { text: string; code: number | null } {
  const [file = '', ...words] = [...wrapper, ...command, 'inventory', '--config', '/dev/null', ...args];
  const { stdout, stderr, status } = spawnSync(file, words, { encoding: 'utf8', maxBuffer: 64 << 20 });
  return { text: stdout + stderr, code: status };
}

const json = (args: readonly string[], wrapper?: readonly string[]): Inventory => {
  const { text, code } = inventory(['--json', ...args], wrapper);
  assert.equal(code, 0, text);
  return JSON.parse(text) as Inventory;
};

test('inventory escapes control characters in the names of containers and mounts', () => {
  const texts = { id: HOSTILE, name: HOSTILE, image: HOSTILE, runtime: HOSTILE };
  const pod = { pod: HOSTILE, namespace: HOSTILE, serviceAccount: HOSTILE };
  const container = { ...texts, ...pod, privileged: true, startedAt: 0, pids: ['1'], mounts: [] };
  const mount = { point: HOSTILE, filesystem: HOSTILE, source: HOSTILE, root: HOSTILE, options: HOSTILE };
  const found = {
    containers: [container],
    processes: [],
    mountNamespaces: [{ namespace: 1, pids: [1], mounts: [mount] }],
  } as unknown as Inventory;
  const text = inventoryText(found, true, plain);
  assertEscaped(text);
  assert.equal(text.split('\n').length, 9, text);
});

describe('the inventory', { skip }, () => {
  let sleeper: ChildProcess;
  let pid: string;
  before(async () => {
    await buildSensor();
    sleeper = spawn('/bin/sleep', ['1000'], { stdio: 'ignore' });
    pid = String(sleeper.pid);
  });
  after(() => sleeper?.kill('SIGKILL'));

  test('lists a process with its mount namespace, and with --pid no other process', () => {
    const { processes, mountNamespaces, containers } = json(['--pid', pid]);
    assert.deepEqual(
      processes.map((found) => [
        found.pid,
        found.parentPid,
        found.args.join(' '),
        found.euid,
        found.container,
        found.hidden,
      ]),
      [[sleeper.pid, process.pid, '/bin/sleep 1000', 0, null, false]],
    );
    assert.equal(mountNamespaces.length, 1);
    assert.ok(mountNamespaces[0]?.mounts?.some(({ point, filesystem }) => point === '/proc' && filesystem === 'proc'));
    assert.deepEqual(containers, []);
  });

  test('marks a process that a mount over /proc hides', () => {
    const hide = ['unshare', '--mount', 'sh', '-c', `mount -t tmpfs none /proc/${pid} && exec "$@"`, 'sh'];
    const [hidden] = json(['--pid', pid], hide).processes;
    assert.deepEqual([hidden?.hidden, hidden?.args], [true, ['/bin/sleep', '1000']]);
    assert.match(
      inventory([], hide).text,
      new RegExp(`sleep 1000 hidden from /proc[\\s\\S]*1 process hidden from /proc: ${pid}\\b`),
    );
  });

  test('lists open sockets with both ends', async () => {
    const server = createServer().listen(0, '::1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as { port: number };
    const sockets = json(['--pid', String(process.pid)]).processes.flatMap((owner) => owner.sockets);
    server.close();
    const found = sockets.find(({ local }) => local?.port === port);
    assert.ok(found);
    assert.equal(socketText(found), `fd ${found.fd} tcp6 listen [::1]:${port}`);
  });

  test('reports invalid arguments, and that it needs root', () => {
    for (const [args, expected] of [
      [['--pid', 'x'], /--pid x: expected a number from 1 to 4194304/],
      [['--pid', '4194304'], /no process 4194304/],
      [['--container', 'nope'], /no container nope is running/],
    ] as const) {
      const { text, code } = inventory(args);
      assert.equal(code, 1);
      assert.match(text, expected);
    }
    const asNobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', '--'];
    assert.match(inventory([], asNobody).text, /needs root/);
  });
});
