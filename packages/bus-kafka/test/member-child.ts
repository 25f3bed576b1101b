/**
 * A member of the counting group in a process of its own: node member-child.ts OPTIONS [FAILPOINT]. At the failpoint it
 * prints `holding` and waits for a line on stdin.
 */
import { once } from 'node:events';
import { COUNTING, count } from '@ringfence/service-kit/conformance';
import { openKafkaBus } from '../src/bus.ts';
import type { KafkaBusOptions } from '../src/options.ts';

const options: KafkaBusOptions = JSON.parse(process.argv[2]!);
const holdAt = process.argv[3];

const abort = new AbortController();
process.once('SIGTERM', () => abort.abort());
const bus = await openKafkaBus(options);
const consumer = await bus.consumer({
  group: COUNTING.group,
  topics: ['in'],
  stores: [COUNTING.store],
  maxRecords: 8,
});
let held = false;
await count(consumer, {
  signal: abort.signal,
  metrics: {
    committed: () => console.log('committed'),
    assignmentLost: () => console.log('lost'),
  },
  async failpoint(name) {
    if (name !== holdAt || held) return;
    held = true;
    console.log('holding');
    await once(process.stdin, 'data');
  },
});
await bus.close();
process.exit(0);
