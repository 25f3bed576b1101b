import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { catalogue, eventKinds } from '@ringfence/fields';
import type { EventView } from '@ringfence/wire';
import type { FilteredEvents } from '../src/interest/rule-interest.ts';
import type { EventKinds, FieldCatalogue } from '../src/model/catalogue.ts';
import { compileRules } from '../src/rule-set.ts';

// That this compiles is half of the contract: the schema package does not know this package.
const fields: FieldCatalogue<EventView> = catalogue;
const kinds: EventKinds<EventView> = eventKinds;

describe("the product's field catalogue", () => {
  test('gives each name and alias to one field', () => {
    const names = fields.fields.flatMap(({ name, aliases = [] }) => [name, ...aliases]);
    assert.deepEqual(
      names.filter((name, i) => names.indexOf(name) !== i),
      [],
    );
  });

  test('names only existing kinds', () => {
    const known = new Set(kinds.names);
    for (const { name, kinds: on = [], constants = {}, values = {} } of fields.fields) {
      for (const kind of [...on, ...Object.keys(constants), ...Object.keys(values)])
        assert.ok(known.has(kind), `${name} is on '${kind}'`);
    }
  });

  test("has the fields of the documentation's rule, and restricts it to exec", () => {
    const text = `- rule: 'Suspicious Process Execution'
  desc: 'Detect shell spawned in production container'
  condition: execve.args.filename in ['/bin/sh', '/bin/bash'] and container.image not in ['debug-tools:latest']
  action: alert
`;
    const set = compileRules({ sources: [{ name: 'rule.yaml', text }], catalogue: fields, kinds });
    assert.deepEqual(set.diagnostics, []);
    assert.deepEqual(set.interest.kinds, ['exec']);
  });

  test('returns the paths that are read, since writes are always sent', () => {
    const text = '- rule: r\n  condition: file.open.write = true or file.path in (/etc/shadow) or file.name = id_rsa\n';
    const filtered: FilteredEvents[] = [{ kind: 'open', fields: ['file.path'], given: { 'file.open.write': false } }];
    const set = compileRules({ sources: [{ name: 'rule.yaml', text }], catalogue: fields, kinds, filtered });
    assert.deepEqual(set.interest.paths, [
      { prefixes: [], names: ['id_rsa', 'shadow'], executables: [], files: ['/etc/shadow'], unbounded: [] },
    ]);
  });
});
