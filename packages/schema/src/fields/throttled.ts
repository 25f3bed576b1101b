import { bodyText, type Field } from './field.ts';

/** What a cgroup had beyond its share of a ring. */
export const throttledFields: readonly Field[] = [
  {
    name: 'throttled.kind',
    type: 'string',
    doc: 'Events of which kind were held back, since the cgroup sent more than its share while a ring was filling up: open, flow, …',
    kinds: ['throttled'],
    get: bodyText('Throttled', 'ofKind'),
  },
];
