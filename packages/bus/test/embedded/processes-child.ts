/** Opens the bus for writing and says so, or says why not. For each line of its stdin, `TOPIC VALUE`, it produces a record and says the line again. */
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
