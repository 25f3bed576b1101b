/** The process of the simulated hosts of `ringfence dev fleet`: node main.ts PLAN. */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { pause, VERSION } from '@ringfence/base';
import { serveApi } from '@ringfence/runtime';
import { explain, leave, untilInterrupted } from '@ringfence/runtime/process';
import { processesOf, type Status } from '@ringfence/runtime/status';
import { createLogger } from '@ringfence/telemetry';
import { type AttackStep, attackOnOne, attackOnTwo } from './attack.ts';
import { SimulatedHost } from './host.ts';
import { Machine } from './machine.ts';
import type { SimulationPlan } from './plan.ts';
import { playRecording } from './player.ts';

const HOUR_US = 3_600_000_000;
const CYCLE_MS = 200;
const TICK_MS = 1000;
/** The first attack comes when there was time to look. */
const FIRST_ATTACK_MS = 5000;
/** An attacker is no faster than this. */
const STEP_MS = 400;
/** Hosts that start side by side: each costs a handshake or two. */
const START_AT_ONCE = 8;

interface Simulated {
  readonly host: SimulatedHost;
  readonly machine: Machine;
}

async function main(planFile: string): Promise<void> {
  const plan = JSON.parse(readFileSync(planFile, 'utf8')) as SimulationPlan;
  const signal = untilInterrupted();
  const log = createLogger({ level: 'warn' });
  await using stack = new AsyncDisposableStack();
  const hosts: SimulatedHost[] = [];
  for (let at = 0; at < plan.configFiles.length; at += START_AT_ONCE) {
    const some = plan.configFiles.slice(at, at + START_AT_ONCE);
    const started = await Promise.allSettled(
      some.map((configFile) => SimulatedHost.start({ configFile, log, signal })),
    );
    for (const one of started) if (one.status === 'fulfilled') hosts.push(stack.use(one.value));
    for (const one of started) if (one.status === 'rejected') throw one.reason;
  }
  stack.use(await serveApi(plan.socket, { status: () => ({ json: statusOf(hosts) }) }));
  const { play } = plan;
  await (play === null ? simulate(hosts, plan, signal) : Promise.all(hosts.map((host) => replay(host, play, signal))));
}

async function simulate(hosts: readonly SimulatedHost[], plan: SimulationPlan, signal: AbortSignal): Promise<void> {
  const all = hosts.map((host, i): Simulated => {
    const { hostId, bootId } = host;
    const startedAt = Date.now() * 1000;
    const own = { hostId, bootId, key: host.site.agentKey, run: randomBytes(8).readBigUInt64LE() };
    return { host, machine: new Machine({ ...own, number: i + 1, startedAt, bootedAt: startedAt - HOUR_US }) };
  });
  const attacker = attacks(all, plan.attackEveryS, signal);
  await Promise.all([attacker, ...all.map((one) => live(one, plan.rate, signal))]);
}

/** Everyday work, and a tick a second, sent as a collector would. */
async function live({ host, machine }: Simulated, rate: number, signal: AbortSignal): Promise<void> {
  let tickAt = 0;
  let due = 0;
  let before = performance.now();
  while (!signal.aborted) {
    const now = performance.now();
    // What could not be done in time is not made up for: the machine was busy.
    due = Math.min(rate, due + ((now - before) / 1000) * rate);
    before = now;
    machine.passTo(Date.now() * 1000);
    for (const from = machine.host.count; due > 0 && machine.host.count - from < rate; ) {
      const count = machine.host.count;
      machine.work();
      due -= machine.host.count - count;
    }
    if (now >= tickAt) {
      machine.host.tick(0);
      tickAt = now + TICK_MS;
    }
    machine.host.interestVersion = host.interestVersion;
    if (machine.host.count > 0) await host.send(machine.host.batch());
    await pause(CYCLE_MS, signal);
  }
}

/** One after the other, each on the next hosts; every other one goes on to a second. */
async function attacks(all: readonly Simulated[], everyS: number, signal: AbortSignal): Promise<void> {
  await pause(FIRST_ATTACK_MS, signal);
  for (let n = 0; !signal.aborted; n++) {
    const [one, two] = [all[n % all.length], all[(n + 1) % all.length]];
    if (one === undefined || two === undefined) return;
    const alone = all.length === 1 || n % 2 === 0;
    const steps = alone ? attackOnOne(one.machine) : attackOnTwo(one.machine, two.machine);
    await play(steps, signal);
    await pause(Math.max(0, everyS * 1000 - steps.length * STEP_MS), signal);
  }
}

async function play(steps: readonly AttackStep[], signal: AbortSignal): Promise<void> {
  for (const step of steps) {
    if (signal.aborted) return;
    step((machine) => machine.passTo(Date.now() * 1000));
    await pause(STEP_MS, signal);
  }
}

async function replay(host: SimulatedHost, file: string, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const started = performance.now();
    const own = { file, hostId: host.hostId, key: host.site.agentKey, interestVersion: () => host.interestVersion };
    for await (const { bytes, atMs } of playRecording(own)) {
      await pause(Math.max(0, started + atMs - performance.now()), signal);
      if (signal.aborted) return;
      await host.send(bytes);
    }
    await pause(TICK_MS, signal);
  }
}

function statusOf(hosts: readonly SimulatedHost[]): Status {
  const all = hosts.map((host) => host.stats());
  const sum = (of: (one: (typeof all)[number]) => number): number => all.reduce((total, one) => total + of(one), 0);
  const stats = {
    events: sum(({ events }) => events),
    hosts: hosts.length,
    streams: sum(({ connected }) => (connected ? 1 : 0)),
    orders: sum(({ orders }) => orders),
  };
  return {
    version: VERSION,
    hostId: '',
    bootId: '',
    mode: '',
    pid: process.pid,
    uptimeS: Math.round(process.uptime()),
    rssBytes: process.memoryUsage.rss(),
    processes: processesOf([process.pid]),
    bus: { usedBytes: 0, maxBytes: 0, full: false },
    services: [{ name: 'collector', lag: sum(({ spooled }) => spooled), stats }],
  };
}

try {
  await main(process.argv[2] ?? '');
} catch (error) {
  process.stderr.write(`ringfence: simulated hosts: ${explain(error)}\n`);
  process.exitCode = 1;
}
await leave();
