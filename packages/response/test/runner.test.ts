import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createTestRunner, heldBy } from './programs/file-action.ts';

const CHILD = join(import.meta.dirname, 'programs/file-action.ts');

/** The action of these tests appends its id to a file, one line each, and takes just that line out again. */
describe('an action', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'rf-runner-'));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  const order = (id: string, until = 0, parameters: unknown = {}) => ({
    id,
    kind: 'file',
    parameters,
    until,
    cause: '',
    who: '',
    why: '',
  });

  test('is carried out once, and taken back once', async () => {
    using runner = createTestRunner(directory);
    const answers = [await runner.run(order('a')), await runner.run(order('a'))];
    assert.deepEqual(
      answers.map(({ outcome }) => outcome),
      ['executed', 'executed'],
    );
    assert.deepEqual(heldBy(directory), ['a']);
    const undone = [await runner.undo('a'), await runner.undo('a'), await runner.undo('b')];
    assert.deepEqual(
      undone.map(({ outcome }) => outcome),
      ['executed', 'gone', 'refused'],
    );
    assert.deepEqual(heldBy(directory), []);
  });

  test('is planned without a trace, and refused with a reason', async () => {
    using runner = createTestRunner(directory);
    assert.equal((await runner.plan(order('a'))).outcome, 'planned');
    assert.deepEqual([heldBy(directory), runner.entries()], [[], []]);
    const refused = await runner.run(order('a', 0, { unknown: 1 }));
    assert.deepEqual([refused.outcome, refused.reason], ['refused', 'unreadable']);
    assert.deepEqual(heldBy(directory), []);
  });

  test('that fails, or takes too long, is taken back at once', async () => {
    using runner = createTestRunner(directory, { deadlineMs: 50 });
    for (const how of ['fails', 'hangs']) {
      const { outcome, reason } = await runner.run(order(how, 0, { how }));
      assert.equal(outcome, 'failed');
      assert.match(reason, /; it was taken back$/);
    }
    assert.deepEqual(heldBy(directory), []);
  });

  test('that is stuck holds up no other', async () => {
    using runner = createTestRunner(directory, { deadlineMs: 300 });
    const stuck = runner.run(order('stuck', 0, { how: 'hangs' }));
    assert.equal((await runner.run(order('other'))).outcome, 'executed');
    assert.deepEqual(heldBy(directory).includes('other'), true);
    await stuck;
  });

  test('ends at its time, each exactly once, of 1,000 that overlap', async () => {
    using runner = createTestRunner(directory);
    const now = Date.now() * 1000;
    for (let n = 0; n < 1000; n++) await runner.run(order(`n${n}`, now + (n % 10) * 20_000 + 1_000_000));
    while (heldBy(directory).length > 0) await sleep(20);
    assert.ok(runner.entries().every(({ state }) => state === 'over'));
    const log = readFileSync(join(directory, 'log'), 'utf8').split('\n').filter(Boolean);
    assert.equal(log.length, 2000);
    assert.equal(new Set(log).size, 2000, 'each was held once and taken back once');
  });

  for (const point of ['planned', 'begun', 'applied', 'held']) {
    test(`of an agent that is killed at "${point}" is done whole or not at all, and the journal says which`, async () => {
      const child = spawn(
        process.execPath,
        ['--conditions=@ringfence/source', '--disable-warning=ExperimentalWarning', CHILD, directory, point],
        { stdio: 'inherit' },
      );
      const [, signal] = await once(child, 'exit');
      assert.equal(signal, 'SIGKILL');
      using runner = createTestRunner(directory);
      await runner.recover();
      const [entry] = runner.entries();
      assert.equal(entry?.state, { planned: undefined, begun: 'over', applied: 'over', held: 'held' }[point]);
      assert.deepEqual(heldBy(directory), point === 'held' ? ['killed'] : []);
      const again = await runner.run(order('killed'));
      assert.equal(again.outcome, point === 'begun' || point === 'applied' ? 'failed' : 'executed');
      if (again.outcome === 'failed') assert.match(again.reason, /ended in the middle of it; it was taken back/);
    });
  }

  test('of an agent that is killed while it takes it back is taken back by the next', async () => {
    const args = [
      '--conditions=@ringfence/source',
      '--disable-warning=ExperimentalWarning',
      CHILD,
      directory,
      'undone',
    ];
    const child = spawn(process.execPath, args, { stdio: 'inherit' });
    assert.equal((await once(child, 'exit'))[1], 'SIGKILL');
    using runner = createTestRunner(directory);
    await runner.recover();
    assert.equal((await runner.undo('killed')).outcome, 'executed');
    assert.deepEqual(heldBy(directory), []);
  });

  test('that nothing takes back is carried out when its command comes again after a kill in the middle', async () => {
    const args = ['--conditions=@ringfence/source', '--disable-warning=ExperimentalWarning', CHILD, directory, 'begun'];
    const child = spawn(process.execPath, [...args, 'final'], { stdio: 'inherit' });
    assert.equal((await once(child, 'exit'))[1], 'SIGKILL');
    using runner = createTestRunner(directory);
    await runner.recover();
    assert.deepEqual([runner.entries().map(({ state }) => state), heldBy(directory)], [['begun'], []]);
    assert.equal((await runner.run(order('killed', 0, { how: 'final' }))).outcome, 'executed');
    assert.deepEqual(heldBy(directory), ['killed']);
    assert.equal((await runner.undo('killed')).outcome, 'gone');
  });

  test('whose entry is spoilt is reported, and the others go on', async () => {
    {
      using runner = createTestRunner(directory);
      await runner.run(order('a'));
    }
    writeFileSync(join(directory, 'journal', 'torn.json'), '{"id":');
    const lines: string[] = [];
    using runner = createTestRunner(directory, { onError: (message) => lines.push(message) });
    await runner.recover();
    assert.match(lines.join(), /not readable/);
    assert.equal((await runner.undo('a')).outcome, 'executed');
  });
});
