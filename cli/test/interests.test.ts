/** Which hosts filter with an older interest: as an enricher hears it from the hosts' batches, and as `ringfence stats` tells it. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import test from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { paintFor } from '@ringfence/base';
import { openEmbeddedBus } from '@ringfence/bus';
import { startEnricher } from '@ringfence/enricher';
import { interestContent, interestVersion } from '@ringfence/interest';
import { serveApi } from '@ringfence/runtime';
import type { Status } from '@ringfence/runtime/status';
import { type HostInterests, interestsOf } from '@ringfence/runtime/status';
import { createSyntheticHost as createTestHost, type SyntheticHost as TestHost } from '@ringfence/synthetic';
import { TOPIC, topicsWith } from '@ringfence/wire';
import { interestLines } from '../src/topology/interests-view.ts';

const MAIN = join(import.meta.dirname, '../src/main.ts');
const SINCE = 1_800_000_000;
const OLDER = interestVersion(SINCE, 'before');
const CURRENT = interestVersion(SINCE + 60, 'after');
/** of a responder that was started later, and asks for the same */
const AGAIN = interestVersion(SINCE + 90, 'after');

const run = promisify(execFile);

test('a version tells when it began and what it asks for', () => {
  assert.ok(OLDER < CURRENT && CURRENT < AGAIN && Number.isSafeInteger(AGAIN));
  assert.equal(interestContent(CURRENT), interestContent(AGAIN));
  assert.notEqual(interestContent(OLDER), interestContent(AGAIN));
});

test('stats names the hosts whose batches were filtered with an older interest, until they are not', async () => {
  using place = new DisposableStack();
  const directory = place.adopt(mkdtempSync(join(tmpdir(), 'rf-interests-')), (path) =>
    rmSync(path, { recursive: true }),
  );
  await using bus = await openEmbeddedBus({ path: ':memory:' });
  await bus.ensureTopics(topicsWith(2));
  const hosts = ['one', 'two', 'late', 'untold'].map((hostId) => createTestHost({ hostId }));
  const [one, two, late, untold] = hosts as [TestHost, TestHost, TestHost, TestHost];
  const keyFor = (hostId: string) => hosts.find((host) => host.hostId === hostId)?.key.publicKey;
  const enricher = await startEnricher({ bus, enrolment: { keyFor } });
  const status = { services: [{ name: 'enricher', lag: 0, stats: enricher.stats() }] };
  const api = await serveApi(join(directory, 'ringfence.sock'), {
    status: () => ({ json: { ...status, services: [{ ...status.services[0], stats: enricher.stats() }] } }),
  });
  const stats = async (...flags: string[]): Promise<string> => {
    const args = ['--conditions=@ringfence/source', MAIN, 'stats', ...flags];
    return (await run(process.execPath, args, { env: { ...process.env, RINGFENCE_RUN_DIR: directory } })).stdout;
  };
  const send = async (host: TestHost, version: number): Promise<void> => {
    const { batches } = enricher.stats();
    host.tick();
    host.interestVersion = version;
    await bus.produce([{ topic: TOPIC.raw, key: host.hostId, value: host.batch() }]);
    while (enricher.stats().batches === batches) await sleep(5);
  };
  for (const [host, version] of [
    [one, OLDER],
    [one, CURRENT],
    [two, AGAIN],
    [late, OLDER],
    [untold, 0],
  ] as const)
    await send(host, version);
  assert.deepEqual((JSON.parse(await stats('--json')) as { interests: HostInterests }).interests.groups, [
    { version: AGAIN, hosts: 2, some: ['one', 'two'] },
    { version: OLDER, hosts: 1, some: ['late'] },
    { version: 0, hosts: 1, some: ['untold'] },
  ]);
  assert.equal(enricher.stats().hostsBehind, 2);
  const text = await stats();
  assert.match(text, /^ {2}2 hosts with the current interest \(\d+\)$/m);
  assert.match(text, /^ {2}1 host with an older interest \(\d+\): late$/m);
  assert.match(text, /^ {2}1 host with no interest, sending everything: untold$/m);
  await send(late, CURRENT);
  await send(untold, CURRENT);
  assert.equal(enricher.stats().hostsBehind, 0);
  assert.equal((await stats()).includes('older'), false);
  await api[Symbol.asyncDispose]();
  await enricher.close();
});

test('of several processes, responders say what is current, and each enricher has hosts of its own', () => {
  const LATER = interestVersion(SINCE + 1, 'before');
  const process = (name: string, stats: object): Status =>
    ({ services: [{ name, lag: 0, stats }] }) as unknown as Status;
  const all = [
    process('enricher', { interests: [{ version: OLDER, hosts: 1, some: ['a'] }] }),
    process('enricher', { interests: [{ version: LATER, hosts: 2, some: ['b', 'c'] }] }),
    process('collector', { hosts: 3 }),
  ];
  const groups = [{ version: LATER, hosts: 3, some: ['a', 'b', 'c'] }];
  assert.deepEqual(interestsOf(all), { groups, current: null });
  const responder = process('responder', { interestVersion: CURRENT });
  assert.deepEqual(interestsOf([...all, responder]), { groups, current: CURRENT });
  const lines = interestLines(interestsOf([...all, responder]) as HostInterests, paintFor(new Writable()));
  assert.equal(lines.at(-1), `  3 hosts with an older interest (${LATER}): a, b, c`);
  assert.equal(interestsOf([responder]), null);
});
