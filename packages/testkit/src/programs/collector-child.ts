/**
 * A collector in a separate process, which a test can kill. Arguments: directory, pin path, bus file; then, to kill
 * itself, a failpoint and how often to pass it first. Prints "ready" when the sensor is attached; SIGTERM ends it.
 */
import { openEmbeddedBus } from '@ringfence/bus';
import { topicsWith } from '@ringfence/wire';
import { startTestCollector, type TestPlace } from '../agent.ts';

const [directory = '', pinPath = '', path = '', point = '', passes = '0'] = process.argv.slice(2);
const bus = await openEmbeddedBus({ path });
await bus.ensureTopics(topicsWith(1));
let ready = false;
let left = Number(passes);
const failpoint = (name: string): void => {
  if (ready && name === point && left-- === 0) process.kill(process.pid, 'SIGKILL');
};
const collector = await startTestCollector({ directory, pinPath } as TestPlace, bus, {}, { failpoint });
ready = true;
process.once('SIGTERM', async () => {
  await collector.close();
  await bus.close();
});
process.stdout.write('ready\n');
await collector.done;
