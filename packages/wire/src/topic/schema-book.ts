import type { KeyObject } from 'node:crypto';
import { identifySchema } from '../avro/canonical.ts';
import {
  isKnownSchema,
  learnSchema,
  type SchemaStanding,
  standingOf,
  type WriterSchema,
  writerSchemas,
} from '../avro/codec.ts';
import { type RecordName, recordOfSchema } from '../avro/schemas.ts';
import type { SigningKey } from '../signing.ts';
import type { Role } from './access.ts';
import { publishersOf, publishSchema, readPublishedSchema } from './published-schema.ts';

/** Whose schemas this process learns, and its own key. */
export interface SchemaTrust {
  /** Signs the schemas that this process publishes. */
  readonly key: SigningKey;
  /** The fleet's root key, with which the registrar signs */
  readonly root: { readonly keyId: string; readonly publicKey: KeyObject };
  /** Finds the enrolled keys of a role. `at`: when the schema was published, µs since the epoch. */
  readonly trusted: (role: Role) => (keyId: string, at?: number) => KeyObject | undefined;
}

/** The `SchemaBook` port of `@ringfence/bus-kafka`. */
export interface WireSchemaBook {
  currentSchemas(): readonly WriterSchema[];
  knows(fingerprint: string): boolean;
  learn(schema: string): { readonly name: RecordName; readonly fingerprint: string } | null;
  identify(schema: string): {
    readonly name: RecordName | null;
    readonly fingerprint: string;
    readonly standing: SchemaStanding;
  };
  publish(schema: WriterSchema): Buffer | null;
  read(value: Uint8Array, at: number): { readonly schema: string; isTrusted(record: string): boolean };
}

/**
 * Schemas of this version and of released ones, and those learnt from the bus. A schema is learnt if the root key or a
 * key of a role that writes its records has signed it. `trust` null: the file of the embedded log is trusted.
 */
export function schemaBook(trust: SchemaTrust | null): WireSchemaBook {
  return {
    currentSchemas: writerSchemas,
    knows: isKnownSchema,
    learn: learnSchema,
    identify(schema) {
      const identity = identifySchema('schema', schema);
      const { name, fingerprint } = identity;
      return { name: recordOfSchema(name) ?? null, fingerprint, standing: standingOf(identity) };
    },
    publish({ name, schema }) {
      if (trust === null) return publishSchema(schema, null);
      return publishersOf(name).length === 0 ? null : publishSchema(schema, trust.key);
    },
    read(value, at) {
      const published = readPublishedSchema(value);
      const { schema, keyId } = published;
      const isTrusted = (record: string): boolean => {
        if (trust === null) return true;
        if (keyId === trust.root.keyId) return published.isSignedBy(trust.root.publicKey);
        const keys = publishersOf(record).map((role) => trust.trusted(role)(keyId, at));
        const key = keys.find((candidate) => candidate !== undefined);
        return key !== undefined && published.isSignedBy(key);
      };
      return { schema, isTrusted };
    },
  };
}
