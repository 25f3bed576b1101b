/**
 * Acts as an agent on Kafka: ticks twice a second, retries a batch until the brokers have it, and sends a last tick on
 * SIGTERM. Arguments: JSON of brokers, topic prefix, host id and signing key (PKCS#8, PEM).
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { openKafkaBus } from '@ringfence/bus-kafka';
import { createTestHost } from '@ringfence/testkit';
import { importSigningKey, TOPIC } from '@ringfence/wire';

const TICK_S = 0.5;
const AGAIN_MS = 100;
const { brokers, topicPrefix, hostId, key } = JSON.parse(process.argv[2] ?? '{}') as Record<string, string> & {
  readonly brokers: readonly string[];
};
const ktime = 3_600_000_000;
const host = createTestHost({
  ...{ hostId: hostId ?? '', bootId: `boot-${hostId}`, ktime, wallOffset: Date.now() * 1000 - ktime },
  key: importSigningKey(key ?? ''),
});
const leaving = new AbortController();
// The parent is gone: stop as well.
process.stdin
  .resume()
  .once('end', () => process.exit())
  .unref();
process.once('SIGTERM', () => leaving.abort());
await using bus = await openKafkaBus({ brokers, topicPrefix: topicPrefix ?? '' });
for (let last = false; !last; ) {
  last = leaving.signal.aborted;
  host.tick(TICK_S, last);
  const value = host.batch();
  for (let sent = false; !sent; ) {
    sent = await bus.produce([{ topic: TOPIC.raw, key: host.hostId, value }]).then(
      () => true,
      () => false,
    );
    if (!sent) await sleep(AGAIN_MS);
  }
  if (!last) await sleep(TICK_S * 1000, undefined, { signal: leaving.signal }).catch(() => {});
}
