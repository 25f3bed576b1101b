/* Plays an attacker in a process of an `up` that root has started in a terminal, whose shell waits in the session. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { Status } from '@ringfence/runtime/status';
import { compileProgram } from '@ringfence/testkit/sensor';
import { inTerminal } from './lib/program.ts';
import { SERVICES_USER, skip, twoUserInstallation } from './lib/two-users.ts';

const DESCRIPTORS = join(import.meta.dirname, '../../packages/runtime/src/split/descriptors.ts');

describe('an up that was started in a terminal', { skip }, () => {
  test('has no terminal in either process, and Ctrl-C stops it', async () => {
    await using home = twoUserInstallation();
    const up = await home.up([], { terminal: true });
    const { processes } = JSON.parse(await home.output(['status', '--json'])) as Status;
    const terminals = processes.map(({ pid }) =>
      readFileSync(`/proc/${pid}/stat`, 'latin1')
        .replace(/^.*\) /s, '')
        .split(' ')
        .at(4),
    );
    assert.deepEqual(terminals, ['0', '0']);
    up.child.stdin?.write('\x03');
    await up.ended;
    home.assertClean();
  });

  test('can’t type into the terminal, or take it over', async () => {
    await using home = twoUserInstallation();
    const program = join(home.dir, 'takeover');
    compileProgram('takeover', program);
    for (const path of [home.dir, program]) chmodSync(path, 0o755);
    const attack = [
      'setpriv',
      `--reuid=${SERVICES_USER}`,
      '--clear-groups',
      '--no-new-privs',
      program,
      'terminal',
      '1',
    ];
    const code = `
      const { leaveTerminal } = await import(${JSON.stringify(DESCRIPTORS)});
      leaveTerminal();
      process.execve('/usr/bin/env', ${JSON.stringify(['env', ...attack])}, process.env);`;
    const node = [process.execPath, '--conditions=@ringfence/source', '--input-type=module', '--eval', code];
    const [command = '', ...args] = inTerminal(node);
    const { stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', stdio: ['pipe', 'pipe', 'pipe'] });
    assert.deepEqual(
      stdout.split('\r\n').filter((line) => / (terminal|\/dev\/tty) /.test(line)),
      [
        'open /dev/tty ENXIO',
        'type terminal EPERM',
        'foreground terminal ENOTTY',
        'take terminal EPERM',
        'type-as-leader terminal EPERM',
      ],
      stdout + stderr,
    );
  });
});
