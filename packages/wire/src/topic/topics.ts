import type { RecordName } from '../avro/schemas.ts';
import { asBuffer } from '../values/bytes.ts';

/** Every topic. Retention is a default: settings may change it. */
export const TOPIC = {
  raw: 'ringfence.raw',
  events: 'ringfence.events',
  alerts: 'ringfence.alerts',
  incidents: 'ringfence.incidents',
  commands: 'ringfence.commands',
  results: 'ringfence.results',
  answers: 'ringfence.answers',
  hostIncidents: 'ringfence.host-incidents',
  schemas: 'ringfence.schemas',
  dlq: 'ringfence.dlq',
  edges: 'ringfence.edges',
  joins: 'ringfence.joins',
  feedback: 'ringfence.feedback',
  rarity: 'ringfence.rarity',
  interest: 'ringfence.interest',
  enrolments: 'ringfence.enrolments',
  auditHeads: 'ringfence.audit-heads',
  logsRaw: 'logs-raw',
} as const;

export type Topic = (typeof TOPIC)[keyof typeof TOPIC];

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const MiB = 1024 * 1024;

export interface TopicDefault {
  readonly name: Topic;
  /** under `topics` in the settings */
  readonly setting: keyof typeof TOPIC;
  /**
   * `spread`: as many partitions as the fleet has, the same number for every such topic, since a service that reads two of them keeps a host's state
   * in one place; `single`: one partition, for what everybody reads whole.
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
  topic('hostIncidents', 'spread', DAY, 256 * MiB),
  topic('rarity', 'single', EVER, EVER, true),
  topic('interest', 'single', EVER, EVER, true),
  topic('schemas', 'single', EVER, EVER, true),
  topic('enrolments', 'single', EVER, EVER, true),
  topic('auditHeads', 'single', EVER, EVER),
  topic('dlq', 'single', 28 * DAY, 256 * MiB),
];

/** As many partitions as each topic needs; `spread`: of the topics that are spread. */
export function topicsWith(spread: number): (TopicDefault & { readonly partitions: number })[] {
  return topics.map((one) => ({ ...one, partitions: one.partitioning === 'spread' ? spread : 1 }));
}

/** What lies on a topic; null: lines, or schemas themselves. */
export const RECORD_ON: Readonly<Record<Topic, RecordName | null>> = {
  [TOPIC.raw]: 'RawBatch',
  [TOPIC.logsRaw]: null,
  [TOPIC.events]: 'EventBatch',
  [TOPIC.alerts]: 'Alert',
  [TOPIC.incidents]: 'Incident',
  [TOPIC.commands]: 'Command',
  [TOPIC.results]: 'Result',
  [TOPIC.answers]: 'Result',
  [TOPIC.hostIncidents]: 'Incident',
  [TOPIC.edges]: 'Edge',
  [TOPIC.joins]: 'Join',
  [TOPIC.feedback]: 'Feedback',
  [TOPIC.rarity]: 'RuleCounts',
  [TOPIC.interest]: 'InterestRecord',
  [TOPIC.schemas]: null,
  [TOPIC.enrolments]: 'Enrolment',
  [TOPIC.auditHeads]: 'AuditHead',
  [TOPIC.dlq]: 'DeadLetter',
};

/** Topics whose records have no schema. */
export const PLAIN_TOPICS: readonly Topic[] = Object.values(TOPIC).filter((topic) => RECORD_ON[topic] === null);

const HEAD = Buffer.from('{"ringfence":');

/** Whether a record of logs-raw has lines that an agent has signed: they begin so, a document of a Filebeat and a RawBatch never do. */
export const isSignedLines = (record: Uint8Array): boolean => asBuffer(record).subarray(0, HEAD.length).equals(HEAD);
