import type { Trace } from '@ringfence/base';
import type { InRecord } from '@ringfence/bus';
import { decode, TOPIC } from '@ringfence/wire';

/** Traces that the alerts among `records` are stored. */
export function traceStored(trace: Trace, records: readonly InRecord[]): void {
  for (const { topic, value, timestamp: start } of records) {
    if (topic !== TOPIC.alerts || value === null) continue;
    const { id: alert } = decode('Alert', value);
    trace({ alert, name: 'store', service: 'auditor', start, end: Date.now() * 1000 });
  }
}
