export {
  decode,
  decodePart,
  encode,
  FRAME_BYTES,
  frame,
  isKnownSchema,
  learnedSchemas,
  learnSchema,
  registerWriter,
  toCurrentSchema,
  writerSchemas,
} from './avro/codec.ts';
export { EventCursor } from './avro/cursor.ts';
export { fingerprint } from './avro/fingerprint.ts';
export { type ReleasedSchema, releasedSchemas } from './avro/history.ts';
export { KIND, kindName, LEAF_TYPE, type LeafLayout, layouts, processLeaves } from './avro/layout.ts';
export type { BooleanLeaf, BytesLeaf, FixedLeaf, LongLeaf } from './avro/leaf.ts';
export {
  itemType,
  itemTypeOf,
  portableSchema,
  type RecordName,
  type RecordSchema,
  recordNames,
  schemaOf,
  typeOf,
} from './avro/schemas.ts';
export { AvroWriter } from './avro/writer.ts';
export { type EventBatchHead, EventBatchWriter, EventView } from './batch/event-batch.ts';
export { EventWitness } from './batch/event-witness.ts';
export { ProcessInfo } from './batch/process.ts';
export {
  type EventHead,
  type RawBatchEnd,
  type RawBatchHead,
  RawBatchReader,
  RawBatchWriter,
} from './batch/raw-batch.ts';
export { type Hole, type SequenceState, SequenceTracker } from './batch/sequences.ts';
export { createSingleEvent } from './batch/single-event.ts';
export { SchemaError, type SchemaErrorCode } from './errors.ts';
export { type KindName, leaf, processLeaf } from './generated/leaves.generated.ts';
export * as records from './generated/records.generated.ts';
export * from './generated/types.generated.ts';
export { alertId, commandId, entityId, eventId, incidentId, LANE, type Origin, UNKNOWN_BOOT } from './ids.ts';
export { keyOfHost, openRecording, type Recording, recordingEntry, recordingHeader, routeOf } from './recording.ts';
export {
  claimedSigner,
  createSigningKey,
  encodeSigned,
  fingerprintOf,
  importSigningKey,
  keyIdOf,
  SIGNATURE_BYTES,
  type SignedName,
  type SigningKey,
  signBytes,
  signedPart,
  UNSIGNED,
  verifyRecord,
  verifyRecordAsync,
} from './signing.ts';
export { ACCESS, type Access, OPERATOR_ROLES, ROLES, type Role, recordsOf, topicsOf } from './topic/access.ts';
export { deadLetter } from './topic/dead-letter.ts';
export { publishSchema, readPublishedSchema } from './topic/published-schema.ts';
export { type SchemaTrust, schemaBook } from './topic/schema-book.ts';
export {
  isSignedLines,
  PLAIN_TOPICS,
  RECORD_ON,
  TOPIC,
  type Topic,
  type TopicDefault,
  topics,
  topicsWith,
} from './topic/topics.ts';
export { addressText } from './values/address.ts';
export {
  asBuffer,
  MAX_LONG,
  nanosToMicros,
  U64_ZERO,
  u64Equals,
  u64FromBigInt,
  u64High,
  u64Low,
  u64ToBigInt,
  u64ToHex,
} from './values/bytes.ts';
export { NO_CONTAINER_DETAILS } from './values/container.ts';
export { IPPROTO, KTHREADD_PID, SOCK, UNSET_ID } from './values/linux.ts';
export { type Asked, askedOf, orderFields, PROCESS_ONLY } from './values/order.ts';
export { executableName, isNormalPath, normalPath } from './values/path.ts';
export { MASK, maskSecrets } from './values/secrets.ts';
export { decodeText, escapeText, splitText, type TextSpan } from './values/text.ts';
