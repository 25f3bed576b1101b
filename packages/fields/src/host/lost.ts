import { LANE, leaf } from '@ringfence/wire';
import { bodyBoolean, bodyLong, bodyText, type Field, nonEmpty } from '../field.ts';

const lanes: ReadonlyMap<number, string> = new Map(Object.entries(LANE).map(([name, lane]) => [lane, name]));
const lane = bodyLong(leaf.Gap.ofLane);
const throttledLane = bodyLong(leaf.Throttled.ofLane);
const throttledTotal = bodyLong(leaf.Throttled.total);
const throttledPath = bodyText(leaf.Throttled.path);
const gapTotal = bodyLong(leaf.Gap.total);

/** Events that were throttled or lost. */
export const lostFields: readonly Field[] = [
  {
    name: 'throttled.kind',
    type: 'string',
    doc: 'Kind of the throttled events: open, flow, … The cgroup exceeded its share while a ring was filling up.',
    kinds: ['throttled'],
    get: bodyText(leaf.Throttled.ofKind),
  },
  {
    name: 'throttled.lane',
    type: 'string',
    doc: 'Lane of the throttled events: security (exec, connect, …) or bulk (most events of files and packets).',
    kinds: ['throttled'],
    get: (event) => lanes.get(throttledLane(event)),
  },
  {
    name: 'throttled.reason',
    type: 'string',
    doc: 'throttled: the cgroup exceeded its share while the ring was filling up. ring_full: it did not, but the ring of the security lane was full.',
    kinds: ['throttled'],
    get: bodyText(leaf.Throttled.cause),
  },
  {
    name: 'throttled.cgroup',
    type: 'string',
    doc: 'Path of the cgroup that lost the events, from the root of the hierarchy; absent when the cgroup is gone.',
    kinds: ['throttled'],
    get: (event) => nonEmpty(throttledPath(event)),
  },
  {
    name: 'throttled.total',
    type: 'number',
    doc: 'Number of events of the lane that the cgroup has lost since the sensor was loaded.',
    kinds: ['throttled'],
    get: (event) => throttledTotal(event) || undefined,
  },
  {
    name: 'throttled.over',
    type: 'bool',
    doc: 'The cgroup has lost no more events for ten ticks, so throttled.total is the final number.',
    kinds: ['throttled'],
    get: bodyBoolean(leaf.Throttled.over),
  },
  {
    name: 'gap.total',
    type: 'number',
    doc: 'Number of events of the lane that the host has lost since the sensor was loaded, on all CPUs.',
    kinds: ['gap'],
    get: (event) => gapTotal(event) || undefined,
  },
  {
    name: 'gap.lane',
    type: 'string',
    doc: 'Lane of the lost events: security (exec, connect, …), bulk (most events of files and packets), log or another.',
    kinds: ['gap'],
    get: (event) => lanes.get(lane(event)),
  },
  {
    name: 'gap.reason',
    type: 'string',
    doc: 'Reason according to the counters: ring_full, scratch, spool_full, malformed, log_rate, or unknown.',
    kinds: ['gap'],
    get: bodyText(leaf.Gap.reason),
  },
];
