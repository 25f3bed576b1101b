import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { render } from '../src/diagnostics/diagnostics.ts';
import { compileFilter } from '../src/filter.ts';
import { compile, compileCondition, createTestEvent, matches } from './support/compile.ts';
import { catalogue, kinds } from './support/events.ts';

/** This rule must stay active next to any broken one. */
const GOOD = '- rule: good\n  condition: process.name = bash\n';
const BASH = createTestEvent('exec', { 'process.name': 'bash' });

describe('a broken condition', () => {
  const table: readonly (readonly [condition: string, column: number, message: RegExp, hint: RegExp])[] = [
    ['proces.name = bash', 1, /unknown field 'proces\.name'/, /Did you mean 'process\.name'\?/],
    ['process.name = bash and user.uid = 0', 25, /unknown field 'user\.uid'/, /'user\.id'/],
    ['process.name cotnains x', 14, /unknown operator 'cotnains'/, /'contains'/],
    ['process.name matches x', 14, /unknown operator 'matches'/, /Write 'regex'/],
    ['process.name constructor x', 14, /unknown operator 'constructor'/, /Operators: =/],
    ['process.name bash', 14, /unknown operator 'bash'/, /Operators: =/],
    ['process.name =', 15, /condition ends here/, /word, a number or 'quoted text'/],
    ['process.name', 1, /'process\.name' has no value to compare with/, /process\.name exists/],
    ['shel', 1, /unknown macro 'shel'/, /Did you mean 'shell'\?/],
    ['shells', 1, /'shells' is a list, not a macro/, /in \(shells\)/],
    ['process.name in shels', 17, /unknown list 'shels'/, /Did you mean 'shells'\?/],
    ['process.name in (a b)', 20, /expected ',' or '\)'/, /commas/],
    ['process.name in (a, b', 17, /'\(' is never closed/, /Close the list/],
    ['(process.name = a', 1, /'\)' is missing/, /Add '\)'/],
    ['process.name = a)', 17, /'\)' closes nothing/, /Remove it/],
    ["process.name = 'a", 16, /never closed/, /escape a quote/],
    ['process.name = a process.name = b', 18, /expected 'and', 'or' or the end/, /Join two parts/],
    ['process.name = a nad process.name = b', 18, /found 'nad'/, /Did you mean 'and'\?/],
    ['and process.name = a', 1, /'and' has no comparison before it/, /both sides/],
    ['process.name = a or', 20, /expected a field/, /starts with a field/],
    ['user.id = root', 11, /expected a number, found 'root'/, /80, 0x50/],
    ['user.id = 0755', 11, /expected a number/, /0o755/],
    ['user.id contains 5', 1, /'contains' compares text, but 'user\.id' is a number/, /Numbers compare/],
    ['process.name > 5', 1, /'>' compares numbers, but 'process\.name' is text/, /len\(field\)/],
    ['user.id < (1, 2)', 11, /one value, not with a list/, /^$/],
    ['container.privileged = yes', 24, /expected true or false/, /^$/],
    ['destination.ip = localhost', 18, /expected an address/, /10\.0\.0\.1/],
    ['destination.ip cidr 10.0.0.0/40', 21, /expected a network/, /10\.0\.0\.0\/8/],
    ['proc.aname = x', 1, /needs an argument/, /proc\.aname\[1\]/],
    ['proc.aname[x] = x', 1, /expected a number from 0/, /^$/],
    ['process.name[1] = x', 1, /takes no argument/, /without \[1\]/],
    ['lowercase(process.name) = x', 1, /unknown function 'lowercase'/, /tolower/],
    ["process.command_line regex '(a'", 28, /regular expression can't be used/, /RE2 syntax/],
    ["process.command_line regex '(?=a)b'", 28, /regular expression can't be used/, /no look-around/],
    ["process.name regex 'a{1001}'", 20, /regular expression can't be used/, /RE2/],
    ['process.name = val(user.id)', 16, /'process\.name' is text, 'user\.id' is a number/, /^$/],
    ['process.name regex val(process.name)', 20, /val\(\) doesn't work with 'regex'/, /contains/],
    ['hour(process.name) = 3', 1, /'process\.name' is not a time/, /^$/],
  ];
  for (const [condition, column, message, hint] of table) {
    test(`${condition} is reported at the place of the error`, () => {
      const set = compile(
        `- list: shells\n  items: [sh]\n- macro: shell\n  condition: process.name in (shells)\n${GOOD}- rule: r\n  condition: >-\n    ${condition}\n`,
      );
      assert.equal(set.diagnostics.length, 1, JSON.stringify(set.diagnostics));
      const [found] = set.diagnostics;
      assert.match(found!.message, message);
      assert.match(found!.hint, hint);
      assert.deepEqual([found!.line, found!.column - 4, found!.item, found!.severity], [9, column, 'r', 'error']);
      assert.deepEqual(matches(set, BASH), ['good'], 'the other rules stay active');
    });
  }

  test('has all its errors reported at once', () => {
    const set = compileCondition('proces.name = a and user.id = root and process.name cotains x or shel');
    assert.equal(set.diagnostics.length, 1, 'a syntax error comes alone');
    const names = compileCondition('proces.name = a and user.id = root and shel');
    assert.deepEqual(
      names.diagnostics.map(({ code }) => code),
      ['unknown-field', 'wrong-type', 'unknown-macro'],
    );
  });
});

test("errors of a rule's keys and of their values are reported at once", () => {
  const set = compile(
    `${GOOD}- rule: r\n  prioritty: high\n  priority: hi\n  condition: proces.name = a\n  threshold: { count: 5, wthin: 10s }\n  output: "%user.nam"\n`,
  );
  assert.deepEqual(
    set.diagnostics.map(({ line, message }) => `${line} ${message}`),
    [
      "4 unknown key 'prioritty' in a rule",
      "5 'hi' is not a valid priority",
      "6 unknown field 'proces.name'",
      "7 unknown key 'wthin' in a threshold",
      "8 unknown field 'user.nam'",
    ],
  );
  assert.deepEqual(matches(set, BASH), ['good']);
});

test('a text that ends too early is reported at its end', () => {
  const source = '- rule: r\n  condition: "process.name = a\n  desc: x\n\n\n';
  const [found] = compile(source).diagnostics;
  assert.deepEqual([found?.line, found?.column], [3, 10]);
  assert.match(found!.message, /a closing " is missing/);
});

describe('a rule file', () => {
  const table: readonly (readonly [problem: string, text: string, line: number, message: RegExp, hint: RegExp])[] = [
    [
      'an unknown key',
      '- rule: r\n  conditon: x exists\n  condition: user.id = 1',
      2,
      /unknown key 'conditon' in a rule/,
      /'condition'/,
    ],
    [
      'a key given twice',
      '- rule: r\n  condition: user.id = 1\n  condition: user.id = 2',
      3,
      /'condition' is given twice/,
      /^$/,
    ],
    ['no condition', '- rule: r\n  desc: x', 1, /no 'condition'/, /Add 'condition/],
    [
      'neither rule nor macro nor list',
      '- rul: r\n  condition: user.id = 1',
      1,
      /neither a rule/,
      /Did you mean 'rule'\?/,
    ],
    ['a text instead of items', 'hello', 1, /expected a list of rules/, /- rule: name/],
    [
      'an unknown priority',
      '- rule: r\n  condition: user.id = 1\n  priority: warnin',
      3,
      /'warnin' is not a valid priority/,
      /'warning'/,
    ],
    [
      'an unknown action',
      '- rule: r\n  condition: user.id = 1\n  action: kil',
      3,
      /'kil' is not a valid action/,
      /'kill'/,
    ],
    [
      'tags that are no list',
      '- rule: r\n  condition: user.id = 1\n  tags: a',
      3,
      /'tags' must be a list/,
      /tags: \[a, b\]/,
    ],
    [
      'an unknown technique',
      '- rule: r\n  condition: user.id = 1\n  techniques: [T12]',
      3,
      /'T12' is not an ATT&CK technique/,
      /T1059\.004/,
    ],
    [
      'an output with an unknown field',
      '- rule: r\n  condition: user.id = 1\n  output: hi %proces.name',
      3,
      /unknown field/,
      /process\.name/,
    ],
    [
      'a threshold without within',
      '- rule: r\n  condition: user.id = 1\n  threshold: { count: 2 }',
      3,
      /needs 'within'/,
      /10s/,
    ],
    [
      'a threshold with a bad unit',
      '- rule: r\n  condition: user.id = 1\n  threshold: { count: 2, within: 10sec }',
      3,
      /expected a duration/,
      /us, ms, s/,
    ],
    [
      'a threshold with an unknown key',
      '- rule: r\n  condition: user.id = 1\n  threshold: { count: 2, witin: 10s }',
      3,
      /unknown key 'witin'/,
      /'within'/,
    ],
    [
      'a threshold with both kinds',
      '- rule: r\n  condition: user.id = 1\n  threshold: { count: 2, distinct: user.id, within: 10s }',
      3,
      /either 'count', 'distinct', 'sum' or 'regular'/,
      /count: 20/,
    ],
    [
      'a threshold of regular events that does not say how far apart',
      '- rule: r\n  condition: user.id = 1\n  threshold: { regular: 8, within: 1h }',
      3,
      /'regular' and 'every' go together/,
      /every: 2s/,
    ],
    [
      'a threshold of an unknown field',
      '- rule: r\n  condition: user.id = 1\n  threshold: { count: 2, by: [usr.id], within: 10s }',
      3,
      /unknown field 'usr\.id'/,
      /'user\.id'/,
    ],
    ['two rules of one name', '- rule: good\n  condition: user.id = 1', 1, /already a rule 'good'/, /another name/],
  ];
  for (const [problem, text, line, message, hint] of table) {
    test(`with ${problem} gets a diagnostic, and its other rules stay active`, () => {
      const set = compile('', {
        sources: [
          { name: 'good.yaml', text: GOOD },
          { name: 'bad.yaml', text },
        ],
      });
      const [found] = set.diagnostics;
      assert.equal(set.diagnostics.length, 1, JSON.stringify(set.diagnostics));
      assert.deepEqual([found!.file, found!.line], ['bad.yaml', line]);
      assert.match(found!.message, message);
      assert.match(found!.hint, hint);
      assert.deepEqual(
        set.rules.map(({ name }) => name),
        ['good'],
      );
    });
  }

  test('that is not YAML gets the position of the error', () => {
    const [found] = compile('- rule: r\n  condition: "a\n').diagnostics;
    assert.equal(found?.code, 'yaml');
    assert.match(found.message, /not valid YAML/);
    assert.equal(found.hint, '');
  });

  test('that is indented with tabs gets one error per line', () => {
    const found = compile('- rule: r\n\tcondition: user.id = 0\n \toutput: x\n').diagnostics;
    assert.deepEqual(
      [...new Set(found.map(({ line, hint }) => `${line} ${hint}`))],
      ['2 Indent with spaces, not with tabs.'],
    );
    assert.equal(found.length, 1);
  });

  test('that is empty or has only comments is valid', () => {
    for (const text of ['', '\n\n', '# nothing yet\n', '[]']) assert.deepEqual(compile(text).diagnostics, []);
  });

  test('with macros that refer to each other gets an error that names the cycle', () => {
    const set = compile(
      `- macro: a\n  condition: b\n- macro: b\n  condition: c or user.id = 1\n- macro: c\n  condition: a\n- rule: r\n  condition: a\n${GOOD}`,
    );
    const circle = set.diagnostics.find(({ code }) => code === 'cycle');
    assert.match(circle!.message, /a → b → c → a/);
    assert.deepEqual(
      set.rules.map(({ name }) => name),
      ['good'],
    );
  });

  test('with lists that contain each other gets an error', () => {
    const set = compile(`- list: a\n  items: [b]\n- list: b\n  items: [x, a]\n${GOOD}`);
    assert.match(set.diagnostics.map(({ message }) => message).join(), /a → b → a/);
    assert.deepEqual(set.rules.length, 1);
  });

  test('gets the place of the error in a macro, and errors for the rules that use it', () => {
    const set = compile(`- macro: m\n  condition: usr.id = 1\n- rule: r\n  condition: m\n${GOOD}`);
    assert.deepEqual(
      set.diagnostics.map(({ line, code }) => [line, code]),
      [
        [2, 'unknown-field'],
        [4, 'broken-macro'],
      ],
    );
    assert.deepEqual(
      set.rules.map(({ name }) => name),
      ['good'],
    );
  });

  test('gets a warning with the reason for a rule that can never match', () => {
    const [found] = compileCondition('file.path = /etc/passwd and destination.port = 80').diagnostics;
    assert.equal(found?.severity, 'warning');
    assert.match(found.message, /can never match/);
    assert.match(found.hint, /file\.path is on open\. destination\.port is on connect\./);
    const why = (condition: string, more = ''): string => compileCondition(condition, more).diagnostics[0]!.message;
    assert.match(
      why('process.name = sh and file.path in (paths)', '- list: paths\n  items: []'),
      /file\.path is compared with an empty list/,
    );
    const twice =
      '- macro: twice\n  condition: event.action = exec and event.action = open or event.action = fork and event.action = open';
    assert.match(why('process.name = sh and twice', twice), /: 'twice' holds on no event/);
  });

  for (const [problem, rule, message] of [
    ['two names of one process', 'condition: process.name = sh and process.name = bash', "process.name can't be both"],
    ['a name and another beginning', 'condition: process.name = sh and process.name startswith b', "can't be both"],
    ['a name but not that name', 'condition: process.name = sh and not process.name in (sh, bash)', "can't be both"],
    [
      'a step that no event fits',
      'condition: sequence with maxspan=1m [ event.action = exec ] [ file.path = /x and destination.port = 1 ]',
      "can never match, as its step 2 can't: no kind",
    ],
    [
      'a step whose events lack what joins it',
      'condition: sequence by file.path with maxspan=1m [ event.action = open ] [ event.action = exec ]',
      "can never match, as its step 2 can't",
    ],
    [
      'what is new of a field that the events lack',
      'condition: event.action = exec\n  first_seen: { by: [file.path], within: 1d }',
      'can never match: no kind',
    ],
    [
      'a count of what the events lack',
      'condition: event.action = exec\n  threshold: { distinct: file.path, at_least: 3, within: 1m }',
      'can never match: no kind',
    ],
    [
      'different values of what it groups by',
      'condition: event.action = exec\n  threshold: { distinct: user.name, at_least: 3, by: [user.name], within: 1m }',
      'it counts 3 different values of user.name, by which it groups',
    ],
    [
      'a third value of what is true or false',
      'condition: event.action = exec\n  summary: { distinct: container.privileged, above: 2, within: 1m }',
      'it counts 3 different values of container.privileged, which is true or false',
    ],
  ] as const) {
    test(`gets a warning that a rule can never match if it asks for ${problem}`, () => {
      const found = compile(`- rule: r\n  ${rule}\n`).diagnostics.filter(({ code }) => code === 'never');
      assert.equal(found.length, 1);
      assert.ok(found[0]!.message.includes(message), found[0]!.message);
    });
  }

  for (const rule of [
    'condition: process.args = sh and process.args = bash',
    'condition: not (process.name = sh and user.id = 1) and process.name = sh',
    'condition: process.name in (sh, bash) and process.name startswith b',
    'condition: sequence by process.name with maxspan=1m [ event.action = open ] ![ file.path = /x and destination.port = 1 ]',
    'condition: event.action = open\n  threshold: { distinct: file.path, at_least: 3, by: [process.name], within: 1m }',
    'condition: event.action = exec\n  threshold: { distinct: user.name, at_least: 1, by: [user.name], within: 1m }',
    'condition: event.action = exec\n  threshold: { count: 3, by: [file.path], within: 1m }',
    'condition: event.action = exec\n  summary: { count: events, below: 3, by: [file.path], within: 1m }',
  ]) {
    test(`gets no warning for ${rule.replace(/\n/g, ';')}`, () =>
      assert.deepEqual(compile(`- rule: r\n  ${rule}\n`).diagnostics, []));
  }

  test('gets a warning for a value whose case a function changes', () => {
    const [found] = compileCondition("tolower(process.name) in ('sh', 'Bash')").diagnostics;
    assert.equal(found?.message, "'tolower(process.name)' has no capital letters, and 'Bash' has");
    assert.equal(found.hint, "Write 'bash'.");
    assert.match(compileCondition('toupper(process.name) contains sh').diagnostics[0]!.message, /no small letters/);
    for (const fine of ['tolower(process.name) = sh', 'tolower(process.name) iglob S*', 'process.name icontains SH'])
      assert.deepEqual(compileCondition(fine).diagnostics, []);
  });

  test('gets a warning if a field or list is compared as text', () => {
    assert.match(
      compileCondition('process.name = process.parent.name').diagnostics[0]!.hint,
      /val\(process\.parent\.name\)/,
    );
    assert.match(
      compileCondition('process.name = shells', '- list: shells\n  items: [sh]').diagnostics[0]!.hint,
      /in \(shells\)/,
    );
    assert.equal(compileCondition("process.name = 'process.parent.name'").diagnostics.length, 0);
  });

  test('may have a disabled rule, which is checked all the same', () => {
    const set = compile(
      '- rule: off\n  condition: usr.id = 1\n  enabled: false\n- rule: off2\n  condition: user.id = 1\n  enabled: false',
    );
    assert.deepEqual(
      set.diagnostics.map(({ code }) => code),
      ['unknown-field'],
    );
    assert.deepEqual(set.rules, []);
  });
});

describe('a filter', () => {
  test('holds or not', () => {
    const filter = compileFilter('process.name startswith ba and not user.id = 0', '--where', catalogue, kinds);
    assert.equal(filter.holds?.(BASH), true);
    assert.equal(filter.holds?.(createTestEvent('exec', { 'process.name': 'bash', 'user.id': 0 })), false);
  });

  test('with errors has diagnostics instead', () => {
    const text = 'user.id = 1\nand proces.name = x';
    const filter = compileFilter(text, '--where', catalogue, kinds);
    assert.equal(filter.holds, undefined);
    assert.match(
      render(filter.diagnostics[0]!, text),
      /^--where:2:5: error: unknown field 'proces\.name'\n {2}2 \| and proces/,
    );
  });
});
