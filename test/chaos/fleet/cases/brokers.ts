import { setTimeout as sleep } from 'node:timers/promises';
import type { ChaosCase } from '../lib/case.ts';
import { onSmallDisk } from '../lib/small-disk.ts';

const killed: ChaosCase = {
  name: 'broker-killed',
  title: 'kill -9 of one broker after the other, each started again',
  async run({ servers }, { pick }) {
    const { brokers } = servers.kafka;
    for (let n = 0; n < pick(1, 9); n++) {
      const broker = brokers[n % brokers.length];
      await broker?.stop('SIGKILL');
      await sleep(2000);
      await broker?.start();
      // Until its replicas have caught up, the next one would be the second that is gone.
      await sleep(3000);
    }
  },
};

const twoOfThree: ChaosCase = {
  name: 'two-brokers-gone',
  title: 'two of three brokers killed at once: no quorum, nothing can be written; then both are back',
  async run({ servers }, { pick }) {
    const gone = servers.kafka.brokers.slice(0, 2);
    for (let n = 0; n < pick(1, 3); n++) {
      await Promise.all(gone.map((broker) => broker.stop('SIGKILL')));
      await sleep(pick(8000, 60_000));
      await Promise.all(gone.map((broker) => broker.start()));
      await sleep(3000);
    }
  },
};

const isr: ChaosCase = {
  name: 'isr-below-minimum',
  title: 'three copies asked for and a broker gone: the two that are there refuse every record',
  async run(fleet, { pick }) {
    const [, , third] = fleet.servers.kafka.brokers;
    await fleet.makeTopics(3);
    await third?.stop('SIGKILL');
    await sleep(pick(10_000, 60_000));
    await third?.start();
    await sleep(2000);
    await fleet.makeTopics();
  },
};

const diskFull: ChaosCase = {
  name: 'broker-disk-full',
  title: 'the disks of two brokers are full: they end themselves; then there is room again',
  async run({ servers }, { pick, say }) {
    const [first, second] = servers.kafka.brokers;
    if (first === undefined || second === undefined) throw new Error('three brokers are needed');
    await using one = await onSmallDisk(first);
    await sleep(5000);
    await using other = await onSmallDisk(second);
    await sleep(5000);
    one.fill();
    other.fill();
    await sleep(pick(20_000, 60_000));
    say([first, second].map(({ id, pid }) => `broker ${id} ${pid === undefined ? 'has ended' : 'runs'}`).join(', '));
    one.clear();
    other.clear();
    for (const broker of [first, second]) {
      await broker.stop('SIGKILL');
      await broker.start();
    }
  },
};

export const brokers: readonly ChaosCase[] = [killed, twoOfThree, isr, diskFull];
