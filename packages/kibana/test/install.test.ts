import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { contentFor, install, Kibana, type KibanaErrorCode, type Plan, planInstallation } from '../src/index.ts';
import { type StandInOptions, startStandIn } from './stand-in.ts';

const content = contentFor('ringfence');
const OBJECTS = content.dataViews.length + content.searches.length + content.dashboards.length;
const changesOf = ({ objects }: Plan): Record<string, number> => {
  const counts = { create: 0, update: 0, none: 0 };
  for (const { change } of objects) counts[change]++;
  return counts;
};

for (const { version, form } of [
  { version: '8.12.0', form: 'saved-objects' },
  { version: '9.3.4', form: 'saved-objects' },
  { version: '9.4.0', form: 'dashboards-api' },
  { version: '10.0.0-SNAPSHOT', form: 'dashboards-api' },
]) {
  describe(`Kibana ${version}`, () => {
    test(`takes dashboards by ${form}: a plan changes nothing, an installation does, and a second one has nothing to do`, async () => {
      await using server = await startStandIn({ version });
      const kibana = new Kibana({ url: server.url });
      const plan = await planInstallation(kibana, content);
      assert.deepEqual([plan.form, plan.version], [form, version]);
      assert.deepEqual(changesOf(plan), { create: OBJECTS, update: 0, none: 0 });
      assert.equal(server.objects.size, 0);

      await install(kibana, content);
      assert.equal(server.objects.size, OBJECTS);
      const writes = server.requests.length;
      const again = await install(kibana, content);
      assert.deepEqual(changesOf(again), { create: 0, update: 0, none: OBJECTS });
      assert.ok(!server.requests.slice(writes).some((request) => /^PUT|_import/.test(request)));
    });

    test('an object that somebody edited is named with the place, and written again', async () => {
      await using server = await startStandIn({ version });
      const kibana = new Kibana({ url: server.url });
      await install(kibana, content);
      const edited = server.objects.get('dashboard/ringfence-dashboard-alerts');
      assert.ok(edited);
      edited.attributes = { ...edited.attributes, title: 'Mine' };
      server.objects.delete('search/ringfence-search-alerts');
      const plan = await install(kibana, content);
      assert.deepEqual(changesOf(plan), { create: 1, update: 1, none: OBJECTS - 2 });
      const [update] = plan.objects.filter(({ change }) => change === 'update');
      assert.match(String(update?.differences), /^(?:attributes\.)?title$/);
      assert.deepEqual(changesOf(await planInstallation(kibana, content)), { create: 0, update: 0, none: OBJECTS });
    });
  });
}

test('the address may name a base path and a space', async () => {
  await using server = await startStandIn();
  await planInstallation(new Kibana({ url: `${server.url}/s/soc/` }), content);
  assert.ok(
    server.requests.every((request) => request.includes(' /s/soc/api/')),
    server.requests.join(),
  );
});

describe('a Kibana that cannot be used gets one sentence with its code', () => {
  const HTML = { status: 200, text: '<html>log in</html>' };
  const MOVED = { success: true, successResults: [{ type: 'dashboard', id: 'a', destinationId: 'b' }] };
  const FAILED = { success: false, errors: [{ type: 'dashboard', id: 'a', error: { type: 'unsupported_type' } }] };
  const cases: readonly { title: string; server: StandInOptions; code: KibanaErrorCode; says: RegExp }[] = [
    { title: 'too old', server: { version: '8.11.4' }, code: 'ERR_KIBANA_VERSION', says: /8\.11\.4 is too old: 8\.12/ },
    {
      title: 'OpenSearch Dashboards',
      server: { other: { status: 200, headers: { 'osd-name': 'x' }, text: '{"version":{"number":"3.1.0"}}' } },
      code: 'ERR_KIBANA_OPENSEARCH',
      says: /has no Lens/,
    },
    { title: 'a web page', server: { other: HTML }, code: 'ERR_KIBANA_ANSWER', says: /names no version/ },
    {
      title: 'a version that is none',
      server: { version: '9.x' },
      code: 'ERR_KIBANA_ANSWER',
      says: /names no version/,
    },
    { title: 'credentials', server: { authorization: 'x' }, code: 'ERR_KIBANA_CREDENTIALS', says: /does not accept/ },
    {
      title: 'missing rights',
      server: { forbidden: /_import/ },
      code: 'ERR_KIBANA_RIGHTS',
      says: /_import.*may not do this \(403\): Unable to bulk_create dashboard/,
    },
    {
      title: 'not ready',
      server: { other: { status: 503, text: 'Kibana server is not ready yet' } },
      code: 'ERR_KIBANA_UNREACHABLE',
      says: /not ready/,
    },
    {
      title: 'a refused object',
      server: { importResult: FAILED },
      code: 'ERR_KIBANA_REFUSED',
      says: /dashboard a: unsupported_type/,
    },
    { title: 'another space', server: { importResult: MOVED }, code: 'ERR_KIBANA_REFUSED', says: /another space/ },
    {
      title: 'an import that says nothing',
      server: { importResult: {} },
      code: 'ERR_KIBANA_REFUSED',
      says: /no reason given/,
    },
  ];
  for (const { title, server: options, code, says } of cases)
    test(title, async () => {
      await using server = await startStandIn(options);
      await assert.rejects(install(new Kibana({ url: server.url }), content), (error: Error & { code?: string }) => {
        assert.equal(error.code, code, error.message);
        assert.match(error.message, says);
        assert.ok(error.message.endsWith(`(${code})`) && !error.message.includes('\n'));
        return true;
      });
    });

  const RUBBISH = [
    { status: 200, text: '<html>' },
    { status: 200, text: 'null\n' },
    { status: 200, text: '{"type":1,"id":2}' },
    { status: 302, text: '' },
    { status: 400, text: '{"attributes":{"objects":[null,1,{"type":null}]}}' },
    { status: 400, text: '[]' },
    { status: 404, text: '' },
  ];
  for (const exportResult of RUBBISH)
    test(`an export of ${exportResult.text || 'nothing'} (${exportResult.status})`, async () => {
      await using server = await startStandIn({ exportResult });
      await assert.rejects(planInstallation(new Kibana({ url: server.url }), content), {
        code: /^ERR_KIBANA_(?:ANSWER|REFUSED)$/,
      });
    });

  test('objects whose parts are anything are updates', async () => {
    const text = content.dataViews
      .map(({ id }) => JSON.stringify({ type: 'index-pattern', id, attributes: null, references: [null, 7] }))
      .join('\n');
    await using server = await startStandIn({ exportResult: { status: 200, text } });
    const plan = await planInstallation(new Kibana({ url: server.url }), content);
    assert.equal(changesOf(plan)['update'], content.dataViews.length);
  });

  test('no server', async () => {
    const server = await startStandIn();
    await server[Symbol.asyncDispose]();
    await assert.rejects(planInstallation(new Kibana({ url: server.url }), content), {
      code: 'ERR_KIBANA_UNREACHABLE',
    });
  });

  test('addresses that are none, have a password, or would send the secret in the clear', () => {
    const credentials = { apiKey: 'secret' };
    for (const url of ['kibana', 'ftp://x', 'http://a:b@127.0.0.1', 'http://kibana.example.org'])
      assert.throws(() => new Kibana({ url, credentials }), { code: 'ERR_KIBANA_SETTINGS' });
    for (const url of ['https://kibana.example.org', 'http://127.0.0.1:5601', 'http://[::1]:5601', 'http://localhost'])
      new Kibana({ url, credentials });
  });
});

test('credentials are sent as Kibana wants them', async () => {
  const pairs = [
    { credentials: { apiKey: 'a2V5' }, authorization: 'ApiKey a2V5' },
    {
      credentials: { user: 'me', password: 'pä:ss' },
      authorization: `Basic ${Buffer.from('me:pä:ss').toString('base64')}`,
    },
  ];
  for (const { credentials, authorization } of pairs) {
    await using server = await startStandIn({ authorization });
    await planInstallation(new Kibana({ url: server.url, credentials }), content);
  }
});
