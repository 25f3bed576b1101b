/**
 * Runs in a guest: starts an agent and kills it, then starts another one, which resumes the sensor, and stops it.
 * Prints one line of JSON, a GuestAgent.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { defined } from '@ringfence/base';

/** Fields of the agent's log entry about its sensor. */
interface InPlace {
  readonly hooks: number;
  readonly full: readonly string[];
  readonly resumed: boolean;
  /** undefined if system calls are traced at the kernel's functions, or if the sensor was resumed */
  readonly onTracepoints?: string;
}

/** Fields of a log entry about missing hooks. */
interface Missing {
  readonly hooks: readonly string[];
  /** of the first hook */
  readonly reason: string;
}

export interface GuestAgent {
  /** of both agents */
  readonly lives: readonly InPlace[];
  /** hooks that the first agent could not attach although the kernel has what they observe */
  readonly missing: readonly Missing[];
  /** pins left after the second agent */
  readonly left: readonly string[];
  /** of the first agent, until its sensor was attached */
  readonly startSeconds: number;
  /** of the second agent, until it had ended */
  readonly stopSeconds: number;
}

const PROGRAM = join(import.meta.dirname, '../../../deploy/bin/ringfence');
const PINS = '/sys/fs/bpf/ringfence';
const ARGUMENTS = ['up', '--only', 'collector', '--set', 'stateDir=/run/state', '--set', 'log.format=json'];
const IN_PLACE = 'the sensor is in place';
const MISSING = 'hooks are missing: their events are not seen';
/** The program would reject the tests' variable as an unknown setting. */
const { RINGFENCE_TEST_PREBUILT: _prebuilt, ...env } = process.env;

interface Life extends InPlace {
  readonly agent: ChildProcess;
  readonly missing: GuestAgent['missing'];
}

/** Waits until its sensor is attached. */
async function start(): Promise<Life> {
  const agent = spawn(PROGRAM, ARGUMENTS, { stdio: ['ignore', 'ignore', 'pipe'], env });
  const log: string[] = [];
  const missing: Missing[] = [];
  return await new Promise((resolve, reject) => {
    agent.once('exit', () => reject(new Error(`the agent ended:\n${log.join('\n')}`)));
    if (agent.stderr === null) throw new TypeError('the agent has no pipe');
    createInterface(agent.stderr).on('line', (line) => {
      log.push(line);
      if (!line.startsWith('{')) return;
      const entry = JSON.parse(line) as { msg: string };
      if (entry.msg === MISSING) missing.push(entry as unknown as Missing);
      if (entry.msg === IN_PLACE) resolve({ ...(entry as unknown as InPlace), agent, missing });
    });
  });
}

async function end({ agent }: Life, signal: NodeJS.Signals): Promise<void> {
  const ended = once(agent, 'exit');
  agent.kill(signal);
  await ended;
}

const pins = (): string[] => (existsSync(PINS) ? readdirSync(PINS) : []);
const begun = performance.now();
const first = await start();
const startSeconds = (performance.now() - begun) / 1000;
await end(first, 'SIGKILL');
const second = await start();
const stopBegun = performance.now();
await end(second, 'SIGTERM');
const result: GuestAgent = {
  lives: [first, second].map(({ hooks, full, resumed, onTracepoints }) => ({
    hooks,
    full,
    resumed,
    ...defined({ onTracepoints }),
  })),
  missing: first.missing,
  left: pins(),
  startSeconds,
  stopSeconds: (performance.now() - stopBegun) / 1000,
};
process.stdout.write(`${JSON.stringify(result)}\n`);
