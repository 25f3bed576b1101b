import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { silentLog } from '@ringfence/base';
import { elasticsearch, openSearch } from './flavours.ts';

type Properties = Readonly<Record<string, { readonly properties?: Properties }>>;
type Mapping = Readonly<Record<string, { readonly mappings: { readonly properties?: Properties } }>>;

/** The index of incidents as an earlier version made it. */
const EARLIER = { mappings: { dynamic: false, properties: { '@timestamp': { type: 'date' } } } };

for (const flavour of [elasticsearch, openSearch])
  suite(`the index of incidents in ${flavour.name}`, { skip: flavour.skip }, () => {
    test('gets the fields of a new version, because it never rolls over', async () => {
      await using store = await flavour.open();
      const { cluster, names } = store;
      await cluster.request('PUT', `/${names.incidents}`, { body: EARLIER });
      const sink = store.open();
      await sink.write({ entries: [], positions: [] });
      await sink.close();
      const { body } = await cluster.request<Mapping>('GET', `/${names.incidents}/_mapping`);
      const { properties = {} } = body[names.incidents]?.mappings ?? {};
      assert.ok(properties['ringfence']?.properties?.['severity']);
    });

    test('is used as it is, with a warning, if its mapping cannot take them', async () => {
      await using store = await flavour.open();
      const { cluster, names } = store;
      const body = { mappings: { dynamic: false, properties: { ringfence: { type: 'keyword' } } } };
      await cluster.request('PUT', `/${names.incidents}`, { body });
      const warnings: string[] = [];
      const warn = (_: object, text: string): void => void warnings.push(text);
      const sink = store.open({ log: { ...silentLog, warn } });
      await sink.write({ entries: [], positions: [] });
      await sink.close();
      assert.ok(warnings.some((text) => text.startsWith('new fields of incidents cannot be searched')));
    });
  });
