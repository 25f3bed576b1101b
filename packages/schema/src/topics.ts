/** Every topic. Retention is a default: settings may change it. */
export const TOPIC = {
  raw: 'ringfence.raw',
  events: 'ringfence.events',
  alerts: 'ringfence.alerts',
  incidents: 'ringfence.incidents',
  commands: 'ringfence.commands',
  results: 'ringfence.results',
  schemas: 'ringfence.schemas',
  dlq: 'ringfence.dlq',
} as const;

export type Topic = (typeof TOPIC)[keyof typeof TOPIC];

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const MiB = 1024 * 1024;

export interface TopicDefault {
  readonly name: Topic;
  readonly partitions: number;
  readonly compacted: boolean;
  readonly retentionMs: number;
  readonly retentionBytes: number;
}

const topic = (
  name: Topic,
  partitions: number,
  retentionMs: number,
  retentionBytes: number,
  compacted = false,
): TopicDefault => ({
  name,
  partitions,
  compacted,
  retentionMs,
  retentionBytes,
});

/** Of the embedded log: one host, so one partition each. */
export const topics: readonly TopicDefault[] = [
  topic(TOPIC.raw, 1, 6 * HOUR, 1024 * MiB),
  topic(TOPIC.events, 1, 3 * DAY, 1024 * MiB),
  topic(TOPIC.alerts, 1, 28 * DAY, Number.POSITIVE_INFINITY),
  topic(TOPIC.incidents, 1, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, true),
  topic(TOPIC.commands, 1, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY),
  topic(TOPIC.results, 1, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY),
  topic(TOPIC.schemas, 1, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, true),
  topic(TOPIC.dlq, 1, 28 * DAY, 256 * MiB),
];
