import { LANE, leaf } from '@ringfence/wire';
import { bodyLong, bodyText, type Field } from '../field.ts';

const lanes: ReadonlyMap<number, string> = new Map(Object.entries(LANE).map(([name, lane]) => [lane, name]));
const lane = bodyLong(leaf.Gap.ofLane);

/** Fields of throttled and lost events. */
export const lostFields: readonly Field[] = [
  {
    name: 'throttled.kind',
    type: 'string',
    doc: 'Kind of the events that were held back, because the cgroup sent more than its share while a ring was filling up: open, flow, …',
    kinds: ['throttled'],
    get: bodyText(leaf.Throttled.ofKind),
  },
  {
    name: 'gap.lane',
    type: 'string',
    doc: 'Lane that lost events: security (exec, connect, …), bulk (most file events and packets), log or another.',
    kinds: ['gap'],
    get: (event) => lanes.get(lane(event)),
  },
  {
    name: 'gap.reason',
    type: 'string',
    doc: 'Cause of the loss, as far as the counters show: ring_full, scratch, spool_full, malformed, log_rate, or unknown.',
    kinds: ['gap'],
    get: bodyText(leaf.Gap.reason),
  },
];
