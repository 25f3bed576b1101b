/**
 * Runs in a guest: an agent that is killed, and another that takes its sensor over and is stopped.
 * Prints one line of JSON, a GuestAgent.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { defined } from '@ringfence/base';

/** What the agent's log says of its sensor. */
interface InPlace {
  readonly hooks: number;
  readonly full: readonly string[];
  readonly resumed: boolean;
  /** undefined: system calls are seen at the kernel's functions, or the sensor was taken over */
  readonly onTracepoints?: string;
}

interface Missing {
  readonly hooks: readonly string[];
  /** of the first of these */
  readonly reason: string;
}

export interface GuestAgent {
  /** of each of its lives */
  readonly lives: readonly InPlace[];
  /** hooks that were missing in the first, though the kernel has what they watch */
  readonly missing: readonly Missing[];
  /** pins that the second left */
  readonly left: readonly string[];
  /** of the first: until its sensor was in place */
  readonly startSeconds: number;
  /** of the second: until it had ended */
  readonly stopSeconds: number;
}

const PROGRAM = join(import.meta.dirname, '../../../deploy/bin/ringfence');
const PINS = '/sys/fs/bpf/ringfence';
const ARGUMENTS = ['up', '--only', 'collector', '--set', 'stateDir=/run/state', '--set', 'log.format=json'];
const IN_PLACE = 'the sensor is in place';
const MISSING = 'hooks are missing: their events are not seen';
/** what is meant for tests would be a setting that the program does not know */
const { RINGFENCE_TEST_PREBUILT: _prebuilt, ...env } = process.env;

interface Life extends InPlace {
  readonly agent: ChildProcess;
  readonly missing: GuestAgent['missing'];
}

/** Until its sensor is in place. */
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
const told: GuestAgent = {
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
process.stdout.write(`${JSON.stringify(told)}\n`);
