/** Runs the enricher on a bus until nothing is left, or kills itself at a named point. Arguments: bus path, key (PEM, base64), failpoint, how manieth time. */
import { createPublicKey } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { openEmbeddedBus } from '@ringfence/bus';
import { startEnricher } from '../src/main.ts';

const [path = '', pem = '', point = '', nth = '1'] = process.argv.slice(2);
const key = createPublicKey(Buffer.from(pem, 'base64').toString());
const bus = await openEmbeddedBus({ path });
let left = Number(nth);
const enricher = await startEnricher({
  bus,
  enrolment: { keyFor: () => key },
  failpoint: (name) => {
    if (name === point && --left === 0) process.kill(process.pid, 'SIGKILL');
  },
});
while ([...(await bus.lag('enricher')).values()].some((records) => records > 0)) await sleep(5);
await enricher.close();
await bus.close();
