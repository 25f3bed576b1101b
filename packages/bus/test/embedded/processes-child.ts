/** Opens the bus for writing and says so, or says why not. With `hold` it keeps it and produces a record for each line of its stdin. */
import { createInterface } from 'node:readline';
import { openEmbeddedBus } from '../../src/embedded/bus.ts';
import { BusLockedError } from '../../src/errors.ts';
import { createTopic } from './harness.ts';

const [path = ''] = process.argv.slice(2);
try {
  await using bus = await openEmbeddedBus({ path });
  await bus.ensureTopics([createTopic('t')]);
  process.stdout.write('open\n');
  for await (const line of createInterface(process.stdin)) {
    await bus.produce([{ topic: 't', key: 'k', value: Buffer.from(line) }]);
    process.stdout.write(`${line}\n`);
  }
} catch (error) {
  if (!(error instanceof BusLockedError)) throw error;
  process.stdout.write(`${error.code} ${error.pid}\n`);
}
