/**
 * Runs in a guest whose clock counts instructions: measures an unwatched system call without a sensor, with a sensor
 * that traces the kernel's functions, and with one that uses tracepoints. Prints one line of JSON, a GetpidCost.
 */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { TestSensor } from '@ringfence/testkit/sensor';

/** Instructions per getpid, in the kernel and in user space. */
export interface GetpidCost {
  readonly bare: number;
  readonly functions: number;
  readonly tracepoints: number;
}

const COUNT = 300_000;
/** The lowest result counts, because interrupts add to some rounds. */
const ROUNDS = 5;
const program = join(process.env['RINGFENCE_TEST_PREBUILT'] ?? '', 'getpid');

function cost(): number {
  const rounds = Array.from({ length: ROUNDS }, () =>
    Number(execFileSync(program, [String(COUNT)], { encoding: 'utf8' })),
  );
  return Math.min(...rounds) / COUNT;
}

async function costWith(systemCalls: 'functions' | 'tracepoints'): Promise<number> {
  const sensor = await TestSensor.start({ full: true, systemCalls });
  try {
    return cost();
  } finally {
    await sensor.finish();
    sensor[Symbol.dispose]();
  }
}

const bare = cost();
const functions = await costWith('functions');
const result: GetpidCost = { bare, functions, tracepoints: await costWith('tracepoints') };
process.stdout.write(`${JSON.stringify(result)}\n`);
