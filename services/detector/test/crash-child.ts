/**
 * Runs the detector on a bus until no records are left, or kills itself at a failpoint. Arguments: bus path, rule file,
 * failpoint, and the number of the visit at which to die.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { openEmbeddedBus } from '@ringfence/bus';
import { startDetector } from '../src/index.ts';

const [path = '', rules = '', point = '', nth = '1'] = process.argv.slice(2);
const bus = await openEmbeddedBus({ path });
let left = Number(nth);
const detector = await startDetector({
  bus,
  rulePaths: [rules],
  watchRules: false,
  failpoint: (name) => {
    if (name === point && --left === 0) process.kill(process.pid, 'SIGKILL');
  },
});
// The second stage writes records for the first one.
const isBehind = async (group: string): Promise<boolean> =>
  [...(await bus.lag(group)).values()].some((records) => records > 0);
while ((await isBehind('detector')) || (await isBehind('detector-edges')) || (await isBehind('detector')))
  await sleep(5);
await detector.close();
await bus.close();
