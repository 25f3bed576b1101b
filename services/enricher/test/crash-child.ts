/**
 * Runs the enricher on a bus until the lag is 0, or kills itself at a failpoint. Arguments: path of the bus, key (PEM,
 * base64), failpoint, at which occurrence of it.
 */
import { createPublicKey } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { openEmbeddedBus } from '@ringfence/bus';
import { startEnricher } from '../src/main.ts';

const [path = '', pem = '', point = '', nth = '1'] = process.argv.slice(2);
const key = createPublicKey(Buffer.from(pem, 'base64').toString());
const bus = await openEmbeddedBus({ path });
let remaining = Number(nth);
const enricher = await startEnricher({
  bus,
  enrolment: { keyFor: () => key },
  failpoint: (name) => {
    if (name === point && --remaining === 0) process.kill(process.pid, 'SIGKILL');
  },
});
while ([...(await bus.lag('enricher')).values()].some((records) => records > 0)) await sleep(5);
await enricher.close();
await bus.close();
