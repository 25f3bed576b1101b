/** Records of every audited topic, with searchable content. */
import type { OutRecord } from '@ringfence/bus';
import {
  createTestAlert,
  createTestCommand,
  createTestIncident,
  createTestResult,
  EVIDENCE_HOST,
} from '@ringfence/synthetic';
import { encode, TOPIC } from '@ringfence/wire';
import { createTestBatch, createTestProcess, execBody, gapBody, openBody } from './support.ts';

export const EVENTS_PER_BATCH = 12;

/** Creates batch `n`: opens by two processes, one execution, one gap. */
export function testBatch(n: number): Buffer {
  const processes = [
    createTestProcess(1),
    createTestProcess(100, { parent: 0 }),
    createTestProcess(200 + n, { parent: 1 }),
  ];
  const at = n * 100;
  const opens = Array.from({ length: EVENTS_PER_BATCH - 2 }, (_, i) => ({
    process: i % 2 === 0 ? 1 : 2,
    sequence: at + i + 1,
    body: openBody(`/srv/file-${n}-${i}`),
  }));
  return createTestBatch(processes, [
    ...opens,
    {
      process: 2,
      sequence: at + 50,
      body: execBody(`/tmp/implant-${n}`, ['implant', '--beacon', `c2-${n}.example`], '/tmp'),
    },
    { process: -1, sequence: at + 51, body: gapBody('ring_full') },
  ]);
}

/** Creates batches, alerts, versions of one incident, and a command with its result for each alert. */
export function testTrail(batches: number, alerts: number): OutRecord[] {
  const testAlerts = Array.from({ length: alerts }, (_, i) => createTestAlert(i));
  const out: OutRecord[] = [];
  const add = (topic: string, value: Uint8Array): void => {
    out.push({ topic, key: EVIDENCE_HOST, value });
  };
  for (let n = 0; n < batches; n++) add(TOPIC.events, testBatch(n));
  testAlerts.forEach((alert, i) => {
    add(TOPIC.alerts, encode('Alert', alert));
    add(TOPIC.incidents, encode('Incident', createTestIncident(testAlerts.slice(0, i + 1), i + 1)));
    const command = createTestCommand(alert.id);
    add(TOPIC.commands, encode('Command', command));
    add(TOPIC.results, encode('Result', createTestResult(command)));
  });
  return out;
}
