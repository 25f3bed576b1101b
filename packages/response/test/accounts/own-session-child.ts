/** Locks the account whose login session this process is in: `own-session-child.ts ROOT`. */
import { lockKind } from '../../src/accounts/lock.ts';
import { RunKind } from '../files/run-kind.ts';

const lock = new RunKind(lockKind({ hostRoot: process.argv[2] ?? '', graceMs: 100 }));
const plan = await lock.plan({ name: 'eve' });
const { outcome, facts } = await lock.run({ name: 'eve' });
process.stdout.write(`${outcome} ${plan.spared.length} ${facts['left']}\n`);
