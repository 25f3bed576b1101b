/** Runs in a guest: blocks an address and isolates the guest. Prints one line of JSON, a BarrierRun. */
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { BARRIER_OBJECT, Barrier, HOST, NEVER, type Network, networkOf } from '@ringfence/barrier';
import { cgroup2 } from '@ringfence/testkit/sensor';

export interface BarrierRun {
  /** Outcomes of a connect before a block, with it and after it */
  readonly blocked: readonly string[];
  readonly holds: boolean;
  readonly isAttached: boolean;
  readonly counts: Readonly<Record<string, number>>;
}

/** RFC 5737; a guest has no route to it. */
const ADDRESS = '203.0.113.7';

const outcomeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? String(error);

async function attempt(): Promise<string> {
  const stream = connect({ host: ADDRESS, port: 9, timeout: 1000 });
  const [ended] = await Promise.race([once(stream, 'connect'), once(stream, 'timeout'), once(stream, 'error')]).catch(
    (error: unknown) => [error],
  );
  stream.destroy();
  return ended === undefined ? 'no answer' : outcomeOf(ended);
}

const pins = join(mkdtempSync('/sys/fs/bpf/rf-test-'), 'barrier');
const objectPath = join(process.env['RINGFENCE_TEST_PREBUILT'] ?? '', BARRIER_OBJECT);
const barrier = Barrier.open({ objectPath, pins, cgroupRoot: cgroup2() ?? '', agents: [] }, []);
const blocked = [await attempt()];
const network = networkOf(ADDRESS) as Network;
barrier.add({ id: 'block', rules: [{ what: 'block', scope: HOST, network, port: 0 }], until: NEVER });
blocked.push(await attempt());
const isolation = [
  { what: 'resolve', scope: HOST, domain: 'example.com' },
  { what: 'isolate', scope: HOST },
] as const;
barrier.add({ id: 'isolate', rules: isolation, until: NEVER });
const holds = barrier.holds('block') && barrier.holds('isolate');
const { isAttached } = barrier;
barrier.remove('isolate');
barrier.remove('block');
blocked.push(await attempt());
const result: BarrierRun = { blocked, holds, isAttached, counts: barrier.counts() };
process.stdout.write(`${JSON.stringify(result)}\n`);
