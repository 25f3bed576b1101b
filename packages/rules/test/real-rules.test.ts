import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { catalogue, eventKinds } from '@ringfence/fields';
import fc from 'fast-check';
import type { FieldCatalogue, FieldValue } from '../src/model/catalogue.ts';
import type { Expression } from '../src/model/expression.ts';
import { compileRules } from '../src/rule-set.ts';

/** An open, with values of the product's fields by name and its path. */
interface Opened {
  readonly path: string;
  readonly values: ReadonlyMap<string, FieldValue>;
}

const READ: Readonly<Record<string, boolean>> = {
  'file.open.read': true,
  'file.open.write': false,
  'file.open.create': false,
  'file.open.truncate': false,
};
const ofPath: Readonly<Record<string, (path: string) => FieldValue>> = {
  'file.path': (path) => path,
  'file.name': (path) => path.slice(path.lastIndexOf('/') + 1),
  'file.directory': (path) => path.slice(0, Math.max(path.lastIndexOf('/'), path.startsWith('/') ? 1 : 0)),
};

const fields: FieldCatalogue<Opened> = {
  fields: catalogue.fields.map(({ subject: _, locate: __, ...field }) => ({
    ...field,
    get: ({ path, values }) => ofPath[field.name]?.(path) ?? READ[field.name] ?? values.get(field.name),
  })),
};
const folder = join(import.meta.dirname, '../../../rules');
const sources = readdirSync(folder)
  .filter((name) => /(?<!\.test)\.yaml$/.test(name))
  .map((name) => ({ name, text: readFileSync(join(folder, name), 'utf8') }));

const set = compileRules({
  sources,
  catalogue: fields,
  kinds: { names: eventKinds.names, of: () => 'open' },
  filtered: [{ kind: 'open', fields: ['file.path'], given: READ }],
});

/** Returns the values that the rules compare each field with: events made of them meet many conditions. */
function literals(): Map<string, FieldValue[]> {
  const found = new Map<string, FieldValue[]>();
  const visit = (part: Expression<Opened>): void => {
    if (part.kind === 'test') {
      const { name } = part.operand.field;
      found.set(name, [...(found.get(name) ?? []), ...part.values]);
    } else if ('items' in part) part.items.forEach(visit);
    else if ('item' in part) visit(part.item);
  };
  for (const { expression } of set.rules) visit(expression);
  return found;
}

const known = literals();
const texts = (field: string): string[] => [...new Set((known.get(field) ?? []).map(String))];
const path = fc.oneof(
  fc.constantFrom(...texts('file.path')),
  fc
    .tuple(
      fc.constantFrom('', '/tmp', '/home/u', '/proc/7', ...texts('file.path')),
      fc.constantFrom(...texts('file.path'), ...texts('file.name').map((name) => `/${name}`)),
    )
    .map(([head, tail]) => head + tail),
);
const otherFields = Object.fromEntries(
  [...known].map(([name, values]) => [name, fc.option(fc.constantFrom(...values, 'x'), { nil: undefined, freq: 3 })]),
);
const opened: fc.Arbitrary<Opened> = fc
  .tuple(path, fc.record(otherFields))
  .map(([file, values]) => ({ path: file, values: new Map(Object.entries(values)) }));

describe('the built-in rules', () => {
  test('match no read of a path that the filter would drop', () => {
    const { prefixes, names, unbounded } = set.interest.paths[0]!;
    assert.deepEqual(unbounded, []);
    const seen = new Set<string>();
    fc.assert(
      fc.property(opened, (event) => {
        set.matcher.match(
          event,
          ({ name }) => {
            seen.add(name);
            const covered =
              prefixes.some((prefix) => event.path.startsWith(prefix)) ||
              names.some((last) => event.path.endsWith(`/${last}`));
            assert.ok(covered, `${name} matches ${event.path}`);
          },
          0,
        );
      }),
      { numRuns: 20_000 },
    );
    assert.ok(seen.size > 2, `only ${[...seen]} matched anything`);
  });
});
