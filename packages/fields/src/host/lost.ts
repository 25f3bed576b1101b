import { LANE, leaf } from '@ringfence/wire';
import { bodyLong, bodyText, type Field } from '../field.ts';

const lanes: ReadonlyMap<number, string> = new Map(Object.entries(LANE).map(([name, lane]) => [lane, name]));
const lane = bodyLong(leaf.Gap.ofLane);

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
