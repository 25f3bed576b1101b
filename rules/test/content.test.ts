import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { attackTechnique, type FilteredEvents, servedTactics } from '@ringfence/rules';
import { builtIn, compile, content, contentFiles, judge, Scene } from './support.ts';

const ISSUE_RULE = `rule: 'Suspicious Process Execution'
desc: 'Detect shell spawned in production container'
condition: execve.args.filename in ['/bin/sh', '/bin/bash'] and container.image not in ['debug-tools:latest']
action: alert
`;

describe('built-in content', () => {
  const { rules } = builtIn();

  it('has 150 rules and 25 sequences or more, over 13 tactics, under different names', () => {
    const sequences = rules.filter(({ sequence }) => sequence !== undefined);
    assert.ok(sequences.length >= 25, `${sequences.length} sequences`);
    assert.ok(rules.length - sequences.length >= 150, `${rules.length} rules`);
    assert.equal(new Set(rules.map(({ name }) => name)).size, rules.length);
    const tactics = new Set(rules.flatMap((rule) => rule.tactics));
    assert.ok(tactics.size >= 13, [...tactics].join(', '));
  });

  it('has a test file for each file with rules', () => {
    const tested = (file: string) => existsSync(join(import.meta.dirname, file.replace(/\.yaml$/, '.test.ts')));
    const withRules = new Set(rules.map(({ file }) => file));
    assert.deepEqual(
      contentFiles.filter((file) => withRules.has(file) && !tested(file)),
      [],
    );
  });

  for (const rule of rules) {
    it(`"${rule.name}" says what it means, and names a tactic that its techniques serve`, () => {
      assert.match(rule.description, /^[A-Z].{15,}/s);
      assert.ok(rule.output.some((part) => typeof part !== 'string'));
      assert.ok(rule.tactics.length > 0 && rule.techniques.length > 0);
      assert.equal(rule.tactics.length + rule.techniques.length, rule.tags.length, 'a tag is neither');
      const served = rule.techniques.map((id) => {
        const technique = attackTechnique(id) ?? assert.fail(`there is no ${id}`);
        const tactics = [...servedTactics(technique)];
        assert.ok(
          tactics.some((tactic) => rule.tactics.includes(tactic)),
          `${id} serves ${tactics.join(', ')}`,
        );
        return tactics;
      });
      for (const tactic of rule.tactics) assert.ok(served.flat().includes(tactic), `no technique serves ${tactic}`);
    });
  }

  it('uses every list and macro that it defines', () => {
    const text = content.map((source) => source.text.replaceAll(/^- (list|macro): .*$/gm, '')).join('\n');
    const defined = content.flatMap((source) => [...source.text.matchAll(/^- (?:list|macro): (\w+)$/gm)]);
    assert.deepEqual(
      defined.map(([, name = '']) => name).filter((name) => !new RegExp(`\\b${name}\\b`).test(text)),
      [],
    );
  });

  it('lets the kernel drop opens that only read, but for some paths and names', () => {
    const filtered: FilteredEvents = { kind: 'open', fields: ['file.path'], given: { 'file.open.write': false } };
    const [paths] = compile(content, { filtered: [filtered] }).interest.paths;
    assert.deepEqual(paths?.unbounded, []);
    for (const prefix of paths?.prefixes ?? [])
      assert.match(prefix, /^\/.+\/.+/, 'a prefix of one folder lets too much through');
  });
});

describe('"Suspicious Process Execution" as a file of its own, as written', () => {
  const alone = () => compile([{ name: 'suspicious.yaml', text: ISSUE_RULE }]);
  const ofList = () =>
    compile([{ name: 'suspicious.yaml', text: ISSUE_RULE.replaceAll(/^/gm, '  ').replace(/^ {2}/, '- ') }]);

  for (const [shape, load] of [
    ['a single mapping', alone],
    ['a list of one', ofList],
  ] as const) {
    it(`fires on a shell in a container and on nothing else, as ${shape}`, () => {
      const rules = load();
      assert.deepEqual(
        rules.rules.map(({ name, action, priority }) => [name, action, priority]),
        [['Suspicious Process Execution', 'alert', 'warning']],
      );
      const scene = new Scene();
      scene.start('/bin/sh -c id', scene.inside);
      scene.start('/bin/bash', scene.startContainer({ image: 'debug-tools:latest' }));
      scene.start('/bin/bash');
      scene.start('/bin/ls', scene.inside);
      assert.deepEqual(
        judge(scene, rules).map(({ rule }) => rule),
        ['Suspicious Process Execution'],
      );
    });
  }
});
