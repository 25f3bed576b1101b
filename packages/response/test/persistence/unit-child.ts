/**
 * Reverts a unit on a machine with systemd, takes that back, and prints a line of JSON after each step:
 * `unit-child.ts NAME`.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { revertKind } from '../../src/persistence/revert.ts';
import { RunKind } from '../files/run-kind.ts';

const name = process.argv[2] ?? '';
const path = `/etc/systemd/system/${name}`;
const systemctl = ['/usr/bin/systemctl'];
const ask = (...args: string[]): string => spawnSync('systemctl', args, { encoding: 'utf8' }).stdout.trim();
const state = (): object => ({
  active: ask('is-active', name),
  known: ask('show', '--value', '-p', 'LoadState', name),
  enabled: existsSync(`/etc/systemd/system/machine.target.wants/${name}`),
});
const print = (step: string, result: object): void => {
  process.stdout.write(`${JSON.stringify({ step, ...result, ...state() })}\n`);
};

const revert = new RunKind(revertKind({ vault: join(mkdtempSync('/var/tmp/rf-'), 'vault'), systemctl }));
print('before', {});
print('reverted', await revert.run({ what: 'unit', path }));
print('undone', await revert.undo());
