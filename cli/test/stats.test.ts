import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { openEmbeddedBus } from '@ringfence/bus';
import { startEnricher } from '@ringfence/enricher';
import { interestVersion } from '@ringfence/interest';
import { serveApi } from '@ringfence/runtime';
import type { HostInterests } from '@ringfence/runtime/status';
import { createSyntheticHost, type SyntheticHost } from '@ringfence/synthetic';
import { TOPIC, topicsWith } from '@ringfence/wire';
import { statsText } from '../src/stats/view.ts';
import { plain, ringfence } from './support.ts';

const SINCE = 1_800_000_000;
const OLDER = interestVersion(SINCE, 'before');
const CURRENT = interestVersion(SINCE + 60, 'after');
/** The version of a responder that was started later and asks for the same events. */
const RESTARTED = interestVersion(SINCE + 90, 'after');

test('stats names the hosts whose batches were filtered with an older interest, until they use the current one', async () => {
  await using stack = new AsyncDisposableStack();
  const directory = stack.adopt(mkdtempSync(join(tmpdir(), 'rf-stats-')), (path) => rmSync(path, { recursive: true }));
  const bus = stack.use(await openEmbeddedBus({ path: ':memory:' }));
  await bus.ensureTopics(topicsWith(2));
  const hosts = ['web-1', 'web-2', 'late', 'unfiltered'].map((hostId) => createSyntheticHost({ hostId }));
  const [web1, web2, late, unfiltered] = hosts as [SyntheticHost, SyntheticHost, SyntheticHost, SyntheticHost];
  const keyFor = (hostId: string) => hosts.find((host) => host.hostId === hostId)?.key.publicKey;
  const enricher = stack.adopt(await startEnricher({ bus, enrolment: { keyFor } }), (service) => service.close());
  const statusOf = () => ({ json: { services: [{ name: 'enricher', lag: 0, stats: enricher.stats() }] } });
  const routes = { status: { operator: false, answer: statusOf } } as const;
  stack.use(await serveApi(join(directory, 'ringfence.sock'), routes));
  const stats = async (...flags: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await ringfence(['stats', ...flags], { RINGFENCE_RUN_DIR: directory });
    assert.equal(code, 0, stderr);
    return stdout;
  };
  const send = async (host: SyntheticHost, version: number): Promise<void> => {
    const { batches } = enricher.stats();
    host.tick();
    host.interestVersion = version;
    await bus.produce([{ topic: TOPIC.raw, key: host.hostId, value: host.batch() }]);
    while (enricher.stats().batches === batches) await sleep(5);
  };
  for (const [host, version] of [
    [web1, OLDER],
    [web1, CURRENT],
    [web2, RESTARTED],
    [late, OLDER],
    [unfiltered, 0],
  ] as const)
    await send(host, version);
  const { interests } = JSON.parse(await stats('--json')) as { interests: HostInterests };
  assert.deepEqual(
    interests.groups.map(({ version, hosts: count, some }) => [version, count, some.toSorted()]),
    [
      [RESTARTED, 2, ['web-1', 'web-2']],
      [OLDER, 1, ['late']],
      [0, 1, ['unfiltered']],
    ],
  );
  assert.equal(enricher.stats().hostsBehind, 2);
  const text = await stats();
  assert.match(text, /^ {2}2 hosts with the current interest \(\d+\)$/m);
  assert.match(text, /^ {2}1 host with an older interest \(\d+\): late$/m);
  assert.match(text, /^ {2}1 host with no interest, sending everything: unfiltered$/m);
  await send(late, CURRENT);
  await send(unfiltered, CURRENT);
  assert.equal(enricher.stats().hostsBehind, 0);
  assert.equal((await stats()).includes('older'), false);
});

test('stats prints a table of events that adds up, and explains each cause', () => {
  const text = statsText(
    {
      account: {
        kinds: [
          { lane: 0, kind: 'exec', seen: 1200, sent: 1200, drops: { read_fault: 1 } },
          { lane: 1, kind: 'open', seen: 5000, sent: 1000, drops: { unwatched: 3500, self: 400, ring_full: 99 } },
        ],
        lanes: [
          {
            lane: 1,
            sent: 1000,
            read: 990,
            inRing: 10,
            taken: 990,
            earlier: 5,
            delivered: 900,
            waiting: 95,
            dropped: 0,
            malformed: 0,
            underWay: 0,
          },
        ],
        throttled: [
          { cgroup: '77', path: '/noisy\u001b[2J', lane: 1, kind: 'flow', cause: 'throttled', count: 1234 },
          { cgroup: '78', path: '', lane: 0, kind: 'exec', cause: 'ring_full', count: 5 },
        ],
        failures: [{ place: 'text_user', errno: 'EFAULT', count: 7 }],
        forgotten: [{ map: 'owners', entries: 5000 }],
        skipped: [{ program: 'openat_exit', count: 12_345 }],
      },
      missingHooks: { dup2_exit: 'no such call', sendto_exit: "the hook sendto_exit can't be attached: E2BIG" },
      retriedHooks: ['sendto_exit'],
    },
    plain,
  );
  const cells = (name: string): string[] =>
    text
      .split('\n')
      .find((line) => line.includes(name))
      ?.trim()
      .split(/ {2,}/) ?? [];
  assert.deepEqual(cells('lane'), ['lane', 'event', 'seen', 'filtered', 'ring full', 'sent', 'in flight']);
  assert.deepEqual(cells('open'), ['bulk', 'open', '5,000', '3,900', '99', '1,000', '1']);
  assert.deepEqual(cells('all').slice(1), ['6,200', '3,900', '99', '2,200', '1']);
  assert.match(text, /none: merged, throttled, other loss/);
  assert.match(text, /ring_full 99: the agent did not read the ring fast enough/);
  assert.match(text, /bulk: sent 1,000 = read 990 \+ in the ring 10/);
  assert.match(text, /text_user EFAULT 7/);
  assert.match(text, /openat_exit 12,345/);
  assert.match(text, /not attached.*\n {2}the hook sendto_exit can't be attached: E2BIG/);
  assert.doesNotMatch(text, /no such call/);
  assert.match(text, /owners was full: at least 5,000 entries evicted/);
  assert.match(text, /bulk flow 1,234 of \/noisy\\x1b\[2J \(cgroup 77\)/);
  assert.match(text, /security exec 5 of a removed cgroup \(cgroup 78, ring full\)/);
  assert.match(text, /read 990 \+ from the previous spool 5 = delivered 900 \+ spooled 95/);
});
