import type { OutRecord } from '@ringfence/bus';
import type { Cluster } from './cluster.ts';
import type { Producer } from './producer.ts';
import type { Stats } from './stats.ts';
import type { TopicPartition, Wire, WireRecord } from './wire.ts';

export interface Placed extends TopicPartition {
  readonly record: WireRecord;
}

/** What the parts of one Kafka bus share. */
export interface Context {
  readonly cluster: Cluster;
  readonly producer: Producer;
  readonly stats: Stats;
  /** for what is asked and answered at once */
  readonly wire: Wire;
  /** connections of one's own, for what waits */
  readonly openWire: () => Wire;
  /** Checks every record before anything is written. Rejects with BadRecordError and UnknownTopicError. */
  readonly place: (records: readonly OutRecord[]) => Promise<readonly Placed[]>;
  readonly write: (placed: readonly Placed[]) => Promise<void>;
}
