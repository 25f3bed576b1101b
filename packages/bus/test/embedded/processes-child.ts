/**
 * Opens the bus for writing: node processes-child.ts PATH. Prints `open`, or the error. For each line `TOPIC VALUE` on
 * stdin it produces a record and prints the line.
 */
import { createInterface } from 'node:readline';
import { createTopic } from '@ringfence/testkit/bus';
import { openEmbeddedBus } from '../../src/embedded/bus.ts';
import { BusLockedError } from '../../src/errors.ts';

const [path = ''] = process.argv.slice(2);
try {
  await using bus = await openEmbeddedBus({ path });
  await bus.ensureTopics([createTopic('a'), createTopic('b')]);
  process.stdout.write('open\n');
  for await (const line of createInterface(process.stdin)) {
    const [topic = '', value = ''] = line.split(' ');
    await bus.produce([{ topic, key: 'k', value: Buffer.from(value) }]);
    process.stdout.write(`${line}\n`);
  }
} catch (error) {
  if (!(error instanceof BusLockedError)) throw error;
  process.stdout.write(`${error.code} ${error.pid}\n`);
}
