import { randomBytes } from 'node:crypto';
import { pause } from '@ringfence/base';
import { type AttackStep, attackOneHost, attackTwoHosts } from './attack.ts';
import type { SimulatedHost } from './host.ts';
import { Machine } from './machine.ts';
import { playRecording } from './player.ts';

/** Options of the process of the simulated hosts, which it reads from a file. */
export interface SimulationPlan {
  /** Settings of each host's agent, which is enrolled. */
  readonly configFiles: readonly string[];
  /** Unix socket on which the process serves its status, as `up` does. */
  readonly socket: string;
  /** Events per second of each host. */
  readonly rate: number;
  /** Seconds between two attacks, each of which is on other hosts. */
  readonly attackEveryS: number;
  /** Recording that every host plays repeatedly; null: made-up work and attacks. */
  readonly play: string | null;
}

const HOUR_US = 3_600_000_000;
const CYCLE_MS = 200;
const TICK_MS = 1000;
/** Time to look at the fleet before the first attack. */
const FIRST_ATTACK_MS = 5000;
/** Pause between two steps of an attack. */
const STEP_MS = 400;

/** A simulated agent with the machine whose events it sends. */
interface SimulatedMachine {
  readonly host: SimulatedHost;
  readonly machine: Machine;
}

/** Runs the hosts until `signal` aborts. */
export async function simulate(
  hosts: readonly SimulatedHost[],
  { rate, attackEveryS, play }: Pick<SimulationPlan, 'rate' | 'attackEveryS' | 'play'>,
  signal: AbortSignal,
): Promise<void> {
  if (play !== null) {
    await Promise.all(hosts.map((host) => replayRecording(host, play, signal)));
    return;
  }
  const simulated = hosts.map((host, index): SimulatedMachine => {
    const { hostId, bootId } = host;
    const startedAt = Date.now() * 1000;
    const identity = { hostId, bootId, key: host.deployment.agentKey, run: randomBytes(8).readBigUInt64LE() };
    const bootedAt = startedAt - HOUR_US;
    return { host, machine: new Machine({ ...identity, number: index + 1, startedAt, bootedAt }) };
  });
  await Promise.all([
    attackInTurn(simulated, attackEveryS, signal),
    ...simulated.map((member) => runMachine(member, rate, signal)),
  ]);
}

/** Produces everyday work and a tick every second, and sends the events as a collector does. */
async function runMachine({ host, machine }: SimulatedMachine, rate: number, signal: AbortSignal): Promise<void> {
  let tickAt = 0;
  let due = 0;
  let before = performance.now();
  while (!signal.aborted) {
    const now = performance.now();
    // At most a second's events are made up for after the process was late.
    due = Math.min(rate, due + ((now - before) / 1000) * rate);
    before = now;
    machine.passTo(Date.now() * 1000);
    for (const first = machine.host.count; due > 0 && machine.host.count - first < rate; ) {
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

/** Attacks each host in turn; every second attack continues on the next host. */
async function attackInTurn(
  simulated: readonly SimulatedMachine[],
  everyS: number,
  signal: AbortSignal,
): Promise<void> {
  await pause(FIRST_ATTACK_MS, signal);
  for (let n = 0; !signal.aborted; n++) {
    const [first, second] = [simulated[n % simulated.length], simulated[(n + 1) % simulated.length]];
    if (first === undefined || second === undefined) return;
    const isOnOneHost = simulated.length === 1 || n % 2 === 0;
    const steps = isOnOneHost ? attackOneHost(first.machine) : attackTwoHosts(first.machine, second.machine);
    await runSteps(steps, signal);
    await pause(Math.max(0, everyS * 1000 - steps.length * STEP_MS), signal);
  }
}

async function runSteps(steps: readonly AttackStep[], signal: AbortSignal): Promise<void> {
  for (const step of steps) {
    if (signal.aborted) return;
    step((machine) => machine.passTo(Date.now() * 1000));
    await pause(STEP_MS, signal);
  }
}

async function replayRecording(host: SimulatedHost, file: string, signal: AbortSignal): Promise<void> {
  const { hostId } = host;
  const key = host.deployment.agentKey;
  while (!signal.aborted) {
    const startedAt = performance.now();
    const batches = playRecording({ file, hostId, key, interestVersion: () => host.interestVersion });
    for await (const { bytes, atMs } of batches) {
      await pause(Math.max(0, startedAt + atMs - performance.now()), signal);
      if (signal.aborted) return;
      await host.send(bytes);
    }
    await pause(TICK_MS, signal);
  }
}
