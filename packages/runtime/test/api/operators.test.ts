/** Every request that changes something, or hands out evidence, has a record before its route begins. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import type { Action, Operator } from '@ringfence/operators';
import { ApiClient } from '../../src/api/client.ts';
import { routesOf } from '../../src/api/routes.ts';
import { serveApi } from '../../src/api/server.ts';
import type { App } from '../../src/app.ts';

const directory = mkdtempSync(join(tmpdir(), 'rf-api-'));
test.after(() => rmSync(directory, { recursive: true }));

/** Names of what a route has called of the services and the bus. */
let calls: string[] = [];

/** Anything that a route asks for exists, and each call of it is noted and fails. */
function noting(name: string): unknown {
  return new Proxy(() => {}, {
    get: (_, key) => (key === 'then' || typeof key === 'symbol' ? undefined : noting(`${name}.${key}`)),
    apply: () => {
      calls.push(name);
      throw new Error(`${name} was called`);
    },
  });
}

const app = noting('app') as App;
const CHANGES = /\.(?:produce|createToken|revoke|publish\w*|set\w*|write\w*|reload|kill)$/;
const PATHS: Readonly<Record<string, readonly string[]>> = {
  incident: [
    'incident/inc-1',
    'incident/inc-1/set?state=triaged',
    'incident/inc-1/exception',
    'incident/inc-1/export',
    'incident/inc-1/hold',
    'incident/inc-1/release',
  ],
  respond: ['respond/plan?action=kill&pid=2', 'respond/run?action=kill&pid=2&note=case'],
};

test('a route without a record changes nothing, and the others have their record before they begin', async () => {
  const recorded: { action: Action; operator: Operator; callsBefore: number }[] = [];
  const record = async (action: Action, operator: Operator): Promise<string> => {
    recorded.push({ action, operator, callsBefore: calls.length });
    return 'id';
  };
  const routes = routesOf(app);
  const socket = join(directory, 'ringfence.sock');
  await using _ = await serveApi(socket, routes, record);
  const client = new ApiClient(socket, 'a test');
  for (const [name, { operator }] of Object.entries(routes))
    for (const path of PATHS[name] ?? [name]) {
      calls = [];
      recorded.length = 0;
      await client.json(`/${path}`).catch(() => {});
      const expected = operator === false ? 0 : 1;
      assert.equal(recorded.length, expected, path);
      assert.ok(
        recorded.every(({ callsBefore }) => callsBefore === 0),
        path,
      );
      const changes = calls.filter((call) => CHANGES.test(call));
      assert.ok(operator !== false || changes.length === 0, `${path} has no record, but calls ${changes.join(', ')}`);
    }
});

test('a record names the user of the kernel, the claims of the client, and the parameters', async () => {
  const recorded: { action: Action; operator: Operator }[] = [];
  const socket = join(directory, 'named.sock');
  await using _ = await serveApi(socket, routesOf(app), async (action, operator) => {
    recorded.push({ action, operator });
    return 'id';
  });
  await new ApiClient(socket).json('/incident/inc-1/set?state=triaged&note=mine').catch(() => {});
  const [{ action, operator } = { action: undefined, operator: undefined }] = recorded;
  assert.deepEqual(action, { action: 'incident.set', target: 'inc-1', details: { state: 'triaged' }, reason: 'mine' });
  assert.deepEqual([operator?.uid, operator?.pid, operator?.origin], [userInfo().uid, process.pid, 'socket']);
  assert.match(operator?.command ?? '', /^ringfence/);
});

test('a revocation needs a reason, and a request whose record fails is not carried out', async () => {
  const socket = join(directory, 'refused.sock');
  await using _ = await serveApi(socket, routesOf(app), () => Promise.reject(new Error('the disk is full')));
  calls = [];
  await assert.rejects(
    new ApiClient(socket).json('/revoke?subject=x'),
    /service\.revoke needs a reason: give --reason/,
  );
  await assert.rejects(new ApiClient(socket, 'lost').json('/revoke?subject=x'), /the disk is full/);
  assert.deepEqual(calls, []);
});
