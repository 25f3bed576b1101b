import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Bus, partitionOf } from '@ringfence/bus';
import { decode, type Incident, type RuleCounts, TOPIC } from '@ringfence/wire';
import { Machine } from './fleet.ts';
import { createFeed } from './support.ts';

/** The score of an incident of one critical alert whose rule was in this many chains before */
export function scoreAfter(chains: number, trust = 1): number {
  const sum = 60 * (1 + 0.2 / (1 + chains)) * trust;
  return Math.round((1000 * sum) / (sum + 60)) / 10;
}

/** A host for each partition */
export function machinesOf(partitions: number): Machine[] {
  const machines: Machine[] = [];
  for (let number = 1; machines.filter(Boolean).length < partitions; number++)
    machines[partitionOf(`host-${number}`, partitions)] ??= new Machine(number);
  return machines;
}

/** A host whose events go to a bus with running detectors. */
export class Attacked {
  readonly hostId: string;
  readonly #machine: Machine;
  readonly #bus: Bus;
  readonly #feed: ReturnType<typeof createFeed>;

  constructor(machine: Machine, bus: Bus) {
    this.hostId = machine.host.hostId;
    this.#machine = machine;
    this.#bus = bus;
    this.#feed = createFeed(machine.host);
  }

  async tick(): Promise<void> {
    this.#machine.host.tick();
    await this.#bus.produce(this.#feed.next().map(({ key, value }) => ({ topic: TOPIC.events, key, value })));
  }

  /** Attacks the host, and returns the score of the incident. */
  async attack(): Promise<number> {
    const { host } = this.#machine;
    const before = (await this.#incidents()).length;
    host.credentials(host.spawn(host.init, '/bin/sh'), 0);
    await this.tick();
    let scores: number[] = [];
    await until('the attack is an incident', async () => {
      scores = (await this.#incidents()).map(({ score }) => score);
      return scores.length > before;
    });
    return scores.at(-1) as number;
  }

  /** The first version of each incident */
  async #incidents(): Promise<Incident[]> {
    const found = new Map<string, Incident>();
    for await (const { key, value } of this.#bus.read({ topic: TOPIC.incidents })) {
      const incident = decode('Incident', value ?? new Uint8Array());
      if (incident.hostId === this.hostId && !found.has(key)) found.set(key, incident);
    }
    return [...found.values()];
  }
}

export async function until(what: string, holds: () => Promise<boolean>, seconds = 60): Promise<void> {
  for (let left = seconds * 10; left > 0; left--) {
    if (await holds()) return;
    await sleep(100);
  }
  assert.fail(`after ${seconds} s: ${what}`);
}

/** The last counts of each partition */
export async function countsOn(bus: Bus): Promise<Map<string, RuleCounts>> {
  const counts = new Map<string, RuleCounts>();
  for await (const { key, value } of bus.read({ topic: TOPIC.rarity }))
    counts.set(key, decode('RuleCounts', value ?? new Uint8Array()));
  return counts;
}

/** A rule that is common in one partition is not rare on a host of the other partition, where it matches for the first time. */
export async function learnsFrom(bus: Bus, common: Attacked, rare: Attacked): Promise<void> {
  assert.equal(await common.attack(), scoreAfter(0));
  assert.equal(await common.attack(), scoreAfter(1));
  assert.equal(await common.attack(), scoreAfter(2));
  await until('it is told on a tick, a few seconds later', async () => {
    await common.tick();
    const counts = [...(await countsOn(bus)).values()].flatMap(({ rules }) => rules);
    return counts.some(({ rule, chains }) => rule === 'Became root' && chains === 3);
  });
  // Until the follower has read the bus.
  await sleep(1500);
  await rare.tick();
  assert.equal(await rare.attack(), scoreAfter(3));
}
