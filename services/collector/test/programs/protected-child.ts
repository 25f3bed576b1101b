/**
 * Run as pid 1 of a pid namespace with its own /proc. Starts a command with `sh -c`, and prints as JSON why the
 * process that runs from FILE is protected:
 *
 *     protected-child.ts ROOT FILE COMMAND
 */
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FoundProcess } from '@ringfence/response';
import { protection } from '@ringfence/response';
import { findInProc } from '../proc.ts';

const [root = '/', file = '', command = ''] = process.argv.slice(2);
spawn('sh', ['-c', command], { stdio: ['ignore', 'ignore', 'inherit'] });
const isTarget = ({ executable }: FoundProcess): boolean => executable.startsWith(file);
let target: FoundProcess | undefined;
while (target === undefined) {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && name !== '1');
  target = pids.flatMap((pid) => findInProc(Number(pid)) ?? []).find(isTarget);
  await sleep(20);
}
process.stdout.write(JSON.stringify(protection(findInProc, { root, self: 0 })(target)));
process.exit();
