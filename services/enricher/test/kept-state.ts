/**
 * State of an enricher after known steps. history/state-VERSION.json contains it as each release wrote it. The files of
 * golden/ contain what the code of another checkout wrote. So this file imports only types of the packages.
 *
 *   node --conditions=@ringfence/source services/enricher/test/kept-state.ts CHECKOUT > FILE
 */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { InRecord, Position } from '@ringfence/bus';
import type { SyntheticHost } from '@ringfence/synthetic';
import type * as Support from './support.ts';

export interface KeptState {
  readonly about: string;
  /** Missing: the steps of 0.1.0 */
  readonly steps?: 'all';
  readonly entries: readonly { readonly key: string; readonly value: string; readonly position: Position }[];
}

/** The records before the state is written, and those after it is restored. */
export interface KnownSteps {
  readonly before: readonly InRecord[];
  readonly after: readonly InRecord[];
}

const WRITE_ONLY = 1;
const SHA256 = '5e'.repeat(32);
const PEER = Buffer.from([192, 0, 2, 1]);
/** DNS answer: a.net is 192.0.2.1. */
const ANSWER = Buffer.concat([
  Buffer.from([0, 1, 0x81, 0, 0, 1, 0, 1, 0, 0, 0, 0]),
  Buffer.from('\x01a\x03net\0\0\x01\0\x01\xc0\x0c\0\x01\0\x01\0\0\0\x1e\0\x04', 'latin1'),
  PEER,
]);

/** Returns the same steps for every version. */
export function knownSteps(host: SyntheticHost, { steps }: Pick<KeptState, 'steps'>): KnownSteps {
  const isAll = steps === 'all';
  host.user(0, 'root');
  host.container({ cgroup: 7n, id: 'c7', image: 'nginx:1.27' });
  if (isAll) host.hashes();
  const sh = host.spawn(host.init, '/bin/sh', ['sh', '-c', 'id']);
  host.open(sh, '/tmp/x', WRITE_ONLY);
  if (isAll) host.hash(sh, '/bin/sh', { sha256: SHA256 });
  const ends = { family: 2, protocol: 17, port: 53, address: Buffer.from([10, 0, 0, 53]), content: 1, egress: false };
  if (isAll) host.event(sh, 'Packet', { ...ends, payload: ANSWER });
  host.drop(1, 3);
  host.tick();
  const cat = host.spawn(sh, '/bin/cat', ['cat', '/etc/shadow']);
  const before = [recordOf(host, host.batch(), 0), ...(isAll ? [lineOf(host, 'a', 0)] : [])];
  host.open(cat, '/etc/shadow');
  host.spawn(sh, '/tmp/x');
  if (isAll) {
    host.spawn(sh, '/bin/sh');
    host.event(cat, 'Connect', { family: 2, type: 1, protocol: 6, address: PEER, port: 443, localPort: 40_000 });
  }
  host.tick();
  const after = [recordOf(host, host.batch(), 1), ...(isAll ? [lineOf(host, 'a', 1), lineOf(host, 'b', 2)] : [])];
  return { before, after };
}

function recordOf(host: SyntheticHost, value: Uint8Array, offset: number, topic = 'ringfence.raw'): InRecord {
  return { topic, partition: 0, offset, key: host.hostId, value, timestamp: 0 };
}

/** A line of Filebeat, whose offset in its file is derived from the text. */
function lineOf(host: SyntheticHost, message: string, offset: number): InRecord {
  const line = {
    '@timestamp': '2026-01-01T01:00:05.123Z',
    message,
    log: { offset: message.charCodeAt(0), file: { path: '/var/log/auth.log' } },
    agent: { id: 'f00', type: 'filebeat' },
  };
  return recordOf(host, Buffer.from(JSON.stringify(line)), offset, 'logs-raw');
}

interface Version {
  readonly support: Pick<typeof Support, 'createTestEnricher' | 'TestStore'>;
  readonly synthetic: { readonly createSyntheticHost: () => SyntheticHost };
}

interface OldTestkit {
  readonly createTestHost: Version['synthetic']['createSyntheticHost'];
}

/** Returns the state of a version after the steps. */
async function stateAfterSteps({ support, synthetic }: Version, about: string): Promise<KeptState> {
  const host = synthetic.createSyntheticHost();
  const store = new support.TestStore();
  store.apply(support.createTestEnricher(host).handle(knownSteps(host, { steps: 'all' }).before));
  const entries: KeptState['entries'][number][] = [];
  for await (const { key, value, position } of store.entries())
    entries.push({ key, value: Buffer.from(value).toString('base64'), position });
  return { about, steps: 'all', entries };
}

/** Returns the state of this version. */
export async function keptState(version: string): Promise<KeptState> {
  const [support, synthetic] = [await import('./support.ts'), await import('@ringfence/synthetic')];
  const about = `State as version ${version} kept it. A released file never changes; "npm run golden -- --release VERSION" makes the file of a new release.`;
  return stateAfterSteps({ support, synthetic }, about);
}

if (import.meta.main) {
  const checkout = resolve(process.argv[2] ?? '.');
  const load = (path: string): Promise<unknown> => import(pathToFileURL(`${checkout}/${path}`).href);
  const support = (await load('services/enricher/test/support.ts')) as Version['support'];
  // Before [Unreleased], the testkit had the synthetic hosts.
  const isOld = !existsSync(`${checkout}/packages/synthetic`);
  const synthetic = isOld
    ? { createSyntheticHost: ((await load('packages/testkit/src/index.ts')) as OldTestkit).createTestHost }
    : ((await load('packages/synthetic/src/index.ts')) as Version['synthetic']);
  const about = 'Made by: node --conditions=@ringfence/source services/enricher/test/kept-state.ts CHECKOUT';
  console.log(JSON.stringify(await stateAfterSteps({ support, synthetic }, about), null, 2));
}
