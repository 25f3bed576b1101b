import type { AvroWriter, EventHead } from '@ringfence/wire';

/** The batch that transcoded events are written into. */
export interface EventSink {
  /** Starts an event, in a new batch when the current one is full. The caller appends start, cgroup, execId, kind and body. */
  begin(head: Readonly<EventHead>): AvroWriter;
  /** Announces the interest generation of the following records. A batch never mixes generations. */
  filteredIn(generation: number): void;
}
