export { ACCESS, type Access, PLAIN_TOPICS, RECORD_ON, ROLES, type Role, recordsOf, topicsOf } from './access.ts';
export { ByAge } from './by-age.ts';
export { CAPABILITIES, capabilityNames } from './capabilities.ts';
export {
  asBuffer,
  current,
  decode,
  encode,
  FRAME_BYTES,
  fingerprint,
  frame,
  knowsSchema,
  learnSchema,
  learntSchemas,
  registerWriter,
  writerSchemas,
} from './codec.ts';
export type { Control } from './control.ts';
export { EventCursor } from './cursor.ts';
export { deadLetter } from './dead-letter.ts';
export { type DnsAnswer, type DnsMessage, type DnsQuestion, parseDns } from './dns.ts';
export { SchemaError, type SchemaErrorCode } from './errors.ts';
export { type EventBatchHead, EventBatchWriter, EventView } from './event-batch.ts';
export { EventWitness } from './event-witness.ts';
export {
  addressText,
  catalogue,
  documentOf,
  type EventDocument,
  eventKinds,
  type Field,
  type FieldSpec,
  type FieldType,
  type FieldValue,
  isoTime,
  type Subject,
} from './fields/index.ts';
export * from './generated/types.generated.ts';
export { type ReleasedSchema, releasedSchemas } from './history.ts';
export { alertId, commandId, entityId, eventId, incidentId, LANE, type Origin, UNKNOWN_BOOT } from './ids.ts';
export {
  FILTERED_KINDS,
  type FieldFact,
  FORMS,
  type Form,
  type Interest,
  interestContent,
  interestSince,
  interestVersion,
  SCOPES,
  wantOf,
} from './interest.ts';
export { KIND, type KindName, kindName, LEAF, layouts, leafIndex } from './layout.ts';
export { LOG_ACTIONS, type LogAction } from './log-actions.ts';
export { isSignedLines } from './log-lines.ts';
export { executableName, normalPath } from './path.ts';
export { type ProbeArgument, parseProbeArguments } from './probe.ts';
export { ProcessInfo } from './process.ts';
export {
  decodePart,
  type EventHead,
  type RawBatchEnd,
  type RawBatchHead,
  RawBatchReader,
  RawBatchWriter,
  SIGNATURE_BYTES,
  signedPart,
} from './raw-batch.ts';
export { openRecording, placeOf, type Recording, recordingEntry, recordingHeader } from './recording.ts';
export { records } from './records.ts';
export {
  itemsIn,
  itemsOf,
  portableSchema,
  type RecordName,
  type RecordSchema,
  recordNames,
  schemaOf,
  typeOf,
} from './schemas.ts';
export { type Hole, type SequenceState, SequenceTracker } from './sequences.ts';
export {
  createSigningKey,
  encodeSigned,
  importSigningKey,
  keyIdOf,
  type SignedName,
  type SigningKey,
  signBytes,
  signerOf,
  UNSIGNED,
  verifyRecord,
  verifyRecordAside,
} from './signing.ts';
export { createSingleEvent } from './single-event.ts';
export type { Step, Trace } from './step.ts';
export { callNames, callNumber, sourceName } from './system-calls.ts';
export { decodeText, escapeText, splitText, type TextPlace } from './text.ts';
export { parseTlsHello, type TlsHello } from './tls.ts';
export { TOPIC, type Topic, type TopicDefault, topics, topicsWith } from './topics.ts';
export { nanosToMicros, U64_ZERO, u64Equals, u64FromBigInt, u64High, u64Low, u64ToBigInt, u64ToHex } from './u64.ts';
export { AvroWriter } from './writer.ts';
