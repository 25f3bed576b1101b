import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { type DnsMessage, parseDns } from '../src/network/dns.ts';

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(/\s/g, ''), 'hex');
const label = (text: string): string =>
  Buffer.from(text).length.toString(16).padStart(2, '0') + Buffer.from(text).toString('hex');
const QUERY = `beef 0100 0001 0000 0000 0000 ${label('Example')}${label('com')}00 0001 0001`;

test('a query is parsed', () => {
  assert.deepEqual(parseDns(hex(QUERY), false), {
    response: false,
    responseCode: 'NOERROR',
    questions: [{ name: 'example.com', type: 'A' }],
    answers: [],
    addresses: [],
  });
});

test('an answer is parsed: compressed names, IPv4 and IPv6 addresses, type and size of other records', () => {
  const name = 'c00c';
  const answer = (type: string, data: string): string =>
    `${name} ${type} 0001 0000003c ${(data.length / 2).toString(16).padStart(4, '0')} ${data}`;
  const bytes = hex(
    `beef 8180 0001 0005 0000 0000 ${label('example')}${label('com')}00 00ff 0001
     ${answer('0005', `${label('www')}c00c`)} ${answer('0001', 'c0000201')}
     ${answer('001c', '20010db8000000000000000000000007')} ${answer('0010', label('v=spf1'))} ${answer('fde8', '00')}`,
  );
  assert.deepEqual(parseDns(bytes, false), {
    response: true,
    responseCode: 'NOERROR',
    questions: [{ name: 'example.com', type: 'ANY' }],
    answers: [
      { name: 'example.com', type: 'CNAME', data: 'www.example.com' },
      { name: 'example.com', type: 'A', data: '192.0.2.1' },
      { name: 'example.com', type: 'AAAA', data: '2001:db8::7' },
      { name: 'example.com', type: 'TXT', data: 'TXT (7 bytes)' },
      { name: 'example.com', type: 'TYPE65000', data: 'TYPE65000 (1 bytes)' },
    ],
    addresses: ['192.0.2.1', '2001:db8::7'],
  });
});

test('the root name, NXDOMAIN and unprintable bytes in names are parsed', () => {
  const root = parseDns(hex('0001 8183 0001 0000 0000 0000 00 0002 0001'), false);
  assert.deepEqual([root?.questions, root?.responseCode], [[{ name: '.', type: 'NS' }], 'NXDOMAIN']);
  const odd = parseDns(hex('0001 0100 0001 0000 0000 0000 05 61002e5cff 00 0010 0001'), false);
  assert.deepEqual(odd?.questions, [{ name: 'a\\000\\.\\\\\\255', type: 'TXT' }]);
});

test('a TCP message is parsed with its length prefix, without it, and when it is truncated', () => {
  const whole = parseDns(hex(QUERY), false);
  assert.deepEqual(parseDns(hex(`001d ${QUERY}`), true), whole);
  assert.deepEqual(parseDns(hex(QUERY), true), whole);
  const long = QUERY.replace('0000 0000 0000', '0003 0000 0000').replace('0100', '8100');
  assert.equal(parseDns(hex(`0fa0 ${long}`), true)?.questions[0]?.name, 'example.com');
});

test('truncated answers are omitted, and the question is kept', () => {
  const bytes = hex(`${QUERY.replace('0000 0000 0000', '0002 0000 0000')} c00c 0001 0001 0000003c 0004 c00002`);
  assert.deepEqual(parseDns(bytes, false)?.questions, [{ name: 'example.com', type: 'A' }]);
  assert.deepEqual(parseDns(bytes, false)?.answers, []);
});

for (const [description, bytes] of [
  ['nothing', ''],
  ['a header alone', 'beef 0100 0001 0000 0000 0000'],
  ['no question', 'beef 0100 0000 0000 0000 0000 00 0001 0001'],
  ['hundreds of questions', 'beef 0100 0100 0000 0000 0000 00 0001 0001'],
  ['a name that points at itself', 'beef 0100 0001 0000 0000 0000 c00c 0001 0001'],
  ['a name that points ahead', 'beef 0100 0001 0000 0000 0000 c00e c010 0001 0001'],
  ['a label that exceeds the packet', 'beef 0100 0001 0000 0000 0000 3f61 0001 0001'],
  ['a label of an unknown kind', 'beef 0100 0001 0000 0000 0000 8161 00 0001 0001'],
  ['a name of more than 255 bytes', `beef 0100 0001 0000 0000 0000 ${`3f${'61'.repeat(63)}`.repeat(5)} 00 0001 0001`],
  ['a name without its end', 'beef 0100 0001 0000 0000 0000 0161'],
] as const) {
  test(`${description} is not parsed as a message`, () => assert.equal(parseDns(hex(bytes), false), undefined));
}

function assertBounded(message: DnsMessage | undefined): void {
  if (message === undefined) return;
  const { questions, answers, addresses } = message;
  assert.ok(questions.length <= 4 && answers.length <= 32 && addresses.length <= answers.length);
  // Every byte can be escaped as four characters.
  for (const { name } of [...questions, ...answers]) assert.ok(name.length <= 4 * 255);
}

test('arbitrary bytes do not throw, and the result is bounded', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 600 }), fc.boolean(), (bytes, tcp) => assertBounded(parseDns(bytes, tcp))),
    { numRuns: 2000 },
  );
  // Bytes that begin like a message get further.
  const begun = hex('beef 8180 0001 0020 0000 0000');
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.constantFrom(0, 1, 0xc0, 12, 63), fc.nat(255)), { maxLength: 500 }), (rest) =>
      assertBounded(parseDns(Buffer.concat([begun, Buffer.from(rest)]), false)),
    ),
    { numRuns: 2000 },
  );
});

test('every valid name is parsed unchanged', () => {
  const name = fc.array(fc.stringMatching(/^[a-z0-9_-]{1,40}$/), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(name, (labels) => {
      const bytes = hex(`0001 0100 0001 0000 0000 0000 ${labels.map(label).join('')} 00 0001 0001`);
      assert.equal(parseDns(bytes, false)?.questions[0]?.name, labels.join('.'));
    }),
  );
});
