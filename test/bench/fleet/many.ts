/**
 * A day of many hosts, as fast as the fleet takes it: every half hour of the day each host runs a few short programs, opens files and sends its ticks.
 *
 *   many.ts SETTINGS AUTHORITY HOSTS HOURS
 *
 * Prints a line of JSON when the hosts are enrolled, and one for each line it is given: then it plays one half hour of every host.
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
/** Agents send one a second; ended processes are forgotten after sixty. */
const TICKS = 60;
const PROGRAMS = ['/usr/bin/cron', '/usr/bin/find', '/usr/sbin/logrotate', '/usr/bin/rsync', '/usr/bin/python3'];
const FILES = ['/etc/ld.so.cache', '/usr/lib/x86_64-linux-gnu/libc.so.6', '/proc/meminfo', '/var/lib/app/data'];
const AT_ONCE = 50;

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
  for (let at = 0; at < hosts.length; at += AT_ONCE) {
    const records = hosts.slice(at, at + AT_ONCE).map((host) => {
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
