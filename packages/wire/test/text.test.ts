import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { addressText } from '../src/values/address.ts';
import { nanosToMicros, u64FromBigInt } from '../src/values/bytes.ts';
import { decodeText, escapeText, splitText } from '../src/values/text.ts';

test('bytes that are not UTF-8 are decoded as \\xNN', () => {
  const cases: [string, string][] = [
    ['68656c6c6f', 'hello'],
    ['c3a9', 'é'],
    ['ff41fe', '\\xffA\\xfe'],
    ['e282', '\\xe2\\x82'],
    ['efbfbd', '\ufffd'],
    ['c080', '\\xc0\\x80'],
    ['eda080', '\\xed\\xa0\\x80'],
    ['f09f9880', '😀'],
  ];
  for (const [hex, expected] of cases) assert.equal(decodeText(Buffer.from(hex, 'hex')), expected, hex);
});

test('any bytes can be decoded, and escaped text has no control character', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these must not be in the text
      assert.doesNotMatch(escapeText(decodeText(bytes)), /[\u0000-\u001f\u007f-\u009f\u202e]/);
    }),
  );
});

test('escape sequences of terminals and newlines become visible', () => {
  assert.equal(escapeText('a\u001b[31mb\nc\u202e'), 'a\\x1b[31mb\\x0ac\\u202e');
});

test('argv is split at NULs, and empty arguments are kept', () => {
  assert.deepEqual(splitText(Buffer.from('sh\0-c\0\0x\0')), ['sh', '-c', '', 'x']);
  assert.deepEqual(splitText(Buffer.from('cut')), ['cut']);
  assert.deepEqual(splitText(Buffer.alloc(0)), []);
});

test('addresses are written as in RFC 5952', () => {
  const cases: [string, string][] = [
    ['7f000001', '127.0.0.1'],
    ['00000000000000000000000000000001', '::1'],
    ['00000000000000000000000000000000', '::'],
    ['20010db8000000000001000000000001', '2001:db8::1:0:0:1'],
    ['00000000000000000000ffff0a000001', '10.0.0.1'],
    ['fe800000000000000000000000000000', 'fe80::'],
    ['20010db8000100010001000100010001', '2001:db8:1:1:1:1:1:1'],
  ];
  for (const [hex, expected] of cases) assert.equal(addressText(Buffer.from(hex, 'hex')), expected, hex);
  assert.equal(addressText(Buffer.alloc(3)), undefined);
});

test('ns become µs without rounding errors', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 9_000_000_000_000_000_000n }), (ns) =>
      assert.equal(nanosToMicros(u64FromBigInt(ns)), Number(ns / 1000n)),
    ),
  );
});
