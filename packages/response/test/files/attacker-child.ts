/** Attacks a file until it is killed: `attacker-child.ts swap|rewrite|write FILE VICTIM`. */
import { openSync, renameSync, symlinkSync, unlinkSync, writeFileSync, writeSync } from 'node:fs';

const [how, path = '', victim = ''] = process.argv.slice(2);
const attempt = (call: () => void): void => {
  try {
    call();
  } catch {
    // The file is not there for a moment.
  }
};
let round = 0;

const ATTACKS: Readonly<Record<string, () => void>> = {
  swap: () => {
    attempt(() => renameSync(path, `${path}.aside`));
    attempt(() => symlinkSync(victim, path));
    attempt(() => unlinkSync(path));
    attempt(() => renameSync(`${path}.aside`, path));
  },
  rewrite: () => {
    writeFileSync(`${path}.new`, `other ${round++}`);
    renameSync(`${path}.new`, path);
  },
  write: () => {
    writeSync(descriptor, `${round++}`, 0);
  },
};

const descriptor = how === 'write' ? openSync(path, 'r+') : -1;
process.stdout.write('attacking\n');
for (;;) ATTACKS[how ?? '']?.();
