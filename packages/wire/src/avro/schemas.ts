import { readFileSync } from 'node:fs';
import avro from 'avsc';

/** Files of the records of topics and of the control stream. A schema may use types that an earlier file defines. */
const TOPIC_FILES = {
  Event: 'event',
  RawBatch: 'raw-batch',
  EventBatch: 'event-batch',
  Alert: 'alert',
  Incident: 'incident',
  Command: 'command',
  Result: 'result',
  AuditRecord: 'audit-record',
  DeadLetter: 'dead-letter',
  Edge: 'edge',
  Join: 'join',
  InterestRecord: 'interest',
  Enrolment: 'enrolment',
  Standing: 'standing',
  AuditHead: 'audit-head',
  Feedback: 'feedback',
  RuleCounts: 'rule-counts',
  OperatorAction: 'operator-action',
  RunSignal: 'run-signal',
} as const;

/** Entries of state stores, which only the service that wrote them reads. */
const STATE_FILES = {
  StateHost: 'state-host',
  StateChain: 'state-chain',
  StateChainCounts: 'state-chain-counts',
  StateMemory: 'state-memory',
  StateRuleMemory: 'state-rule-memory',
  StateRuleCounts: 'state-rule-counts',
  StateEdge: 'state-edge',
  StateOrder: 'state-order',
  StateKillLimit: 'state-kill-limit',
  StateCommand: 'state-command',
  StatePlaybookRun: 'state-playbook-run',
  StateBoot: 'state-boot',
  StateKnownProcess: 'state-known-process',
  StateKnownContainer: 'state-known-container',
  StateUser: 'state-user',
  StateFileHash: 'state-file-hash',
  StateAddressNames: 'state-address-names',
  StateWrites: 'state-writes',
  StateFilebeatHost: 'state-filebeat-host',
  StateFilebeatFile: 'state-filebeat-file',
  StateTicket: 'state-ticket',
} as const;

export const AVRO_FILES: typeof TOPIC_FILES & typeof STATE_FILES = { ...TOPIC_FILES, ...STATE_FILES };

export type RecordName = keyof typeof AVRO_FILES;

interface Attributes {
  readonly name: string;
  readonly type: unknown;
  readonly [key: string]: unknown;
}
/** A record as in its .avsc file. */
export interface RecordSchema extends Attributes {
  readonly fields: readonly Attributes[];
}

const registry: Record<string, avro.Type> = {};

function load(file: string): { schema: RecordSchema; type: avro.types.RecordType } {
  const schema = JSON.parse(readFileSync(new URL(`../../avro/${file}.avsc`, import.meta.url), 'utf8')) as RecordSchema;
  const type = avro.Type.forSchema(schema as unknown as avro.Schema, { registry, wrapUnions: 'auto' });
  return { schema, type: type as avro.types.RecordType };
}

const loaded = Object.fromEntries(Object.entries(AVRO_FILES).map(([name, file]) => [name, load(file)])) as Record<
  RecordName,
  ReturnType<typeof load>
>;

export const recordNames: readonly RecordName[] = Object.keys(AVRO_FILES) as RecordName[];

/** Names of the records that other programs read: their schemas are published. */
export const topicRecordNames: readonly RecordName[] = Object.keys(TOPIC_FILES) as RecordName[];

/** Returns the record that a schema of this full name describes; undefined for the name of no record of a topic. */
export const recordOfSchema = (fullName: string): RecordName | undefined =>
  topicRecordNames.find((record) => fullName === `ringfence.${record}`);

/** Returns the avsc type of a record. */
export function typeOf(name: RecordName): avro.types.RecordType {
  return loaded[name].type;
}

/** Returns the avsc type of the items of an array field. */
export const itemType = (name: RecordName, field: string): avro.Type => itemTypeOf(typeOf(name), field);

/** As `itemType`, for any version of a record. */
export function itemTypeOf(record: avro.Type, field: string): avro.Type {
  return ((record as avro.types.RecordType).field(field).type as avro.types.ArrayType).itemsType;
}

/** Returns the schema as in its file. */
export function schemaOf(name: RecordName): RecordSchema {
  return loaded[name].schema;
}

/** Returns a record type with the fields that `keep` accepts: a part of a record that is read in parts. */
export function partialType(name: RecordName, part: string, keep: (field: string) => boolean): avro.types.RecordType {
  const fields = schemaOf(name).fields.filter((field) => keep(field.name));
  const known = { ...registry };
  const inline = fields.map((field) => ({ ...field, type: withoutRedefinitions(field.type) }));
  return avro.Type.forSchema(
    { type: 'record', name: `${name}${part}`, namespace: 'ringfence', fields: inline } as avro.Schema,
    {
      registry: known,
      wrapUnions: 'auto',
    },
  ) as avro.types.RecordType;
}

/** Replaces definitions of named types by their names, because the registry has them already. */
function withoutRedefinitions(type: unknown): unknown {
  if (Array.isArray(type)) return type.map(withoutRedefinitions);
  if (typeof type !== 'object' || type === null) return type;
  const attributes = type as Record<string, unknown>;
  const name = attributes['name'];
  if (typeof name === 'string') return `ringfence.${name}`;
  if (attributes['type'] === 'array') return { ...attributes, items: withoutRedefinitions(attributes['items']) };
  if (attributes['type'] === 'map') return { ...attributes, values: withoutRedefinitions(attributes['values']) };
  return type;
}

/** Returns a record's schema as JSON that defines every type it uses, for recordings and the topic of schemas. */
export function portableSchema(name: RecordName): string {
  return JSON.stringify(typeOf(name).schema({ exportAttrs: true }));
}
