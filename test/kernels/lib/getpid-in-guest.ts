/**
 * Runs in a guest whose clock counts instructions: what a system call that nobody watches takes without a sensor, with one that sees system calls around the
 * kernel's functions, and with one that sees them at tracepoints. Prints one line of JSON, a GetpidCost.
 */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { TestSensor } from '@ringfence/testkit/sensor';

/** Instructions for a getpid, in the kernel and outside. */
export interface GetpidCost {
  readonly bare: number;
  readonly functions: number;
  readonly tracepoints: number;
}

const COUNT = 300_000;
/** an interrupt's work falls into some of the rounds */
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
const told: GetpidCost = { bare, functions, tracepoints: await costWith('tracepoints') };
process.stdout.write(`${JSON.stringify(told)}\n`);
