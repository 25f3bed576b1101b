import type { Interest } from '@ringfence/interest';
import type { Want } from '@ringfence/wire';

const MAX_ITEMS = 100_000;

/** Validates an interest from the services' process, which is less privileged. Throws TypeError. */
export function parseInterest(value: unknown): Interest {
  const { version, openPathPrefixes, rawPaths, wants, ...lists } = value as Partial<Interest>;
  return {
    version: parseVersion(version),
    openPathPrefixes: openPathPrefixes === null ? null : parseTexts(openPathPrefixes, 'openPathPrefixes'),
    openNames: parseTexts(lists.openNames, 'openNames'),
    openExecutables: parseTexts(lists.openExecutables, 'openExecutables'),
    changePathPrefixes: parseTexts(lists.changePathPrefixes, 'changePathPrefixes'),
    changeNames: parseTexts(lists.changeNames, 'changeNames'),
    openPaths: parseTexts(lists.openPaths, 'openPaths'),
    rawPaths: rawPaths === true,
    environment: parseTexts(lists.environment, 'environment'),
    wants: wants === null ? null : parseList(wants, 'wants').map(parseWant),
  };
}

/** Every batch names the version as a varint, which would never end for a number whose double is Infinity. */
function parseVersion(value: unknown): number {
  const version = parseInteger(value);
  if (version < 0) throw invalid('version');
  return version;
}

function parseWant(value: unknown): Want {
  const want = value as Partial<Want>;
  const [kind = '', form = '', scope = ''] = parseTexts([want.kind, want.form, want.scope], 'wants');
  const ports = (list: unknown): number[] => parseList(list, 'ports').map(parseInteger);
  return { kind, form, scope, peerPorts: ports(want.peerPorts), localPorts: ports(want.localPorts) };
}

function parseList(value: unknown, name: string): readonly unknown[] {
  if (!Array.isArray(value) || value.length > MAX_ITEMS) throw invalid(name);
  return value;
}

function parseInteger(value: unknown): number {
  if (!Number.isSafeInteger(value)) throw invalid('numbers');
  return value as number;
}

function parseTexts(value: unknown, name: string): string[] {
  return parseList(value, name).map((text) => {
    if (typeof text !== 'string') throw invalid(name);
    return text;
  });
}

const invalid = (name: string): TypeError => new TypeError(`an interest with invalid ${name}`);
