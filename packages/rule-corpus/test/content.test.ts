import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { catalogue, eventKinds } from '@ringfence/fields';
import { checkRules } from '@ringfence/rule-lab';
import { attackTechnique, compileRules, type FilteredEvents, servedTactics } from '@ringfence/rules';
import { builtIn, RULES, sources } from '../src/content.ts';

describe('the built-in rules', () => {
  const { rules } = builtIn();

  it('are 150 rules and 25 sequences or more, over 13 tactics, under different names', () => {
    const sequences = rules.filter(({ sequence }) => sequence !== undefined);
    assert.ok(sequences.length >= 25, `there are only ${sequences.length} sequences`);
    assert.ok(rules.length - sequences.length >= 150, `there are only ${rules.length} rules`);
    assert.equal(new Set(rules.map(({ name }) => name)).size, rules.length, 'two rules have the same name');
    const tactics = new Set(rules.flatMap((rule) => rule.tactics));
    assert.ok(tactics.size >= 13, `they only cover ${[...tactics].join(', ')}`);
  });

  it('have a test file beside each file with rules', () => {
    const withRules = [...new Set(rules.map(({ file }) => file))];
    const untested = withRules.filter((file) => !existsSync(join(RULES, file.replace(/\.yaml$/, '.test.yaml'))));
    assert.deepEqual(untested, [], 'these files have no NAME.test.yaml');
  });

  it('pass `ringfence rules check --strict`', () => {
    const { diagnostics } = checkRules({ sources, asked: new Set(sources.map(({ name }) => name)) }, { strict: true });
    assert.deepEqual(
      diagnostics.map(({ file, line, message }) => `${file}:${line}: ${message}`),
      [],
    );
  });

  it('have no tags but tactics and techniques', () => {
    const mistagged = rules.filter(
      ({ tags, tactics, techniques }) => tags.length !== tactics.length + techniques.length,
    );
    assert.deepEqual(
      mistagged.map(({ name, tags }) => `"${name}": one of ${tags.join(', ')} is neither a tactic nor a technique`),
      [],
    );
  });

  // Each tactic beyond the first adds to the score of an incident, so a lone alert must not look like a chain of them.
  it('have few tactics, whatever techniques they show', () => {
    const many = rules.filter(({ tactics }) => tactics.length > 3).map(({ name }) => name);
    assert.deepEqual(many, []);
  });

  it('have a technique for each of their tactics', () => {
    const unserved = rules.flatMap(({ name, tactics, techniques }) => {
      const served = techniques.flatMap((id) => [
        ...servedTactics(attackTechnique(id) ?? assert.fail(`there is no ${id}`)),
      ]);
      return tactics.filter((tactic) => !served.includes(tactic)).map((tactic) => `"${name}": ${tactic}`);
    });
    assert.deepEqual(unserved, [], 'no technique of these rules serves the tactic');
  });

  it('let the kernel drop opens that only read, but for some paths and names', () => {
    const filtered: FilteredEvents = { kind: 'open', fields: ['file.path'], given: { 'file.open.write': false } };
    const set = compileRules({ sources, catalogue, kinds: eventKinds, filtered: [filtered] });
    const [paths] = set.interest.paths;
    assert.deepEqual(paths?.unbounded, [], 'these rules on reads have no path prefix or file name');
    const wide = (paths?.prefixes ?? []).filter((prefix) => !/^\/.+\/.+/.test(prefix));
    assert.deepEqual(wide, [], 'these prefixes are a single folder of the root, which lets too many opens through');
  });
});
