import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { after, before, describe, test } from 'node:test';
import type { Inventory } from '@ringfence/collector';
import { readable } from '@ringfence/testkit';
import { skip } from '../../test/kernel/sensor/sensor.ts';
import { buildSensor } from '../../tools/build-sensor.ts';
import { inventoryText, socketText } from '../src/view/inventory.ts';
import { paintFor } from '../src/view/paint.ts';

const MAIN = join(import.meta.dirname, '../src/main.ts');
const flags = ['--conditions=@ringfence/source', readable(MAIN), 'inventory', '--config', '/dev/null'];
const command = [readable(process.execPath), ...flags];

function inventory(args: readonly string[], inFront: readonly string[] = []): { text: string; code: number | null } {
  const [file = '', ...rest] = [...inFront, ...command, ...args];
  const { stdout, stderr, status } = spawnSync(file, rest, { encoding: 'utf8', maxBuffer: 64 << 20 });
  return { text: stdout + stderr, code: status };
}

const json = (args: readonly string[], inFront?: readonly string[]): Inventory => {
  const { text, code } = inventory(['--json', ...args], inFront);
  assert.equal(code, 0, text);
  return JSON.parse(text) as Inventory;
};

test('whatever names containers and mounts have, none is an order to the terminal', () => {
  const hostile = 'a\u001b[2J\n\u202e';
  const texts = { id: hostile, name: hostile, image: hostile, runtime: hostile };
  const pod = { pod: hostile, namespace: hostile, serviceAccount: hostile };
  const container = { ...texts, ...pod, privileged: true, startedAt: 0, pids: ['1'], mounts: [] };
  const mount = { point: hostile, filesystem: hostile, source: hostile, root: hostile, options: hostile };
  const inventory = {
    containers: [container],
    processes: [],
    mountNamespaces: [{ namespace: 1, pids: [1], mounts: [mount] }],
  } as unknown as Inventory;
  const text = inventoryText(inventory, true, paintFor(new Writable()));
  // biome-ignore lint/suspicious/noControlCharactersInRegex: what must not be there
  assert.doesNotMatch(text, /[\u0000-\u0009\u000b-\u001f\u202e]/);
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

  test('has a process as it is, its mount namespace, and no other', () => {
    const { processes, mountNamespaces, containers } = json(['--pid', pid]);
    assert.deepEqual(
      processes.map((one) => [one.pid, one.parentPid, one.args.join(' '), one.euid, one.container, one.hidden]),
      [[sleeper.pid, process.pid, '/bin/sleep 1000', 0, null, false]],
    );
    assert.equal(mountNamespaces.length, 1);
    assert.ok(mountNamespaces[0]?.mounts?.some(({ point, filesystem }) => point === '/proc' && filesystem === 'proc'));
    assert.deepEqual(containers, []);
  });

  test('shows a process that something mounted over /proc hides', () => {
    const hide = ['unshare', '--mount', 'sh', '-c', `mount -t tmpfs none /proc/${pid} && exec "$@"`, 'sh'];
    const [hidden] = json(['--pid', pid], hide).processes;
    assert.deepEqual([hidden?.hidden, hidden?.args], [true, ['/bin/sleep', '1000']]);
    assert.match(
      inventory([], hide).text,
      new RegExp(`sleep 1000 not in /proc[\\s\\S]*1 of them are not in /proc: ${pid}\\b`),
    );
  });

  test('has open sockets with both ends', async () => {
    const server = createServer().listen(0, '::1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as { port: number };
    const sockets = json(['--pid', String(process.pid)]).processes.flatMap((one) => one.sockets);
    server.close();
    const found = sockets.find(({ local }) => local?.port === port);
    assert.ok(found);
    assert.equal(socketText(found), `fd ${found.fd} tcp6 listen [::1]:${port}`);
  });

  test('says what is wrong with what was asked for', () => {
    for (const [args, expected] of [
      [['--pid', 'x'], /--pid x: expected a number from 1 to 4194304/],
      [['--pid', '4194304'], /there is no process 4194304/],
      [['--container', 'nope'], /no container nope runs/],
    ] as const) {
      const { text, code } = inventory(args);
      assert.equal(code, 1);
      assert.match(text, expected);
    }
    const nobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', '--'];
    assert.match(inventory([], nobody).text, /needs root/);
  });
});
