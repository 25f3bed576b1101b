import { setTimeout as sleep } from 'node:timers/promises';
import type { ChaosCase } from '../lib/case.ts';
import { onSmallDisk } from '../lib/small-disk.ts';

const killed: ChaosCase = {
  name: 'broker-killed',
  title: 'one broker after another is killed with SIGKILL and restarted',
  async run({ servers }, { pick }) {
    const { brokers } = servers.kafka;
    for (let n = 0; n < pick(1, 9); n++) {
      const broker = brokers[n % brokers.length];
      await broker?.stop('SIGKILL');
      await sleep(2000);
      await broker?.start();
      // Wait until its replicas have caught up: killing the next broker earlier would leave two missing.
      await sleep(3000);
    }
  },
};

const twoDown: ChaosCase = {
  name: 'two-brokers-gone',
  title: 'two of three brokers are killed at once, so there is no quorum for writes; then both return',
  async run({ servers }, { pick }) {
    const victims = servers.kafka.brokers.slice(0, 2);
    for (let n = 0; n < pick(1, 3); n++) {
      await Promise.all(victims.map((broker) => broker.stop('SIGKILL')));
      await sleep(pick(8000, 60_000));
      await Promise.all(victims.map((broker) => broker.start()));
      await sleep(3000);
    }
  },
};

const isr: ChaosCase = {
  name: 'isr-below-minimum',
  title: 'three in-sync copies are required and one broker is down: the remaining two refuse every record',
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
  title: 'the disks of two brokers are full, so the brokers shut down; then there is space again',
  async run({ servers }, { pick, note }) {
    const [first, second] = servers.kafka.brokers;
    if (first === undefined || second === undefined) throw new Error('three brokers are needed');
    await using firstDisk = await onSmallDisk(first);
    await sleep(5000);
    await using secondDisk = await onSmallDisk(second);
    await sleep(5000);
    firstDisk.fill();
    secondDisk.fill();
    await sleep(pick(20_000, 60_000));
    note(
      [first, second]
        .map(({ id, pid }) => `broker ${id} ${pid === undefined ? 'has exited' : 'is running'}`)
        .join(', '),
    );
    firstDisk.clear();
    secondDisk.clear();
    for (const broker of [first, second]) {
      await broker.stop('SIGKILL');
      await broker.start();
    }
  },
};

export const brokers: readonly ChaosCase[] = [killed, twoDown, isr, diskFull];
