import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import { exposeStats, MetricLabelError, Metrics, MetricsListenError, serveMetrics } from '../src/index.ts';

const FREE_PORT = { host: '127.0.0.1', port: 0 };

describe('Metrics', () => {
  it('show every label of a counter, at 0 before its first count', async () => {
    const metrics = new Metrics('sensor');
    let lost = 1;
    metrics.counter('lost_total', 'Lost.', { cause: ['ring_full', 'scratch'], lane: ['security', 'bulk'] }, () => [
      [{ cause: 'ring_full', lane: 'bulk' }, lost],
    ]);
    await metrics.registry.metrics();
    lost = 5;
    const text = await metrics.registry.metrics();
    assert.match(text, /ringfence_sensor_lost_total\{cause="ring_full",lane="bulk"\} 5/);
    assert.match(text, /ringfence_sensor_lost_total\{cause="scratch",lane="security"\} 0/);
  });

  it('refuse a label outside its set', async () => {
    const metrics = new Metrics('bus');
    const unknown: string = 'pid-4711';
    metrics.counter('drops_total', 'Records dropped.', { cause: ['age'] }, () => [[{ cause: unknown as 'age' }, 1]]);
    await assert.rejects(
      metrics.registry.metrics(),
      (error) => error instanceof MetricLabelError && error.code === 'ERR_METRIC_LABEL',
    );
  });
});

describe('exposeStats', () => {
  it("reads a service's counts at each scrape", async () => {
    const stats = { deadLetters: 1, refusals: { stale: 2, 'rate-limited': 0 } };
    const { registry } = exposeStats('responder', () => stats);
    stats.deadLetters = 4;
    const text = await registry.metrics();
    assert.match(text, /^ringfence_responder_dead_letters 4$/m);
    assert.match(text, /^ringfence_responder_refusals\{by="stale"\} 2$/m);
  });
});

describe('serveMetrics', () => {
  it('serves the metrics of all services and of the process', async () => {
    const bus = new Metrics('bus');
    bus.gauge('lag_records', 'Records behind.', () => 7);
    await using server = await serveMetrics({
      listen: FREE_PORT,
      token: '',
      metrics: () => [bus, new Metrics('detector')],
    });
    const response = await fetch(`http://127.0.0.1:${server.address.port}/metrics`);
    const text = await response.text();
    assert.equal(response.status, 200);
    assert.match(text, /ringfence_bus_lag_records 7/);
    assert.match(text, /ringfence_process_resident_memory_bytes \d+/);
    assert.match(text, /ringfence_process_cpu_seconds_total\{mode="user"\}/);
  });

  it('requires its token', async () => {
    await using server = await serveMetrics({ listen: FREE_PORT, token: 'hunter2', metrics: () => [] });
    const url = `http://127.0.0.1:${server.address.port}/metrics`;
    const status = async (headers: Record<string, string>) => (await fetch(url, { headers })).status;
    assert.equal(await status({}), 401);
    assert.equal(await status({ authorization: 'Bearer hunter' }), 401);
    assert.equal(await status({ authorization: 'Bearer hunter2' }), 200);
  });

  it('rejects other paths and methods', async () => {
    await using server = await serveMetrics({ listen: FREE_PORT, token: '', metrics: () => [] });
    const url = `http://127.0.0.1:${server.address.port}`;
    assert.equal((await fetch(`${url}/`)).status, 404);
    assert.equal((await fetch(`${url}/metrics`, { method: 'POST' })).status, 405);
  });

  it('rejects with a hint when the port is in use', async () => {
    const occupant = createServer().listen(0, '127.0.0.1');
    await once(occupant, 'listening');
    const { port } = occupant.address() as AddressInfo;
    await assert.rejects(
      serveMetrics({ listen: { host: '127.0.0.1', port }, token: '', metrics: () => [] }),
      (error) => {
        assert.ok(error instanceof MetricsListenError && error.code === 'ERR_METRICS_LISTEN');
        assert.match(error.message, new RegExp(`127\\.0\\.0\\.1:${port}: the address is in use`));
        return true;
      },
    );
    occupant.close();
  });

  it('can be closed twice', async () => {
    const server = await serveMetrics({ listen: FREE_PORT, token: '', metrics: () => [] });
    await server.close();
    await server.close();
  });
});

describe('health', () => {
  it('names the component that is not healthy, and why', async () => {
    let waiting: string | null = 'Kafka at 127.0.0.1:9092: connection refused';
    await using server = await serveMetrics({
      listen: FREE_PORT,
      token: 'secret',
      metrics: () => [],
      health: { live: () => ({ enricher: null }), ready: async () => ({ enricher: null, bus: waiting }) },
    });
    const { host, port } = server.address;
    const get = async (path: string): Promise<[number, unknown]> => {
      const response = await fetch(`http://${host}:${port}${path}`);
      return [response.status, await response.json()];
    };
    assert.deepEqual(await get('/healthz'), [200, { status: 'ok', checks: { enricher: null } }]);
    assert.deepEqual(await get('/readyz'), [503, { status: 'unavailable', checks: { enricher: null, bus: waiting } }]);
    waiting = null;
    assert.deepEqual(await get('/readyz'), [200, { status: 'ok', checks: { enricher: null, bus: null } }]);
  });
});
