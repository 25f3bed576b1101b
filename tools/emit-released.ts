/** Emits the list of released schemas: what this program accepts without a signature. */
import { createHash } from 'node:crypto';
import { fingerprint, releasedSchemas } from '@ringfence/wire';

/** Throws TypeError if two released schemas have the same fingerprint. */
export function releasedText(): string {
  const found = new Map<string, { readonly sha256: string; readonly users: string[] }>();
  for (const { version, name, type } of releasedSchemas()) {
    const canonical = JSON.stringify(type.schema());
    const print = fingerprint(canonical).toString('hex');
    const sha256 = createHash('sha256').update(canonical).digest('hex');
    const { users, ...known } = found.get(print) ?? { sha256, users: [] };
    if (known.sha256 !== sha256) throw new TypeError(`two released schemas have the fingerprint ${print}`);
    found.set(print, { sha256, users: [...users, `${name} of ${version}`] });
  }
  const entries = [...found].map(
    ([print, { sha256, users }]) => `  // ${users.join(', ')}\n  ['${print}', '${sha256}'],\n`,
  );
  return `
/** SHA-256 of the canonical form of each released schema (hex), by its CRC-64-AVRO as in frames (hex). */
export const RELEASED: ReadonlyMap<string, string> = new Map([
${entries.join('')}]);
`;
}
