import { existsSync, readdirSync, readFileSync } from 'node:fs';
import avro from 'avsc';
import { AVRO_FILES, type RecordName, recordNames } from './schemas.ts';

const HISTORY = new URL('../../history/', import.meta.url);

export interface ReleasedSchema {
  readonly version: string;
  readonly name: RecordName;
  readonly type: avro.Type;
}

/**
 * Returns the schemas of every released version, from `history/<version>/*.avsc`. They are part of the program, because
 * agents do not publish their schemas, and may not be upgraded yet.
 */
export function releasedSchemas(): readonly ReleasedSchema[] {
  return readdirSync(HISTORY)
    .sort()
    .flatMap((version) => releaseOf(version));
}

function releaseOf(version: string): ReleasedSchema[] {
  const registry: Record<string, avro.Type> = {};
  return recordNames.flatMap((name) => {
    const file = new URL(`${version}/${AVRO_FILES[name]}.avsc`, HISTORY);
    if (!existsSync(file)) return [];
    const schema = JSON.parse(readFileSync(file, 'utf8')) as avro.Schema;
    return [{ version, name, type: avro.Type.forSchema(schema, { registry, wrapUnions: 'auto' }) }];
  });
}
