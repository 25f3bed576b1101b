import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { OutRecord } from '@ringfence/bus';
import { createTestAlert, createTestIncident, EVIDENCE_HOST } from '@ringfence/testkit';
import { encode, TOPIC } from '@ringfence/wire';
import { ClusterReader } from '../../src/index.ts';
import { testTrail } from '../trail.ts';
import type { ClusterStore } from './cluster.ts';
import { delivered, storeAnew } from './suite.ts';

/** What the command line asks of a trail in a cluster. */
export function readerSuite(name: string, open: () => Promise<ClusterStore>): void {
  suite(`${name}: the reader`, () => {
    test('gives the newest alerts that hold, oldest first, and within a time', async () => {
      await using of = await open();
      await storeAnew(of, delivered(testTrail(0, 250)));
      await of.counts();
      await using reader = new ClusterReader(of.options);
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
      const whole = await Array.fromAsync(reader.alerts({ where: ({ id }) => id === times[7]?.id }));
      assert.deepEqual(
        whole.map(({ id }) => id),
        [times[7]?.id],
      );
    });

    test('gives an incident and all that belongs to it', async () => {
      await using of = await open();
      await storeAnew(of, delivered(testTrail(0, 6)));
      await of.counts();
      await using reader = new ClusterReader(of.options);
      const [incident, ...more] = await Array.fromAsync(reader.incidents());
      assert.equal(more.length, 0);
      const file = await reader.incident(incident?.id ?? '');
      assert.equal(file?.versions, 6);
      assert.deepEqual(file?.incident, incident);
      assert.deepEqual(
        file?.alerts.map(({ id }) => id),
        incident?.alerts.map(({ id }) => id),
      );
      assert.deepEqual([file?.commands.length, file?.results.length], [6, 6]);
      assert.equal(await reader.incident('nobody'), undefined);
    });

    test('gives an incident as the stream shows it, which shows its newest version later than the index does', async () => {
      await using of = await open();
      const stored = (version: number): OutRecord => ({
        topic: TOPIC.incidents,
        key: EVIDENCE_HOST,
        value: encode('Incident', createTestIncident([createTestAlert(0)], version)),
      });
      await storeAnew(of, delivered([stored(1), stored(2)]));
      await of.settings(of.names.audit, { index: { refresh_interval: '-1' } });
      await of.counts();
      await storeAnew(of, delivered([stored(3), stored(4)], 2));
      await of.cluster.request('POST', `/${of.names.incidents}/_refresh`);
      await using reader = new ClusterReader(of.options);
      const versions = async () => {
        const [listed] = await Array.fromAsync(reader.incidents());
        return [listed?.version, (await reader.incident(listed?.id ?? ''))?.incident.version];
      };
      assert.deepEqual(await versions(), [2, 2]);
      await of.counts();
      assert.deepEqual(await versions(), [4, 4]);
    });
  });
}
