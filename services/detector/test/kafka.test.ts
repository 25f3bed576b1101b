import assert from 'node:assert/strict';
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import test from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { partitionOf } from '@ringfence/bus';
import { type KafkaBus, openKafkaBus } from '@ringfence/bus-kafka';
import { createEnricherPipeline } from '@ringfence/enricher';
import { testRecords } from '@ringfence/testkit';
import { kafkaMissing, sharedKafka } from '@ringfence/testkit/servers';
import { decode, type EventBatch, type Incident, TOPIC, topicsWith } from '@ringfence/wire';
import { Machine, TestFleet } from './fleet.ts';
import { Attacked, learnsFrom, machinesOf, scoreAfter, until } from './one-fleet.ts';
import { RULES } from './support.ts';

const PARTITIONS = 2;
const CHILD = fileURLToPath(new URL('fleet-child.ts', import.meta.url));

/** A process with an enricher and a detector. */
class Member implements AsyncDisposable {
  partitions: readonly number[] = [];
  readonly process: ChildProcessByStdio<null, Readable, null>;
  readonly #exited: Promise<unknown>;

  constructor(settings: object) {
    const args = ['--conditions=@ringfence/source', '--max-old-space-size=256', CHILD, JSON.stringify(settings)];
    this.process = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#exited = once(this.process, 'exit');
    createInterface({ input: this.process.stdout }).on('line', (line) => {
      this.partitions = JSON.parse(line) as number[];
    });
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    this.process.kill(signal);
    await this.#exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.process.exitCode === null && this.process.signalCode === null) await this.kill();
  }
}

async function valuesOf(bus: KafkaBus, topic: string): Promise<{ readonly key: string; readonly value: Uint8Array }[]> {
  const values: { readonly key: string; readonly value: Uint8Array }[] = [];
  for await (const { key, value } of bus.read({ topic })) if (value !== null) values.push({ key, value });
  return values;
}

/** The last version of each incident */
async function incidentsOn(bus: KafkaBus): Promise<Incident[]> {
  const all = (await valuesOf(bus, TOPIC.incidents)).map(({ value }) => decode('Incident', value));
  const last = new Map<string, Incident>();
  for (const one of all) if (one.version >= (last.get(one.id)?.version ?? 0)) last.set(one.id, one);
  return [...last.values()];
}

/** A batch without the time at which the broker took it */
const said = ({ receivedAt: _, ...batch }: EventBatch): object => batch;

test('when one of two members is killed during an attack on two hosts, the other one ends with the same incident', {
  skip: kafkaMissing() ?? false,
}, async () => {
  const { bootstrap } = await sharedKafka();
  const topicPrefix = `detector-${process.pid}-`;
  await using place = await mkdtempDisposable(join(tmpdir(), 'rf-detector-'));
  const directory = place.path;
  const rules = join(directory, 'rules.yaml');
  await writeFile(rules, RULES);
  await using bus = await openKafkaBus({ brokers: bootstrap, topicPrefix });
  await bus.ensureTopics(topicsWith(PARTITIONS));
  // Each host in a partition of its own.
  const web = new Machine(1);
  const other = [2, 3, 4, 5, 6, 7, 8].find(
    (number) => partitionOf(`host-${number}`, PARTITIONS) !== partitionOf('host-1', PARTITIONS),
  );
  const db = new Machine(other ?? 0);
  const machines = [web, db];
  db.wait(1_000_000);
  const shell = web.webShell();
  const session = db.login(web.address, 41_000);
  const halves = [[web.host.batch(), db.host.batch()]];
  web.ssh(shell, db, 41_000);
  db.persist(session);
  db.steal(session);
  halves.push([web.host.batch(), db.host.batch()]);

  const expected = new TestFleet();
  for (const [i, { host }] of machines.entries())
    expected.feed(
      host,
      halves.map((half) => half[i] as Buffer),
    );
  await expected.run();
  assert.equal(expected.open.length, 1);

  const hosts = Object.fromEntries(
    machines.map(({ host }) => [
      host.hostId,
      host.key.publicKey.export({ type: 'spki', format: 'der' }).toString('base64'),
    ]),
  );
  const settings = { brokers: bootstrap, topicPrefix, rules, hosts };
  await using first = new Member(settings);
  await using second = new Member(settings);
  const members = [first, second];
  await until('each has a partition', async () => members.every(({ partitions }) => partitions.length === 1));
  const send = (half: readonly Buffer[]): Promise<void> =>
    bus.produce(machines.map(({ host }, i) => ({ topic: TOPIC.raw, key: host.hostId, value: half[i] as Buffer })));
  await send(halves[0] as Buffer[]);
  await until('the first half has been seen', async () => (await valuesOf(bus, TOPIC.alerts)).length > 0);
  const owner = members.find(({ partitions }) => partitions.includes(partitionOf('host-1', PARTITIONS)));
  assert.ok(owner !== undefined);
  await owner.kill();
  await send(halves[1] as Buffer[]);
  const found = async (): Promise<Incident | undefined> =>
    (await incidentsOn(bus)).find(({ state, alerts }) => state === 'open' && alerts.length === 3);
  await until('the incident is whole', async () => (await found()) !== undefined, 90);
  await sleep(500);
  const { version: _, ...incident } = (await found()) as Incident;
  const { version: __, ...undisturbed } = expected.open[0] as Incident;
  assert.deepEqual(incident, undisturbed);
  assert.equal((await incidentsOn(bus)).filter(({ state }) => state === 'open').length, 1);

  // The enricher moved as well, and later events have their whole lineage.
  for (const [i, { host }] of machines.entries()) {
    const enricher = createEnricherPipeline({ enrolment: { keyFor: () => host.key.publicKey } });
    const { outputs } = enricher.handle(
      testRecords(
        host.hostId,
        halves.map((half) => half[i] as Buffer),
      ),
    );
    const own = (await valuesOf(bus, TOPIC.events)).filter(({ key }) => key === host.hostId);
    const batches = own.map(({ value }) => JSON.stringify(said(decode('EventBatch', value))));
    const whole = outputs.map(({ value }) => JSON.stringify(said(decode('EventBatch', value as Uint8Array))));
    // A crash between output and state sends the same records again.
    assert.deepEqual([...new Set(batches)], whole);
  }
  for (const member of members) if (member !== owner) await member.kill('SIGTERM');
});

test('two members know how common rules are on the hosts of the other, also after taking over a partition', {
  skip: kafkaMissing() ?? false,
}, async () => {
  const { bootstrap } = await sharedKafka();
  const topicPrefix = `detector-rarity-${process.pid}-`;
  await using place = await mkdtempDisposable(join(tmpdir(), 'rf-detector-'));
  const rules = join(place.path, 'rules.yaml');
  await writeFile(rules, RULES);
  await using bus = await openKafkaBus({ brokers: bootstrap, topicPrefix });
  await bus.ensureTopics(topicsWith(PARTITIONS));
  const settings = { brokers: bootstrap, topicPrefix, rules, hosts: {} };
  await using first = new Member(settings);
  await using second = new Member(settings);
  const members = [first, second];
  await until('each has a partition', async () => members.every(({ partitions }) => partitions.length === 1));
  const [common, rare] = machinesOf(PARTITIONS).map((machine) => new Attacked(machine, bus)) as [Attacked, Attacked];
  await learnsFrom(bus, common, rare);
  const owner = members.find(({ partitions }) => partitions.includes(partitionOf(rare.hostId, PARTITIONS)));
  await owner?.kill();
  assert.equal(await rare.attack(), scoreAfter(4));
});
