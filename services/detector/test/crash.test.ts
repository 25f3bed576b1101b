import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { openEmbeddedBus } from '@ringfence/bus';
import { createTestHost, O } from '@ringfence/testkit';
import { decode, type Incident, TOPIC, topicsWith } from '@ringfence/wire';
import { Machine, TestFleet } from './fleet.ts';
import { createFeed, createTestDetector, RULES } from './support.ts';

const CHILD = fileURLToPath(new URL('crash-child.ts', import.meta.url));

async function run(...args: readonly string[]): Promise<NodeJS.Signals | number | null> {
  const child = spawn(process.execPath, ['--conditions=@ringfence/source', CHILD, ...args], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
  return signal ?? code;
}

test('after a kill before the effect, before the commit and after it, no chain is lost and no alert is doubled', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'rf-detector-'));
  try {
    const [path, rules] = [join(directory, 'bus.db'), join(directory, 'rules.yaml')];
    await writeFile(rules, RULES);
    const host = createTestHost();
    const feed = createFeed(host);
    const shells = Array.from({ length: 5 }, () => host.spawn(host.init, '/bin/bash'));
    const input = Array.from({ length: 200 }, (_, i) => {
      const shell = shells[i % 5] ?? host.init;
      if (i % 3 === 0) host.open(shell, '/etc/shadow');
      if (i % 7 === 0) host.open(shell, '/etc/crontab', O.WRONLY);
      host.tick();
      return feed.next();
    }).flat();
    const { outputs } = createTestDetector().handle(input);
    {
      await using bus = await openEmbeddedBus({ path });
      await bus.ensureTopics(topicsWith(1));
      for (const { key, value } of input) await bus.produce([{ topic: TOPIC.events, key, value }]);
    }
    for (const [point, nth] of [
      ['before-effect', '1'],
      ['before-commit', '1'],
      ['after-commit', '1'],
      ['before-commit', '2'],
      ['after-commit', '1'],
    ] as const) {
      assert.equal(await run(path, rules, point, nth), 'SIGKILL', `${point} ${nth}`);
    }
    assert.equal(await run(path, rules, 'never', '1'), 0);
    await using bus = await openEmbeddedBus({ path });
    for (const topic of [TOPIC.alerts, TOPIC.incidents]) {
      const got: string[] = [];
      for await (const { value } of bus.read({ topic })) got.push(Buffer.from(value ?? []).toString('base64'));
      const expected = outputs
        .filter((output) => output.topic === topic)
        .map(({ value }) => Buffer.from(value ?? []).toString('base64'));
      assert.deepEqual(got, expected);
      assert.ok(got.length > 2);
    }
  } finally {
    await rm(directory, { recursive: true });
  }
});

test('after many kills while two hosts are joined, the result is the same one incident', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'rf-detector-'));
  try {
    const [path, rules] = [join(directory, 'bus.db'), join(directory, 'rules.yaml')];
    await writeFile(rules, RULES);
    const [web, db] = [new Machine(1), new Machine(2)];
    db.wait(1_000_000);
    web.ssh(web.webShell(), db, 41_000);
    db.persist(db.login(web.address, 41_000));
    const expected = new TestFleet();
    {
      await using bus = await openEmbeddedBus({ path });
      await bus.ensureTopics(topicsWith(2));
      for (const { host } of [db, web]) {
        const batch = host.batch();
        expected.feed(host, [batch]);
        for (const { key, value } of createFeed(host).of([batch]))
          await bus.produce([{ topic: TOPIC.events, key, value }]);
      }
    }
    await expected.run();
    const ends: (NodeJS.Signals | number | null)[] = [];
    for (const nth of ['1', '1', '2', '2', '3'])
      for (const point of ['before-commit', 'after-commit']) ends.push(await run(path, rules, point, nth));
    assert.ok(ends.filter((end) => end === 'SIGKILL').length >= 3, ends.join(' '));
    assert.equal(await run(path, rules, 'never', '1'), 0);
    await using bus = await openEmbeddedBus({ path });
    const last = new Map<string, Incident>();
    for await (const { key, value } of bus.read({ topic: TOPIC.incidents }))
      last.set(key, decode('Incident', value ?? new Uint8Array()));
    const open = [...last.values()].filter(({ state }) => state === 'open');
    assert.deepEqual(
      open.map(({ version: _, ...incident }) => incident),
      expected.open.map(({ version: _, ...incident }) => incident),
    );
    assert.equal(open.length, 1);
  } finally {
    await rm(directory, { recursive: true });
  }
});
