/** A collector in a process of its own, to be killed. argv: directory, pin path, bus file. Prints "ready" when the sensor is in place. */
import { openEmbeddedBus } from '@ringfence/bus';
import { topics } from '@ringfence/schema';
import { startTestCollector, type TestPlace } from '../support.ts';

const [directory = '', pinPath = '', path = ''] = process.argv.slice(2);
const bus = await openEmbeddedBus({ path });
await bus.ensureTopics(topics);
const collector = await startTestCollector({ directory, pinPath } as TestPlace, bus);
process.stdout.write('ready\n');
await collector.done;
