import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { BusUnavailableError } from '@ringfence/bus';
import { collect, NOTHING, record, take, text, topic } from '@ringfence/bus/conformance';
import { assertCounted, COUNTING, count, inputs } from '@ringfence/service-kit/conformance';
import { type KafkaCluster, startKafka } from '@ringfence/testkit/servers';
import { openKafkaBus } from '../src/bus.ts';
import { fleetOptions, missing } from './fleet.ts';

const CLIENTS = ['platformatic', 'kafkajs'] as const;
const KEYS = Array.from({ length: 12 }, (_, i) => `host-${i}`);

/** Waits until all threads of a process have stopped. On a busy machine, a thread may still answer after SIGSTOP. */
async function untilStopped(pid: number): Promise<void> {
  const tasks = `/proc/${pid}/task`;
  const isStopped = (task: string): boolean => {
    const stat = `${tasks}/${task}/stat`;
    return !existsSync(stat) || readFileSync(stat, 'utf8').split(') ').at(-1)?.startsWith('T') === true;
  };
  while (!readdirSync(tasks).every(isStopped)) await sleep(20);
}

describe('an outage of the brokers', { skip: missing }, () => {
  let kafka: KafkaCluster;
  before(async () => {
    kafka = await startKafka();
  });
  after(() => kafka[Symbol.asyncDispose]());

  for (const client of CLIENTS) {
    const open = async (overrides = {}) =>
      openKafkaBus(await fleetOptions({ brokers: kafka.bootstrap, client, requestDeadlineMs: 3000, ...overrides }));

    test(`${client}: work continues after a kill -9 of the broker, and every record takes effect once`, async () => {
      // Commits reject long before the broker is back, and the pipeline retries them.
      await using bus = await open({ produceDeadlineMs: 1000 });
      await bus.ensureTopics(COUNTING.topics(3));
      await using consumer = await bus.consumer({ group: COUNTING.group, topics: ['in'], stores: [COUNTING.store] });
      const abort = new AbortController();
      const { promise: working, resolve } = Promise.withResolvers<void>();
      const done = count(consumer, { signal: abort.signal, repeated: true, metrics: { committed: () => resolve() } });
      await bus.produce(inputs(KEYS, 1, 20), 60_000);
      await working;
      const [broker] = kafka.brokers;
      await broker!.stop('SIGKILL');
      const written = bus.produce(inputs(KEYS, 21, 40), 60_000);
      await broker!.start();
      await written;
      await assertCounted(bus, KEYS, 40);
      abort.abort();
      await done;
    });

    test(`${client}: a broker that is stopped or dead is reported within the deadline, and work resumes when it is back`, async () => {
      await using bus = await open({ produceDeadlineMs: 2000 });
      await bus.ensureTopics([topic('t')]);
      await using consumer = await bus.consumer({ group: 'g', topics: ['t'] });
      await bus.produce([record('t', 'k', '1')]);
      await consumer.commit(await take(consumer, 1), NOTHING);
      const [broker] = kafka.brokers;
      broker!.signal('SIGSTOP');
      await untilStopped(broker!.pid!);
      await assert.rejects(bus.produce([record('t', 'k', 'lost')]), BusUnavailableError);
      await assert.rejects(open(), BusUnavailableError);
      broker!.signal('SIGCONT');
      await broker!.stop('SIGKILL');
      await assert.rejects(bus.produce([record('t', 'k', 'gone')]), BusUnavailableError);
      await broker!.start();
      await bus.produce([record('t', 'k', '2')], 60_000);
      const seen: string[] = [];
      while (seen.at(-1) !== '2') seen.push(...(await consumer.poll()).map(text));
      // A write that was reported as failed may have arrived.
      assert.deepEqual(
        seen.filter((value) => value !== 'lost' && value !== 'gone'),
        ['2'],
      );
      assert.equal((await collect(bus.read({ topic: 't' }))).map(text).at(-1), '2');
    });
  }
});

for (const client of CLIENTS)
  test(`${client}: a connection that is reset before the TLS handshake means that the broker is away`, async () => {
    const server = createServer((socket) => socket.resetAndDestroy()).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const brokers = [`127.0.0.1:${(server.address() as AddressInfo).port}`];
    await assert.rejects(openKafkaBus({ brokers, client, tls: {}, requestDeadlineMs: 1000 }), BusUnavailableError);
    server.close();
  });
