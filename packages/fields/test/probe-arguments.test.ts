import assert from 'node:assert/strict';
import test from 'node:test';
import { records } from '@ringfence/wire';
import fc from 'fast-check';
import { parseProbeArguments } from '../src/probes/probe-arguments.ts';

const { ProbeType } = records;

function argument(
  name: string,
  type: number,
  value: bigint,
  content: Uint8Array = Buffer.alloc(0),
  failed = 0,
): Buffer {
  const header = Buffer.alloc(40);
  header.writeBigUInt64LE(BigInt.asUintN(64, value), 0);
  header.writeUInt32LE(failed, 8);
  header.writeUInt16LE(content.length, 12);
  header.writeUInt16LE(type, 14);
  header.write(name, 16, 24);
  return Buffer.concat([header, content]);
}

const texts = (...parts: Buffer[]): [string, string, number | undefined, boolean][] =>
  parseProbeArguments(Buffer.concat(parts)).map(({ name, text, number, cut }) => [name, text, number, cut]);

test('arguments are parsed by their types', () => {
  const far = Buffer.from('20010db8000000000000000000000001', 'hex');
  assert.deepEqual(
    texts(
      argument('big', ProbeType.TYPE_UNSIGNED, 2n ** 64n - 1n),
      argument('small', ProbeType.TYPE_SIGNED, -5n),
      argument('at', ProbeType.TYPE_POINTER, 0x7fffn),
      argument('uri', ProbeType.TYPE_STRING, 2n, Buffer.from('/a')),
      argument('cut', ProbeType.TYPE_BYTES, 9n, Buffer.of(1, 255)),
      argument('near', ProbeType.TYPE_IPV4, 4n, Buffer.of(192, 0, 2, 1)),
      argument('far', ProbeType.TYPE_IPV6, 16n, far),
      argument('a_name_as_long_as_it_gets', ProbeType.TYPE_SIGNED, 1n),
    ),
    [
      ['big', '18446744073709551615', 2 ** 64, false],
      ['small', '-5', -5, false],
      ['at', '0x7fff', 0x7fff, false],
      ['uri', '/a', undefined, false],
      ['cut', '01ff', undefined, true],
      ['near', '192.0.2.1', undefined, false],
      ['far', '2001:db8::1', undefined, false],
      ['a_name_as_long_as_it_get', '1', 1, false],
    ],
  );
});

test('arguments that failed, have an unknown type or a wrong size are omitted, and the rest is kept', () => {
  const good = argument('good', ProbeType.TYPE_SIGNED, 1n);
  assert.deepEqual(
    texts(
      argument('failed', ProbeType.TYPE_STRING, 0n, Buffer.alloc(0), 1),
      argument('unknown', 99, 0n, Buffer.from('x')),
      argument('short', ProbeType.TYPE_IPV4, 4n, Buffer.of(1)),
      good,
    ).map(([name]) => name),
    ['good'],
  );
});

test('arbitrary and truncated bytes are parsed within their bounds and do not throw', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
      const found = parseProbeArguments(bytes);
      assert.ok(found.length <= 8);
    }),
  );
  const whole = argument('uri', ProbeType.TYPE_STRING, 4n, Buffer.from('/abc'));
  for (let size = 0; size < whole.length; size++) assert.deepEqual(parseProbeArguments(whole.subarray(0, size)), []);
});
