import { LANE, leaf } from '@ringfence/wire';
import { bodyLong, bodyText, type Field } from '../field.ts';

const lanes: ReadonlyMap<number, string> = new Map(Object.entries(LANE).map(([name, lane]) => [lane, name]));
const lane = bodyLong(leaf.Gap.ofLane);

/** What was held back, and what never came. */
export const lostFields: readonly Field[] = [
  {
    name: 'throttled.kind',
    type: 'string',
    doc: 'Events of which kind were held back, since the cgroup sent more than its share while a ring was filling up: open, flow, …',
    kinds: ['throttled'],
    get: bodyText(leaf.Throttled.ofKind),
  },
  {
    name: 'gap.lane',
    type: 'string',
    doc: 'Of which lane events were lost: security (exec, connect, …), bulk (most of files and packets), log or another.',
    kinds: ['gap'],
    get: (event) => lanes.get(lane(event)),
  },
  {
    name: 'gap.reason',
    type: 'string',
    doc: 'What lost them, as far as counters tell: ring_full, scratch, spool_full, malformed, log_rate, or unknown.',
    kinds: ['gap'],
    get: bodyText(leaf.Gap.reason),
  },
];
