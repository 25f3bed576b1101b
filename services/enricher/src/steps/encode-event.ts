import { type Event, typeOf, U64_ZERO } from '@ringfence/wire';
import type { ProcessEntry } from '../state/process.ts';

/** Returns the encoded bytes of an event that the enricher makes, on CPU 0. `process`: its process; null: none. */
export function encodeEvent(
  { lane, sequence, ktime, body }: Pick<Event, 'lane' | 'sequence' | 'ktime' | 'body'>,
  process: ProcessEntry | null = null,
): Buffer {
  const event: Event = {
    lane,
    cpu: 0,
    sequence,
    ktime,
    late: false,
    tgid: process?.tgid ?? 0,
    tid: process?.tgid ?? 0,
    start: process?.start ?? U64_ZERO,
    cgroup: process?.cgroup ?? U64_ZERO,
    execId: process?.execId ?? 0,
    body,
  };
  return typeOf('Event').toBuffer(event);
}
