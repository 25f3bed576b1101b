import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { ConfigError } from '@ringfence/config';
import { startTestCollector, type TestPlace } from '@ringfence/testkit/agent';
import { textAt } from '../src/custom-probes/elf-file.ts';
import { parseExpression } from '../src/custom-probes/expression.ts';
import { readProbeFiles } from '../src/custom-probes/file.ts';
import { parseFormat, usualType } from '../src/custom-probes/format.ts';
import { ProbeProblem } from '../src/custom-probes/types.ts';
import { parseUsdtArgument } from '../src/custom-probes/usdt.ts';

describe('files that define probes', () => {
  let directory: string;
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'ringfence-custom-'));
  });
  after(() => rmSync(directory, { recursive: true }));

  function write(text: string, name = 'probes.yaml'): string {
    const file = join(directory, name);
    writeFileSync(file, text);
    return file;
  }

  /** Returns line:column and the message of each problem. */
  function problems(text: string): string[] {
    const file = write(text);
    try {
      readProbeFiles([file]);
      return [];
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      return error.message.split('\n').map((line) => line.replaceAll(`${file}:`, ''));
    }
  }

  it('define targets and arguments with their defaults, and where each probe was defined', () => {
    const file = write(`# mine
- name: request
  uprobe: { path: /usr/sbin/nginx, symbol: f, return: true }
  arguments:
    - { name: status, from: "*(retval + 0x10)", type: s32 }
- name: query
  usdt: { path: /usr/lib/x.so, provider: db, name: query__start }
  perSecond: 10
  arguments: [{ name: size, from: arg1, type: u32 }, { name: text, from: arg0, type: bytes, max: 64, length: size }]
`);
    assert.deepEqual(readProbeFiles([file]), [
      {
        name: 'request',
        defined: `${file}:2:3`,
        target: { kind: 'uprobe', path: '/usr/sbin/nginx', symbol: 'f', offset: 0, onReturn: true },
        arguments: [
          {
            name: 'status',
            from: { base: 'retval', offsets: [16], offset: 0 },
            type: 's32',
            max: 256,
            lengthOf: undefined,
          },
        ],
        perSecond: 1000,
      },
      {
        name: 'query',
        defined: `${file}:6:3`,
        target: { kind: 'usdt', path: '/usr/lib/x.so', provider: 'db', name: 'query__start' },
        arguments: [
          { name: 'size', from: { base: 'arg1', offsets: [], offset: 0 }, type: 'u32', max: 256, lengthOf: undefined },
          { name: 'text', from: { base: 'arg0', offsets: [], offset: 0 }, type: 'bytes', max: 64, lengthOf: 0 },
        ],
        perSecond: 10,
      },
    ]);
  });

  it("are read in order of their names from a directory; a probe's name must be unique across them", () => {
    const many = join(directory, 'many');
    mkdirSync(many);
    const probe = (name: string): string => `- { name: ${name}, tracepoint: { category: sched, name: x } }\n`;
    writeFileSync(join(many, 'b.yaml'), probe('second'));
    writeFileSync(join(many, 'a.yml'), probe('first'));
    writeFileSync(join(many, 'c.txt'), 'not read');
    assert.deepEqual(
      readProbeFiles([many]).map(({ name }) => name),
      ['first', 'second'],
    );
    writeFileSync(join(many, 'c.yaml'), probe('first'));
    assert.throws(() => readProbeFiles([many]), /c\.yaml:1:3: first: a probe first is already defined in .*a\.yml:1:3/);
    assert.throws(() => readProbeFiles([join(directory, 'absent')]), /absent: it can't be read: ENOENT/);
  });

  it('are rejected as a whole, with file, line and column of each mistake', () => {
    assert.deepEqual(
      problems(`- name: bad name
  uprobe: { path: relative, symbol: f }
- name: two
  uprobe: { path: /x, symbol: f }
  usdt: { path: /x, provider: p, name: n }
- name: keys
  uprobes: { path: /x }
- name: arguments
  uprobe: { path: /x, symbol: f }
  arguments:
    - { name: a, from: retval, type: u32 }
    - { name: a, from: "*(arg0", type: string, max: 2000 }
`),
      [
        '1:9: name: expected up to 64 letters, digits, dots, dashes, underscores',
        '2:19: uprobe.path: expected an absolute path',
        '3:3: expected one of uprobe, usdt, tracepoint; got uprobe and usdt',
        '7:3: "uprobes" is not known here',
        '12:53: arguments.1.max: Too big: expected number to be <=1024',
      ],
    );
    assert.deepEqual(
      problems(`- name: arguments
  uprobe: { path: /x, symbol: f }
  arguments:
    - { name: a, from: retval, type: u32 }
    - { name: a, from: "*(arg0", type: string }
    - { name: b, from: arg0, type: string, length: a }
    - { name: c, from: arg0, type: bytes, length: d }
- name: gone
  uprobe: { path: /x, symbol: f, return: true, offset: 4 }
  arguments: [{ name: a, from: arg0, type: u8 }]
- name: nowhere
  uprobe: { path: /x }
- name: usdt
  usdt: { path: /x, provider: p, name: n }
  arguments: [{ name: a, from: "*(self)", type: u8 }]
`),
      [
        '4:24: arguments.0.from: expected arg0, arg1, …; got retval, which needs return: true',
        '5:15: arguments.1.name: an argument a is already defined',
        '5:24: arguments.1.from: expected ) at the end',
        '6:52: arguments.2.length: only bytes have a length, not string',
        '7:51: arguments.3.length: expected the name of a previous argument; got d',
        '9:42: uprobe.return: the return of a function needs its symbol, and no offset',
        "10:32: arguments.0.from: expected retval; got arg0: a function's arguments are not available when it returns",
        '12:11: uprobe: expected symbol, offset (in the file), or both',
        '15:32: arguments.0.from: expected arg0, arg1, …; got self',
      ],
    );
    assert.deepEqual(problems('name: x\n'), ['1:1: expected a list of probes']);
    assert.match(problems('- [')[0] ?? '', /^\d+:\d+: not valid YAML/);
    assert.deepEqual(problems(''), []);
    const many = Array.from({ length: 65 }, (_, n) => `- { name: p${n}, tracepoint: { category: a, name: b } }\n`);
    assert.deepEqual(problems(many.join('')), ['65:3: p64: too many probes: at most 64 are allowed']);
  });

  it("prevent a collector's start if they have a mistake, before it creates anything", async () => {
    const place = { directory: join(directory, 'state'), pinPath: join(directory, 'pins') } as TestPlace;
    const custom = [write('- name: x\n')];
    const options = { probes: { pam: false, shell: false, tls: false, files: [], custom } };
    await assert.rejects(
      startTestCollector(place, { produce: () => assert.fail() }, options),
      /probes\.yaml:1:3: expected one of/,
    );
    assert.deepEqual([place.directory, place.pinPath].filter(existsSync), []);
  });
});

it('an expression consists of a base, offsets and dereferences', () => {
  const cases: [string, ReturnType<typeof parseExpression>][] = [
    ['arg0', { base: 'arg0', offsets: [], offset: 0 }],
    ['arg1 + 8 - 0x2', { base: 'arg1', offsets: [], offset: 6 }],
    ['*(arg0)', { base: 'arg0', offsets: [0], offset: 0 }],
    ['*(*(retval+16)-8)+4', { base: 'retval', offsets: [16, -8], offset: 4 }],
  ];
  for (const [text, parsed] of cases) assert.deepEqual(parseExpression(text), parsed, text);
  for (const text of [
    '',
    '*arg0',
    '*(arg0',
    'arg0)',
    'arg0+',
    'arg0+x',
    '5',
    'arg0 arg1',
    '+4',
    'a+999999999',
    '*(*(*(*(*(a)))))',
  ])
    assert.throws(() => parseExpression(text), ProbeProblem, text);
});

it('operands of USDT arguments are parsed in the syntax of both architectures', () => {
  const x64: [string, ReturnType<typeof parseUsdtArgument>][] = [
    ['-4@%edi', { kind: 'register', at: 112, size: -4 }],
    ['1@%al', { kind: 'register', at: 80, size: 1 }],
    ['8@-16(%rbp)', { kind: 'memory', at: 32, offset: -16, size: 8 }],
    ['8@(%rsp)', { kind: 'memory', at: 152, offset: 0, size: 8 }],
    ['-4@$-7', { kind: 'constant', value: -7n, size: -4 }],
    ['2@%r12w', { kind: 'register', at: 24, size: 2 }],
  ];
  for (const [text, parsed] of x64) assert.deepEqual(parseUsdtArgument(text, 'x64'), parsed, text);
  const arm64: [string, ReturnType<typeof parseUsdtArgument>][] = [
    ['-4@w3', { kind: 'register', at: 24, size: -4 }],
    ['8@x19', { kind: 'register', at: 152, size: 8 }],
    ['8@[sp,16]', { kind: 'memory', at: 248, offset: 16, size: 8 }],
    ['4@[x0]', { kind: 'memory', at: 0, offset: 0, size: 4 }],
    ['-4@-1', { kind: 'constant', value: -1n, size: -4 }],
  ];
  for (const [text, parsed] of arm64) assert.deepEqual(parseUsdtArgument(text, 'arm64'), parsed, text);
  for (const text of ['8@sym(%rip)', '8@(%rax,%rbx,8)', '3@%eax', '8@%xmm0', '', '8@'])
    assert.throws(() => parseUsdtArgument(text, 'x64'), ProbeProblem, text);
});

it('the fields of a tracepoint are parsed from its format, without the header that BPF does not see', () => {
  const field = (text: string, offset: number, size: number, signed = 0): string =>
    `\tfield:${text};\toffset:${offset};\tsize:${size};\tsigned:${signed};\n`;
  const format = `name: x\nID: 1\nformat:\n${[
    field('unsigned short common_type', 0, 2),
    field('int common_pid', 4, 4, 1),
    '\n',
    field('__data_loc char[] filename', 8, 4),
    field('pid_t pid', 12, 4, 1),
    field('const char * text', 16, 8),
    field('void * at', 24, 8),
    field('__u8 saddr[4]', 32, 4),
    field('__u8 saddr_v6[16]', 36, 16),
    field('char comm[16]', 52, 16),
    field('__rel_loc char[] rel', 68, 4),
  ].join('')}\nprint fmt: "x"\n`;
  assert.deepEqual(
    parseFormat(format, 'sched').map((field) => `${field.name} ${field.declared} ${field.is} ${usualType(field)}`),
    [
      'filename __data_loc char[] data_loc string',
      'pid pid_t number s32',
      'text const char * pointer string',
      'at void * pointer pointer',
      'saddr __u8[4] array ipv4',
      'saddr_v6 __u8[16] array ipv6',
      'comm char[16] array string',
    ],
  );
  // BPF sees only the number and the arguments of a system call.
  assert.deepEqual(
    parseFormat(format, 'syscalls').map(({ name }) => name),
    ['pid', 'text', 'at', 'saddr', 'saddr_v6'],
  );
});

describe('the texts of an ELF file', () => {
  it('are limited to 4 KiB: in a damaged table, each of millions of texts could span all of it', () => {
    const bytes = Buffer.alloc(10_000, 'a');
    bytes.writeUInt8(0, 9_990);
    assert.deepEqual([textAt(bytes, 0), textAt(bytes, 9_985), textAt(bytes, 9_995)], ['', 'aaaaa', '']);
  });
});
