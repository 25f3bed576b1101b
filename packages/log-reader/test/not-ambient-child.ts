/**
 * Acts like a program whose file has capabilities: this process has them, but its children have none. Prints how its
 * journalctl ended, as JSON.
 */

import { silentLog, Tallies } from '@ringfence/base';
import koffi from 'koffi';
import { JournalSource } from '../src/journal-source.ts';

const NOBODY = 65_534;
/** include/uapi/linux/prctl.h, securebits.h: keeps all capabilities when the user id changes. */
const [PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP] = [28, 4];
const prctl = koffi.load('libc.so.6').func('int prctl(int, ulong, ulong, ulong, ulong)');
if (prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP, 0, 0, 0) !== 0) throw new Error('prctl was refused');
process.setuid?.(NOBODY);

const warn = (facts: object): void => void process.stdout.write(JSON.stringify(facts));
new JournalSource(
  { bootId: '', log: { ...silentLog, warn }, events: new Tallies(), wake: () => {}, command: 'true' },
  '',
);
