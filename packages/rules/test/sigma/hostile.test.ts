import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { LIMITS } from '../../src/model/limits.ts';
import { compile, exec, matches, rule } from './support.ts';

const GOOD = { name: 'good.yml', text: rule('sel:\n    CommandLine: good\ncondition: sel').replace('Test', 'good') };

/** Expects one clear error, no crash, and the good rule of another file still active. */
function refuses(text: string, message: RegExp): void {
  const set = compile('', { sources: [GOOD, { name: 'bad.yml', text }] });
  assert.deepEqual(matches(set, exec('good')), ['good']);
  assert.match(set.diagnostics.map((found) => found.message).join('\n') || 'no diagnostics', message);
  assert.ok(set.diagnostics.length <= LIMITS.diagnosticsPerSource + 1);
}

const selection = (text: string): string => rule(`sel:\n    ${text}\ncondition: sel`);

describe('hostile Sigma files', () => {
  test('of many megabytes are refused unread', () => refuses(`title: x\n${'#'.repeat(3_000_000)}`, /allowed|neither/));
  test('of many documents are refused', () =>
    refuses('title: x\n---\n'.repeat(20_000), /documents in one file|neither|no 'detection'/));
  test('of collections nested without end are refused', () =>
    refuses(`title: x\ndetection: ${'['.repeat(50_000)}`, /nested too deeply|not valid YAML|more than 16/));
  test('of aliases that multiply are refused', () => {
    const levels = Array.from({ length: 30 }, (_, i) => `  a${i + 1}: &a${i + 1} [${`*a${i}, `.repeat(9)}]\n`);
    refuses(`title: x\ndetection:\n  a0: &a0 [x, x]\n${levels.join('')}`, /YAML aliases|more than \d+/);
  });
  test('of binary rubbish are refused', () => {
    const rubbish = String.fromCharCode(...Array.from({ length: 5000 }, (_, i) => (i * 7919) % 65_536));
    refuses(`title: x\n${rubbish}`, /./);
  });
  test('of parts of objects as names are refused like any other', () => {
    refuses(selection('__proto__: x'), /unknown field '__proto__'/);
    refuses(selection('Image|constructor: x'), /unknown modifier 'constructor'/);
    refuses(selection('Image: x').replace('linux', 'constructor'), /never fires here/);
    refuses(selection('Image: x').replace('process_creation', 'toString').toLowerCase(), /never fires here/);
    refuses(`level: constructor\n${selection('Image: x')}`, /'constructor' is not a level/);
    refuses(selection("Image|expand: '%constructor%'"), /there are no values for the placeholder/);
  });
});

describe('hostile conditions of Sigma rules', () => {
  const condition = (text: string): string => rule(`sel:\n    Image: x\ncondition: ${JSON.stringify(text)}`);
  test('of parentheses and nots without end are refused', () => {
    refuses(condition('('.repeat(10_000)), /more than 64 nested levels/);
    refuses(condition('not '.repeat(10_000)), /more than 64 nested levels/);
  });
  test('that are very long are refused', () => {
    refuses(condition('sel or '.repeat(20_000)), /characters; 65536 are allowed/);
    refuses(condition(`${'1 of them or '.repeat(5_000)}sel | count() > 1`), /aggregations/);
  });
  test('that name thousands of selections thousands of times compile quickly', () => {
    const selections = Array.from({ length: 2_000 }, (_, i) => `s${i}:\n    Image: x${i}`).join('\n');
    const set = compile(rule(`${selections}\ncondition: ${'1 of them or '.repeat(5_000)}all of s*`));
    assert.ok(set.diagnostics.length <= LIMITS.diagnosticsPerSource + 1);
  });
});

describe('hostile values of Sigma rules', () => {
  test('that backtracking engines never finish take no time', () => {
    const set = compile(selection("CommandLine|re: '^(a+)+$'"));
    assert.deepEqual(matches(set, exec(`${'a'.repeat(20_000)}!`)), []);
    const wild = compile(selection(`CommandLine: '${'*a'.repeat(60)}'`));
    assert.deepEqual(matches(wild, exec(`${'a'.repeat(5_000)}!`)), []);
  });
  test('that grow when they are expanded are refused', () => {
    const placeholders = { many: Array.from({ length: 1000 }, (_, i) => String(i)) };
    const set = compile(selection("Image|expand: '%many%%many%%many%'"), { sigma: { placeholders } });
    assert.match(set.diagnostics[0]?.message ?? '', /more than 10000 values/);
    refuses(selection(`CommandLine|re: '${'(x{1000}){1000}'}'`), /regular expression/);
  });
  test('of dashes without end stay one pattern', () => {
    const set = compile(selection(`CommandLine|windash|contains: '${' -a'.repeat(200)}'`));
    assert.deepEqual(matches(set, exec(`x${' /A'.repeat(200)}`)), ['Test']);
  });
  test('of a hundred thousand entries are one lookup', () => {
    const values = Array.from({ length: 90_000 }, (_, i) => `h${i}`).join(', ');
    const set = compile(selection(`Hashes|contains: [${values}]`));
    assert.deepEqual(set.diagnostics, []);
    assert.deepEqual(matches(set, exec('x', { Hashes: 'SHA256=H89999' })), ['Test']);
  });
});

test('any content of a Sigma file compiles to rules and diagnostics', () => {
  const word = fc.constantFrom(
    'sel',
    'not',
    'and',
    '1 of',
    'all of them',
    '(',
    ')',
    '|',
    'x*',
    '_y',
    "'",
    '%a%',
    '\\*',
    '-',
    'null',
  );
  const key = fc.constantFrom(
    'Image',
    'CommandLine|re',
    'LogonId|gt',
    'a|b',
    '|all',
    'type',
    'User|expand',
    'Image|base64offset|contains',
    'X|cidr',
  );
  const text = fc.array(word, { maxLength: 6 }).map((words) => words.join(' '));
  const body = fc.tuple(fc.array(fc.tuple(key, text), { maxLength: 4 }), text);
  fc.assert(
    fc.property(body, ([entries, condition]) => {
      const lines = entries.map(([name, value]) => `    ${JSON.stringify(name)}: ${JSON.stringify(value)}`);
      const set = compile(rule(`sel:\n${lines.join('\n')}\ncondition: ${JSON.stringify(condition)}`));
      assert.ok(set.rules.length + set.diagnostics.length > 0);
      matches(set, exec('sel x'));
    }),
    { numRuns: 300 },
  );
});
