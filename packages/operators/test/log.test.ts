import assert from 'node:assert/strict';
import { execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  existsSync,
  linkSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { silentLog } from '@ringfence/base';
import { decode, type OperatorAction } from '@ringfence/wire';
import { claimsOfProcess, operatorOfProcess, parseClaims } from '../src/action.ts';
import { OperatorForwarder } from '../src/forwarder.ts';
import { OperatorLog } from '../src/log.ts';

function stateDir(t: { after(done: () => void): void }): string {
  const directory = mkdtempSync(join(tmpdir(), 'rf-operators-'));
  t.after(() => rmSync(directory, { recursive: true }));
  return directory;
}

const linesOf = (log: OperatorLog): string[] => readFileSync(log.path, 'utf8').split('\n').slice(0, -1);
const me = operatorOfProcess({ SUDO_UID: '1000', SUDO_USER: 'ann' }, ['node', 'main.ts', 'topics', 'apply']);

/** Forwards a log once and returns the records that reached the bus. */
async function forwarded(log: OperatorLog, fail = false): Promise<OperatorAction[]> {
  const found: OperatorAction[] = [];
  const bus = {
    produce: async (records: readonly { value: Uint8Array | null }[]): Promise<void> => {
      if (fail) throw new Error('the brokers are away');
      for (const { value } of records) if (value !== null) found.push(decode('OperatorAction', value));
    },
  };
  await using forwarder = new OperatorForwarder(log, { bus, key: null, log: silentLog });
  await forwarder.flush();
  return found;
}

test('a line names the user of the kernel, the claimed user, the command without secrets, and continues the chain', async (t) => {
  const log = new OperatorLog({ stateDir: stateDir(t) });
  const operator = { ...me, command: 'ringfence enrol --token abc --set redis.password=hunter2' };
  await log.append({ action: 'member.enrol', target: 'x', reason: 'because' }, operator);
  await log.append({ action: 'brokers.apply' }, me);
  const [first, second] = await forwarded(log);
  assert.ok(first !== undefined && second !== undefined);
  assert.deepEqual([first.uid, first.claimedUid, first.claimedUser], [process.getuid?.(), 1000, 'ann']);
  assert.equal(first.command, 'ringfence enrol --token *** --set redis.password=***');
  assert.deepEqual(
    [second.action, second.command, second.origin],
    ['brokers.apply', 'ringfence topics apply', 'command'],
  );
  assert.deepEqual(await forwarded(log), []);
});

test('processes that append at the same time lose no line and break no chain', async (t) => {
  const directory = stateDir(t);
  const children = Array.from({ length: 3 }, () =>
    fork(join(import.meta.dirname, 'append-child.ts'), [directory, '20']),
  );
  await Promise.all(children.map((child) => once(child, 'exit')));
  const records = await forwarded(new OperatorLog({ stateDir: directory }));
  assert.deepEqual([records.length, new Set(records.map(({ id }) => id)).size], [60, 60]);
  assert.ok(records.every(({ action }) => action === 'test.append'));
});

test('what the bus refuses is forwarded later, and a crash before the position is saved repeats the same ids', async (t) => {
  const log = new OperatorLog({ stateDir: stateDir(t) });
  await log.append({ action: 'a.b' }, me);
  assert.deepEqual(await forwarded(log, true), []);
  const ids = (await forwarded(log)).map(({ id }) => id);
  rmSync(join(log.path, '../operator-log.position'));
  assert.deepEqual(
    (await forwarded(log)).map(({ id }) => id),
    ids,
  );
});

test('a changed, an inserted and a removed line are reported, and the other actions are forwarded', async (t) => {
  const log = new OperatorLog({ stateDir: stateDir(t) });
  for (const action of ['a.one', 'a.two', 'a.three', 'a.four']) await log.append({ action }, me);
  const lines = linesOf(log);
  const changed = lines[1]?.replace('a.two', 'a.TWO');
  writeFileSync(log.path, `${[lines[0], changed, 'rubbish', lines[3]].join('\n')}\n`);
  const actions = (await forwarded(log)).map(({ action, details }) => `${action} ${details['problem'] ?? ''}`.trim());
  assert.deepEqual(actions, [
    'a.one',
    'operator-log.damaged the line is not signed by this host',
    'operator-log.damaged the line is not signed by this host',
    'operator-log.damaged line 4 does not follow line 3: lines were changed or removed',
    'a.four',
  ]);
});

test('a line that a crash left unfinished is reported, and the next one continues behind it', async (t) => {
  const log = new OperatorLog({ stateDir: stateDir(t) });
  await log.append({ action: 'a.one' }, me);
  appendFileSync(log.path, '{"seq":2,"pr');
  await log.append({ action: 'a.three' }, me);
  assert.deepEqual(
    (await forwarded(log)).map(({ action }) => action),
    ['a.one', 'operator-log.damaged', 'a.three'],
  );
});

test('a log that was removed is reported by the first line of the next', async (t) => {
  const log = new OperatorLog({ stateDir: stateDir(t) });
  await log.append({ action: 'a.one' }, me);
  await forwarded(log);
  rmSync(log.path);
  await log.append({ action: 'a.two' }, me);
  assert.deepEqual(
    (await forwarded(log)).map(({ action }) => action),
    ['operator-log.damaged', 'a.two'],
  );
});

test('a forwarded log begins anew when it is large, a full one refuses, and a link is not followed', async (t) => {
  const directory = stateDir(t);
  const log = new OperatorLog({ stateDir: directory, rotateBytes: 100, maxBytes: 1500 });
  await log.append({ action: 'a.one' }, me);
  await forwarded(log);
  await log.append({ action: 'a.two' }, me);
  assert.deepEqual([linesOf(log).length, existsSync(log.formerPath)], [1, true]);
  assert.deepEqual(
    (await forwarded(log)).map(({ action }) => action),
    ['a.two'],
  );
  await log.append({ action: 'a.three' }, me);
  await log.append({ action: 'a.four' }, me);
  await assert.rejects(log.append({ action: 'a.five' }, me), /nothing was done: it has \d+ bytes/);
  rmSync(log.path);
  symlinkSync(join(directory, 'elsewhere'), log.path);
  await assert.rejects(log.append({ action: 'a.six' }, me), /nothing was done: ELOOP/);
  rmSync(log.path);
  execFileSync('mkfifo', [log.path]);
  await assert.rejects(log.append({ action: 'a.seven' }, me), /nothing was done/);
  rmSync(log.path);
  writeFileSync(join(directory, 'of-root'), '');
  linkSync(join(directory, 'of-root'), log.path);
  await assert.rejects(log.append({ action: 'a.eight' }, me), /is no file of its own/);
});

test('claims of a client are bounded and of any form', () => {
  assert.deepEqual(parseClaims('rubbish'), { command: '', claimedUid: -1, claimedUser: '', reason: '' });
  assert.equal(parseClaims('{"claimedUid":-4}').claimedUid, -1);
  assert.equal(parseClaims('null').command, '');
  assert.equal(claimsOfProcess({ SUDO_UID: 'x' }, []).claimedUid, -1);
});
