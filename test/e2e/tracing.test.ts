import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kafkaMissing } from '@ringfence/dev-servers';
import { SmallFleet } from './lib/fleet.ts';
import { exitSignal } from './lib/fleet-agent.ts';
import { receiveTraces } from './lib/traces.ts';
import { until } from './lib/wait.ts';

test('one trace covers an alert from the system call to the kill, across processes that share only the bus', {
  skip: kafkaMissing(),
}, async () => {
  using traces = await receiveTraces();
  await using fleet = await SmallFleet.start({ tracing: { endpoint: traces.endpoint } });
  await fleet.join();
  const agent = await fleet.agent();
  const victim = agent.startReported('rfvictim');
  await agent.send();
  assert.equal(await exitSignal(victim), 'SIGKILL');
  const steps = ['bus', 'collect', 'decide', 'detect', 'enrich', 'execute', 'incident', 'store'];
  const spans = await until('every step of one trace', () => {
    const complete = [...Map.groupBy(traces.spans, ({ traceId }) => traceId).values()];
    return complete.find((trace) => steps.every((step) => trace.some(({ name }) => name === step)));
  });
  using audit = fleet.audit();
  const [alert] = await Array.fromAsync(audit.alerts());
  const root = spans.find(({ name }) => name === 'collect');
  assert.equal(root?.traceId, alert?.id);
  for (const { name, parentSpanId, startTimeUnixNano, endTimeUnixNano } of spans) {
    assert.equal(parentSpanId ?? '', name === 'collect' ? '' : root?.spanId, name);
    assert.ok(BigInt(endTimeUnixNano) >= BigInt(startTimeUnixNano), name);
  }
  const services = new Set(spans.map(({ service }) => service.replace('ringfence-', '')));
  assert.deepEqual([...services].sort(), ['auditor', 'bus', 'collector', 'detector', 'enricher', 'responder']);
  const executed = spans.find(({ name }) => name === 'execute');
  assert.equal(executed?.attributes['ringfence.result.outcome'], 'executed');
});
