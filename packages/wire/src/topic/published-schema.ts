import { type KeyObject, verify } from 'node:crypto';
import { type SigningKey, signBytes } from '../signing.ts';
import { asBuffer } from '../values/bytes.ts';
import { ACCESS, ROLES, type Role } from './access.ts';
import { RECORD_ON, TOPIC } from './topics.ts';

/** Precedes the text in what is signed: no signature of another kind of record is one of a schema. */
const CONTEXT = 'ringfence.schemas\n';
const TAIL = /,"keyId":"([0-9a-f]{16})","signature":"([0-9a-f]{128})"\}$/;
const TAIL_CHARS = ',"keyId":"","signature":""}'.length + 16 + 128;
/** Bytes after the signed ones: the signature in hex, a quote and a brace. */
const SIGNATURE_TAIL_BYTES = 128 + 2;

/**
 * Returns a schema as published on `ringfence.schemas`. Key id and signature are the last attributes of the JSON
 * object: readers of 0.1.0 ignore them. Without a key, the schema is published unsigned, as within one process.
 */
export function publishSchema(schemaJson: string, key: SigningKey | null): Buffer {
  if (key === null) return Buffer.from(schemaJson);
  const signed = `${schemaJson.slice(0, -1)},"keyId":"${key.keyId}","signature":"`;
  return Buffer.from(`${signed}${signBytes(key, Buffer.from(CONTEXT + signed)).toString('hex')}"}`);
}

export interface PublishedSchema {
  /** The schema with the attributes of its publisher, which Avro ignores. */
  readonly schema: string;
  /** Empty: unsigned */
  readonly keyId: string;
  isSignedBy(key: KeyObject): boolean;
}

/** Reads a record of `ringfence.schemas` without parsing the schema. */
export function readPublishedSchema(value: Uint8Array): PublishedSchema {
  const bytes = asBuffer(value);
  const schema = bytes.toString('utf8');
  const [, keyId = '', signature = ''] = TAIL.exec(schema.slice(-TAIL_CHARS)) ?? [];
  const isSignedBy = (key: KeyObject): boolean => {
    if (keyId === '') return false;
    const signed = bytes.subarray(0, bytes.length - SIGNATURE_TAIL_BYTES);
    return verify(null, Buffer.concat([Buffer.from(CONTEXT), signed]), key, Buffer.from(signature, 'hex'));
  };
  return { schema, keyId, isSignedBy };
}

/** Returns the roles that publish the schema of a record: those that write the record and may write schemas. */
export function publishersOf(name: string): Role[] {
  const writes = ({ writes: topics }: (typeof ACCESS)[Role]): boolean =>
    topics.includes(TOPIC.schemas) && topics.some((topic) => RECORD_ON[topic] === name);
  return ROLES.filter((role) => writes(ACCESS[role]));
}
