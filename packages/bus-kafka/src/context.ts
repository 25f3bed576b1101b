import type { OutRecord } from '@ringfence/bus';
import type { TopicPartition, WireRecord } from './client/records.ts';
import type { Wire } from './client/wire.ts';
import type { Cluster } from './cluster/cluster.ts';
import type { Producer } from './producer.ts';
import type { Stats } from './stats.ts';

/** A record with its physical topic and its partition. */
export interface PlacedRecord extends TopicPartition {
  readonly record: WireRecord;
}

/** The shared parts of one Kafka bus. */
export interface Context {
  readonly cluster: Cluster;
  readonly producer: Producer;
  readonly stats: Stats;
  /** For requests that brokers answer at once. */
  readonly wire: Wire;
  /** Opens connections for requests that wait on the broker. */
  readonly openWire: () => Wire;
  /** Checks the records and chooses their partitions. Rejects with BadRecordError and UnknownTopicError. */
  readonly place: (records: readonly OutRecord[]) => Promise<readonly PlacedRecord[]>;
  readonly write: (placed: readonly PlacedRecord[]) => Promise<void>;
}
