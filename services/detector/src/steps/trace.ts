import type { Step, Trace } from '@ringfence/base';
import type { InRecord } from '@ringfence/bus';
import type { Alert, EventBatchHead } from '@ringfence/wire';
import type { Chain } from '../state/chain.ts';

/** Reports how alerts and incidents came about. No record depends on it. */
export interface TraceSteps {
  /** The following calls are about this record. */
  begin(record: InRecord): void;
  /** `head`: of the batch with the event that completed the alert */
  alert(alert: Alert, head: Pick<EventBatchHead, 'sentAt' | 'receivedAt'>, chain: Chain): void;
  /** A version of an incident is published, or a chain is sent to the other host's incident that it is part of. */
  incident(chain: Chain, isFirst: boolean): void;
}

const OFF: TraceSteps = { begin: () => {}, alert: () => {}, incident: () => {} };

/** Wall clock, µs since the epoch */
const now = (): number => (performance.timeOrigin + performance.now()) * 1000;

/** `trace`: undefined when tracing is off. */
export function createTraceSteps(trace: Trace | undefined): TraceSteps {
  if (trace === undefined) return OFF;
  let taken = 0;
  const raised = new Map<Chain, string[]>();

  return {
    begin({ timestamp }) {
      taken = timestamp;
      raised.clear();
    },
    alert({ id, rule, events, timestamp }, { sentAt, receivedAt }, chain) {
      const ofChain = raised.get(chain);
      if (ofChain === undefined) raised.set(chain, [id]);
      else ofChain.push(id);
      // Batches of older enrichers have neither time: then everything counts as collecting.
      const received = receivedAt > 0 ? receivedAt : taken;
      const sent = sentAt > 0 ? sentAt : received;
      const attributes = { 'ringfence.event.id': events[0] ?? '', 'rule.name': rule };
      const step = (name: Step['name'], service: string, start: number, end: number): void =>
        trace({ alert: id, name, service, start, end, attributes });
      step('collect', 'collector', timestamp, sent);
      step('bus', 'bus', sent, received);
      step('enrich', 'enricher', received, taken);
      step('detect', 'detector', taken, now());
    },
    incident(chain, isFirst) {
      const { survivor, version } = chain;
      const id = survivor?.chainId ?? chain.id;
      const alerts = isFirst ? chain.alerts.map((alert) => alert.id) : (raised.get(chain) ?? []);
      const key = `${chain.id}/${version}`;
      const attributes = { 'ringfence.incident.id': id, 'ringfence.incident.version': version };
      const end = now();
      for (const alert of alerts)
        trace({ alert, name: 'incident', key, service: 'detector', start: taken, end, attributes });
    },
  };
}
