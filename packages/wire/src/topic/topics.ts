import type { RecordName } from '../avro/schemas.ts';
import { asBuffer } from '../values/bytes.ts';

/** Names of the topics. */
export const TOPIC = {
  raw: 'ringfence.raw',
  events: 'ringfence.events',
  alerts: 'ringfence.alerts',
  incidents: 'ringfence.incidents',
  commands: 'ringfence.commands',
  results: 'ringfence.results',
  answers: 'ringfence.answers',
  runs: 'ringfence.runs',
  schemas: 'ringfence.schemas',
  dlq: 'ringfence.dlq',
  edges: 'ringfence.edges',
  joins: 'ringfence.joins',
  feedback: 'ringfence.feedback',
  rarity: 'ringfence.rarity',
  interest: 'ringfence.interest',
  enrolments: 'ringfence.enrolments',
  auditHeads: 'ringfence.audit-heads',
  operator: 'ringfence.operator',
  logsRaw: 'logs-raw',
} as const;

export type Topic = (typeof TOPIC)[keyof typeof TOPIC];

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const MiB = 1024 * 1024;

export interface TopicDefault {
  readonly name: Topic;
  /** Name under `topics` in the settings. */
  readonly setting: keyof typeof TOPIC;
  /**
   * `spread`: the fleet's number of partitions, which is the same for all these topics, so that a service that reads
   * several of them has all records of a host. `single`: one partition, for topics that every reader reads completely.
   */
  readonly partitioning: 'spread' | 'single';
  readonly compacted: boolean;
  readonly retentionMs: number;
  readonly retentionBytes: number;
}

const topic = (
  setting: keyof typeof TOPIC,
  partitioning: TopicDefault['partitioning'],
  retentionMs: number,
  retentionBytes: number,
  compacted = false,
): TopicDefault => ({ name: TOPIC[setting], setting, partitioning, compacted, retentionMs, retentionBytes });

const EVER = Number.POSITIVE_INFINITY;

/** The topics with their defaults: settings can change the retention. */
export const topics: readonly TopicDefault[] = [
  topic('raw', 'spread', 6 * HOUR, 1024 * MiB),
  topic('logsRaw', 'spread', 3 * DAY, 256 * MiB),
  topic('events', 'spread', 3 * DAY, 1024 * MiB),
  topic('alerts', 'spread', 28 * DAY, EVER),
  topic('edges', 'spread', 3 * DAY, 256 * MiB),
  topic('joins', 'spread', 3 * DAY, 256 * MiB),
  topic('feedback', 'spread', 28 * DAY, 256 * MiB),
  topic('incidents', 'spread', EVER, EVER, true),
  topic('commands', 'spread', EVER, EVER),
  topic('results', 'spread', EVER, EVER),
  topic('answers', 'spread', DAY, 256 * MiB),
  topic('runs', 'spread', DAY, 256 * MiB),
  topic('rarity', 'single', EVER, EVER, true),
  topic('interest', 'single', EVER, EVER, true),
  topic('schemas', 'single', EVER, EVER, true),
  topic('enrolments', 'single', EVER, EVER, true),
  topic('auditHeads', 'single', EVER, EVER),
  topic('operator', 'single', EVER, EVER),
  topic('dlq', 'single', 28 * DAY, 256 * MiB),
];

/** Returns the topics with their numbers of partitions; `spread` is the number for topics that are spread. */
export function topicsWith(spread: number): (TopicDefault & { readonly partitions: number })[] {
  return topics.map((entry) => ({ ...entry, partitions: entry.partitioning === 'spread' ? spread : 1 }));
}

/** Type of the records on each topic; null for log lines and schemas. */
export const RECORD_ON: Readonly<Record<Topic, RecordName | null>> = {
  [TOPIC.raw]: 'RawBatch',
  [TOPIC.logsRaw]: null,
  [TOPIC.events]: 'EventBatch',
  [TOPIC.alerts]: 'Alert',
  [TOPIC.incidents]: 'Incident',
  [TOPIC.commands]: 'Command',
  [TOPIC.results]: 'Result',
  [TOPIC.answers]: 'Result',
  [TOPIC.runs]: 'RunSignal',
  [TOPIC.edges]: 'Edge',
  [TOPIC.joins]: 'Join',
  [TOPIC.feedback]: 'Feedback',
  [TOPIC.rarity]: 'RuleCounts',
  [TOPIC.interest]: 'InterestRecord',
  [TOPIC.schemas]: null,
  [TOPIC.enrolments]: 'Enrolment',
  [TOPIC.auditHeads]: 'AuditHead',
  [TOPIC.operator]: 'OperatorAction',
  [TOPIC.dlq]: 'DeadLetter',
};

/** Topics whose records have no schema. */
export const PLAIN_TOPICS: readonly Topic[] = Object.values(TOPIC).filter((topic) => RECORD_ON[topic] === null);

const HEAD = Buffer.from('{"ringfence":');

/**
 * Returns whether a record of logs-raw holds lines that an agent has signed. Documents of Filebeat begin differently.
 */
export const isSignedLines = (record: Uint8Array): boolean => asBuffer(record).subarray(0, HEAD.length).equals(HEAD);
