/**
 * Runs in a mount namespace with a /run of its own: with a real journald and journalctl, and lines from logger. Prints
 * what arrived on the bus, as JSON.
 */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { silentLog } from '@ringfence/base';
import { identity, memoryBus } from '@ringfence/testkit/agent';
import { LogReader } from '../src/log-reader.ts';
import { linesOn } from './support.ts';

const CONFIG = '[Journal]\nAudit=\nReadKMsg=no\nStorage=volatile\n';
mkdirSync('/run/systemd/journald.conf.d', { recursive: true });
writeFileSync('/run/systemd/journald.conf.d/test.conf', CONFIG);
mkdirSync('/run/log/journal', { recursive: true });
const journald = spawn(process.argv[2] ?? '', [], { stdio: 'ignore' });
while (!existsSync('/run/systemd/journal/dev-log')) await sleep(20);

const writeEntry = (facility: string, text: string): void => {
  const args = ['-u', '/run/systemd/journal/dev-log', '-p', `${facility}.info`, '-t', 'sshd', text];
  execFileSync('logger', args);
};
const bootId = readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
const stateDir = mkdtempSync(join(tmpdir(), 'ringfence-journal-'));
const bus = await memoryBus();
const start = (): LogReader =>
  new LogReader({
    options: { files: [], journald: 'auto', linesPerSecond: 1000, pollMs: 5 },
    stateDir,
    bus,
    identity: { ...identity, bootId },
    log: silentLog,
  });

/** Kills the reader's journalctl. Returns its permitted, bounding and inheritable capabilities. */
function killJournalctl(): string[] {
  const children = readdirSync(`/proc/self/task`).flatMap((tid) =>
    readFileSync(`/proc/self/task/${tid}/children`, 'latin1')
      .split(' ')
      .filter((child) => child !== ''),
  );
  const pid = children.find((child) => readFileSync(`/proc/${child}/comm`, 'latin1').trim() === 'journalctl');
  const sets = [...readFileSync(`/proc/${pid}/status`, 'latin1').matchAll(/^Cap(?:Prm|Bnd|Inh):\s*(\w+)/gm)];
  process.kill(Number(pid), 'SIGKILL');
  return sets.map(([, set = '']) => set.replace(/^0+/, ''));
}

try {
  writeEntry('authpriv', 'before the first start');
  // The first start requests entries with a resolution of one second.
  await sleep(1100);
  const first = start();
  writeEntry('authpriv', 'one');
  writeEntry('user', 'of no interest');
  writeEntry('auth', 'two \x1b[31mred');
  await linesOn(bus, 2);
  const capabilities = killJournalctl();
  writeEntry('cron', 'three');
  await linesOn(bus, 3);
  const happened = first.stats().logEvents;
  await first.close();
  writeEntry('auth', 'four');
  const second = start();
  const documents = await linesOn(bus, 4);
  await second.close();
  process.stdout.write(JSON.stringify({ documents, happened, capabilities }));
} finally {
  journald.kill();
  rmSync(stateDir, { recursive: true });
}
