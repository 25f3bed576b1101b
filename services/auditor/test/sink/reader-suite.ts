import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { OutRecord } from '@ringfence/bus';
import { createTestAction, createTestAlert, createTestIncident, EVIDENCE_HOST } from '@ringfence/synthetic';
import { createSigningKey, encode, TOPIC } from '@ringfence/wire';
import { buildBundle, verifyBundle } from '../../src/bundle/index.ts';
import { ClusterReader } from '../../src/index.ts';
import { inRecord } from '../support.ts';
import { testTrail } from '../trail.ts';
import type { ClusterStore } from './cluster.ts';
import { storeWithNewSink, toInRecords } from './suite.ts';

/** The queries of the command line on a trail in a cluster. */
export function readerSuite(name: string, open: () => Promise<ClusterStore>): void {
  suite(`${name}: the reader`, () => {
    test('lists the newest matching alerts, oldest first, within a time range', async () => {
      await using store = await open();
      await storeWithNewSink(store, toInRecords(testTrail(0, 250)));
      await store.counts();
      await using reader = new ClusterReader(store.options);
      const times = Array.from({ length: 250 }, (_, i) => createTestAlert(i)).sort((a, b) => a.timestamp - b.timestamp);
      const ids = async (query: Parameters<ClusterReader['alerts']>[0]) =>
        (await Array.fromAsync(reader.alerts(query))).map(({ timestamp }) => timestamp);
      assert.deepEqual(
        await ids({}),
        times.map(({ timestamp }) => timestamp),
      );
      assert.deepEqual(
        await ids({ limit: 3 }),
        times.slice(-3).map(({ timestamp }) => timestamp),
      );
      const [from, to] = [times[10]?.timestamp ?? 0, times[19]?.timestamp ?? 0];
      assert.equal((await ids({ from, to })).length, 10);
      assert.deepEqual(await ids({ limit: 0 }), []);
      const matching = await Array.fromAsync(reader.alerts({ where: ({ id }) => id === times[7]?.id }));
      assert.deepEqual(
        matching.map(({ id }) => id),
        [times[7]?.id],
      );
    });

    test('lists the actions of operators, of which a redelivered one is stored once', async () => {
      await using store = await open();
      const actions = ['incident.set', 'token.create'].map((action, i) => createTestAction(i, { action }));
      const records = actions.map((action) => encode('OperatorAction', action));
      await storeWithNewSink(
        store,
        [...records, ...records].map((value, offset) => inRecord(TOPIC.operator, offset, value)),
      );
      await store.counts();
      await using reader = new ClusterReader(store.options);
      const found = await Array.fromAsync(reader.operatorActions());
      assert.deepEqual(
        found.map((action) => ({ ...action })),
        actions,
      );
    });

    test('returns the evidence of an incident, whose records fit the hashes of their chains', async () => {
      await using store = await open();
      await storeWithNewSink(store, toInRecords(testTrail(0, 6)));
      await store.counts();
      await using reader = new ClusterReader(store.options);
      const [incident] = await Array.fromAsync(reader.incidents());
      const evidence = await reader.evidence(incident?.id ?? '');
      assert.ok(evidence !== undefined);
      const kinds = Object.entries(Object.groupBy(evidence.records, ({ kind }) => kind));
      assert.deepEqual(
        kinds.map(([kind, records]) => [kind, records?.length]).toSorted(),
        ['alert', 'command', 'incident', 'result'].map((kind) => [kind, 6]),
      );
      const key = createSigningKey();
      const signer = { key, root: key.publicKey, enrolment: null, hostId: EVIDENCE_HOST };
      assert.deepEqual(verifyBundle(buildBundle({ evidence, heads: [], signer, now: 1 })).problems, []);
    });

    test('returns an incident with the records that belong to it', async () => {
      await using store = await open();
      await storeWithNewSink(store, toInRecords(testTrail(0, 6)));
      await store.counts();
      await using reader = new ClusterReader(store.options);
      const [incident, ...more] = await Array.fromAsync(reader.incidents());
      assert.equal(more.length, 0);
      const dossier = await reader.incident(incident?.id ?? '');
      assert.equal(dossier?.versions, 6);
      assert.deepEqual(dossier?.incident, incident);
      assert.deepEqual(
        dossier?.alerts.map(({ id }) => id),
        incident?.alerts.map(({ id }) => id),
      );
      assert.deepEqual([dossier?.commands.length, dossier?.results.length], [6, 6]);
      assert.equal(await reader.incident('unknown'), undefined);
    });

    test('returns the newest visible version of an incident while the stream lags behind the index', async () => {
      await using store = await open();
      const versionRecord = (version: number): OutRecord => ({
        topic: TOPIC.incidents,
        key: EVIDENCE_HOST,
        value: encode('Incident', createTestIncident([createTestAlert(0)], version)),
      });
      await storeWithNewSink(store, toInRecords([versionRecord(1), versionRecord(2)]));
      await store.settings(store.names.audit, { index: { refresh_interval: '-1' } });
      await store.counts();
      await storeWithNewSink(store, toInRecords([versionRecord(3), versionRecord(4)], 2));
      await store.cluster.request('POST', `/${store.names.incidents}/_refresh`);
      await using reader = new ClusterReader(store.options);
      const versions = async () => {
        const [listed] = await Array.fromAsync(reader.incidents());
        return [listed?.version, (await reader.incident(listed?.id ?? ''))?.incident.version];
      };
      assert.deepEqual(await versions(), [2, 2]);
      await store.counts();
      assert.deepEqual(await versions(), [4, 4]);
    });
  });
}
