import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { exec, selects } from './support.ts';

const on = (commandLine: string, values = {}) => exec(commandLine, values);

/** Selection → [command lines that fit, command lines that don't]. */
const CASES: Readonly<Record<string, readonly [fits: readonly string[], not: readonly string[]]>> = {
  'CommandLine: /bin/ls -l': [
    ['/bin/ls -l', '/BIN/LS -L'],
    ['/bin/ls -la', 'x/bin/ls -l'],
  ],
  'CommandLine|cased: /bin/ls -l': [['/bin/ls -l'], ['/BIN/ls -l']],
  'CommandLine|contains: Secret': [['cat SECRET.txt'], ['cat sec ret']],
  'CommandLine|contains|all: [a1, b2]': [['b2 a1'], ['a1', 'b2']],
  'CommandLine|contains: [a1, b2]': [['x b2', 'x A1'], ['a b']],
  'CommandLine|startswith: sh -c': [['SH -c x'], ['x sh -c']],
  'CommandLine|endswith: .png': [['cat a.PNG'], ['cat a.png.x']],
  "CommandLine: 'ls *.txt'": [['ls a.txt', 'ls .txt', 'LS dir/b.TXT'], ['ls a.txt.x']],
  "CommandLine: 'ls ?.txt'": [['ls a.txt'], ['ls .txt', 'ls ab.txt']],
  "CommandLine: 'ls \\*.txt'": [['ls *.txt'], ['ls a.txt']],
  "CommandLine: 'ls \\?'": [['ls ?'], ['ls a']],
  "CommandLine: 'a\\b'": [['a\\b'], ['ab', 'a\\\\b']],
  "CommandLine: 'a\\\\b'": [['a\\b'], ['a\\\\b']],
  "CommandLine: 'a\\\\*'": [
    ['a\\', 'a\\xyz'],
    ['axyz', 'a*'],
  ],
  "CommandLine: 'a\\\\\\*'": [['a\\*'], ['a\\x', 'a*']],
  "CommandLine: 'a[b]c'": [['a[b]c'], ['abc']],
  "CommandLine|re: '\\s-[ab]\\s'": [['x -a y'], ['x -A y', 'x -c y']],
  "CommandLine|re|i: 'x{2,3}$'": [['aXX'], ['ax']],
  "CommandLine|re|m: '^two$'": [['one\ntwo\nthree'], ['one two']],
  "CommandLine|re|s: 'a.b'": [['a\nb'], ['ab']],
  'CommandLine|re: abc': [['xabcx'], ['xABCx']],
  'CommandLine|base64|contains: foobar': [['echo Zm9vYmFy'], ['echo foobar']],
  'CommandLine|base64offset|contains: /bin/sh': [
    ['/bin/sh -c', 'x/bin/sh', 'xy/bin/sh', 'xyz/bin/sh -i'].map(
      (text) => `echo ${Buffer.from(text).toString('base64')}`,
    ),
    ['echo /bin/sh'],
  ],
  'CommandLine|utf16le|base64offset|contains: whoami': [
    ['whoami', 'awhoami', 'abwhoami'].map((text) => `p ${Buffer.from(text, 'utf16le').toString('base64')}`),
    [`p ${Buffer.from('whoami').toString('base64')}`],
  ],
  'CommandLine|wide|base64|contains: abc': [[`p ${Buffer.from('abc', 'utf16le').toString('base64')}`], ['p abc']],
  'CommandLine|utf16be|base64|contains: abc': [
    [`p ${Buffer.from('abc', 'utf16le').swap16().toString('base64')}`],
    [`p ${Buffer.from('abc', 'utf16le').toString('base64')}`],
  ],
  'CommandLine|utf16|base64|contains: abc': [
    [`p ${Buffer.from('\ufeffabc', 'utf16le').toString('base64')}`],
    [`p ${Buffer.from('abc', 'utf16le').toString('base64')}`],
  ],
  "CommandLine|windash|contains: ' -enc '": [['p -enc x', 'p /enc x', 'p \u2013enc x', 'p \u2014ENC x'], ['p enc x']],
  'CommandLine|neq: ls': [['cat'], ['ls', 'LS']],
  'CommandLine|exists: true': [['ls'], []],
  'CommandLine: null': [[], ['ls']],
};

describe('a value of a Sigma rule', () => {
  for (const [selection, [fits, not]] of Object.entries(CASES)) {
    test(selection, () => {
      for (const text of fits) assert.equal(selects(selection, on(text)), true, `fits ${JSON.stringify(text)}`);
      for (const text of not) assert.equal(selects(selection, on(text)), false, `doesn't fit ${JSON.stringify(text)}`);
    });
  }

  test('that is null or empty matches an absent or empty field', () => {
    for (const value of ['null', '~', "''", '']) {
      assert.equal(selects(`ParentImage: ${value}`, on('ls')), true, value);
      assert.equal(
        selects(`ParentImage: ${value}`, on('ls', { 'process.parent.executable': '/bin/sh' })),
        false,
        value,
      );
    }
    assert.equal(selects('ParentImage: [null, /bin/sh]', on('ls', { 'process.parent.executable': '/bin/sh' })), true);
    assert.equal(selects('ParentImage|exists: false', on('ls')), true);
  });

  test('of a number is compared as a number, or as text if it is a part', () => {
    const event = on('ls', { 'user.id': 1000 });
    const cases: Readonly<Record<string, boolean>> = {
      'LogonId: 1000': true,
      "LogonId: '1000'": true,
      'LogonId: [1, 2]': false,
      'LogonId|gt: 999': true,
      'LogonId|gte: 1001': false,
      'LogonId|lt: 1000': false,
      'LogonId|lte: 1000': true,
      'LogonId|neq: 0': true,
      'LogonId|startswith: 10': true,
      "LogonId: '1*'": true,
    };
    for (const [selection, holds] of Object.entries(cases)) assert.equal(selects(selection, event), holds, selection);
    assert.throws(() => selects('LogonId: root', event), /can never match/);
  });

  test('of a time is compared by its parts, in UTC', () => {
    const event = on('ls', { '@timestamp': Date.UTC(2025, 11, 29, 23, 5) * 1000 });
    const parts = { minute: 5, hour: 23, day: 29, week: 1, month: 12, year: 2025 };
    for (const [part, value] of Object.entries(parts)) {
      assert.equal(selects(`UtcTime|${part}: ${value}`, event), true, part);
      assert.equal(selects(`UtcTime|${part}|lt: ${value}`, event), false, part);
      assert.equal(selects(`UtcTime|${part}|gte: ${value}`, event), true, part);
    }
  });

  test('can be another field, compared without regard to case', () => {
    const event = on('/usr/bin/LS -l', { 'process.parent.executable': '/usr/bin/ls' });
    assert.equal(selects('ParentImage|fieldref: Image', event), true);
    assert.equal(selects('ParentImage|fieldref|cased: Image', event), false);
    assert.equal(selects('CommandLine|fieldref|startswith: ParentImage', event), true);
    assert.equal(selects('ParentImage|fieldref|neq: Image', event), false);
    const same = on('sh -c /bin/x', { 'process.executable': '/bin/x' });
    assert.equal(selects('CommandLine|fieldref|endswith: Image', same), true);
    assert.equal(selects('CommandLine|fieldref|contains: Image', same), true);
    assert.equal(selects('CommandLine|fieldref|startswith: Image', same), false);
  });

  test('with placeholders gets their values', () => {
    const sigma = { placeholders: { admins: ['root', 'adm_*'] } };
    const by = (name: string) => on('ls', { 'user.name': name });
    assert.equal(selects('User|expand: "%admins%"', by('adm_bob'), { sigma }), true);
    assert.equal(selects('User|expand: "%admins%"', by('bob'), { sigma }), false);
    assert.equal(selects('User|expand: "x-%admins%"', by('x-root'), { sigma }), true);
    assert.equal(selects("User|expand: '\\%admins%'", by('%admins%'), { sigma }), true);
    assert.equal(selects('User: "%admins%"', by('%admins%')), true);
    assert.throws(
      () => selects('User|expand: "%admin%"', by('x'), { sigma }),
      /there are no values for the placeholder '%admin%'/,
    );
  });
});
