/**
 * Simulates many hosts, as fast as the fleet accepts it: in each half hour each host runs a few short programs, opens
 * files and sends ticks.
 *
 *   many.ts SETTINGS AUTHORITY HOSTS
 *
 * Prints a line of JSON when the hosts are enrolled, and one after each half hour. A line on stdin starts a half hour.
 */
import { randomBytes } from 'node:crypto';
import { createInterface } from 'node:readline';
import { openKafkaBus } from '@ringfence/bus-kafka';
import { loadConfig } from '@ringfence/config';
import { kafkaOptionsOf } from '@ringfence/runtime/fleet';
import { createSyntheticHost } from '@ringfence/synthetic';
import { TOPIC } from '@ringfence/wire';
import { enrolHosts } from './hosts.ts';

const STEP_S = 1800;
/** Services drop the state of an ended process after sixty ticks. */
const TICKS = 60;
const PROGRAMS = ['/usr/bin/cron', '/usr/bin/find', '/usr/sbin/logrotate', '/usr/bin/rsync', '/usr/bin/python3'];
const FILES = ['/etc/ld.so.cache', '/usr/lib/x86_64-linux-gnu/libc.so.6', '/proc/meminfo', '/var/lib/app/data'];
const HOSTS_PER_REQUEST = 50;

const [file = '', authority = '', count = '1000'] = process.argv.slice(2);
await using bus = await openKafkaBus({ ...kafkaOptionsOf(loadConfig({ file, flags: [] })), clientId: 'bench-many' });
const identities = await enrolHosts(bus, authority, Number(count));
const hosts = identities.map((identity) =>
  createSyntheticHost({
    ...identity,
    bootId: randomBytes(16).toString('hex'),
    run: randomBytes(8).readBigUInt64LE() >> 1n,
  }),
);
for (const host of hosts) host.snapshot(host.init, '/usr/lib/systemd/systemd');
print({ hosts: hosts.length });
for await (const _ of createInterface({ input: process.stdin })) print(await step());

async function step() {
  let [events, bytes] = [0, 0];
  for (let at = 0; at < hosts.length; at += HOSTS_PER_REQUEST) {
    const records = hosts.slice(at, at + HOSTS_PER_REQUEST).map((host) => {
      for (const path of PROGRAMS) {
        const process = host.spawn(host.init, path);
        for (const name of FILES) host.open(process, name);
        host.exit(process);
      }
      for (let tick = 0; tick < TICKS; tick++) host.tick(STEP_S / TICKS);
      events += host.count;
      const value = Buffer.from(host.batch());
      bytes += value.length;
      return { topic: TOPIC.raw, key: host.hostId, value };
    });
    await bus.produce(records);
  }
  return { events, bytes, batches: hosts.length, seconds: 0 };
}

function print(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
