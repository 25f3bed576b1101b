/** State of an enricher after known steps. history/state-VERSION.json contains the same from each released version. */
import type { InRecord, Position } from '@ringfence/bus';
import { createTestHost, O, type TestHost } from '@ringfence/testkit';
import { createTestEnricher, records, TestStore } from './support.ts';

export interface KeptState {
  readonly about: string;
  readonly entries: readonly { readonly key: string; readonly value: string; readonly position: Position }[];
}

/** Returns the same steps for every version: the records before the state is written, and after it is restored. */
export function knownSteps(host: TestHost): { readonly before: InRecord; readonly after: InRecord } {
  host.user(0, 'root');
  host.container({ cgroup: 7n, id: 'c7', image: 'nginx:1.27' });
  const sh = host.spawn(host.init, '/bin/sh', ['sh', '-c', 'id']);
  host.open(sh, '/tmp/x', O.WRONLY);
  host.drop(1, 3);
  host.tick();
  const cat = host.spawn(sh, '/bin/cat', ['cat', '/etc/shadow']);
  const [before] = records(host, [host.batch()]) as [InRecord];
  host.open(cat, '/etc/shadow');
  host.spawn(sh, '/tmp/x');
  host.tick();
  const [, after] = records(host, [Buffer.alloc(0), host.batch()]) as [InRecord, InRecord];
  return { before, after };
}

/** Returns the state of this version after the steps. */
export async function keptState(version: string): Promise<KeptState> {
  const host = createTestHost();
  const store = new TestStore();
  store.apply(createTestEnricher(host).handle([knownSteps(host).before]));
  const entries: KeptState['entries'][number][] = [];
  for await (const { key, value, position } of store.entries())
    entries.push({ key, value: Buffer.from(value).toString('base64'), position });
  return { about: aboutKept(version), entries };
}

const aboutKept = (version: string): string =>
  `State as version ${version} kept it. A released file never changes; "npm run golden -- --release VERSION" makes the file of a new release.`;
