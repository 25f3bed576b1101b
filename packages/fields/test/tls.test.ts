import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { parseTlsHello } from '../src/network/tls.ts';

const sized = (bytes: number, content: Buffer): Buffer => {
  const length = Buffer.alloc(bytes);
  length.writeUIntBE(content.length, 0, bytes);
  return Buffer.concat([length, content]);
};
const extension = (type: number, content: Buffer): Buffer =>
  Buffer.concat([Buffer.from([type >> 8, type & 255]), sized(2, content)]);
const serverName = (name: string): Buffer =>
  extension(0, sized(2, Buffer.concat([Buffer.from([0]), sized(2, Buffer.from(name, 'latin1'))])));
const protocols = (...names: string[]): Buffer =>
  extension(16, sized(2, Buffer.concat(names.map((name) => sized(1, Buffer.from(name))))));

function hello(...extensions: Buffer[]): Buffer {
  const body = Buffer.concat([
    Buffer.from([3, 3]),
    Buffer.alloc(32, 7),
    sized(1, Buffer.alloc(32, 9)),
    sized(2, Buffer.from([0x13, 1, 0x13, 2])),
    sized(1, Buffer.from([0])),
    sized(2, Buffer.concat(extensions)),
  ]);
  const handshake = Buffer.concat([Buffer.from([1]), sized(3, body)]);
  return Buffer.concat([Buffer.from([22, 3, 1]), sized(2, handshake)]);
}

test('server name and protocols are parsed at any position among the extensions', () => {
  const unknown = extension(0x0a0a, Buffer.alloc(3));
  const wanted = { serverName: 'secret.example', protocols: ['h2', 'http/1.1'] };
  const [name, alpn] = [serverName('Secret.example'), protocols('h2', 'http/1.1')];
  assert.deepEqual(parseTlsHello(hello(name, alpn, unknown)), wanted);
  assert.deepEqual(parseTlsHello(hello(unknown, alpn, unknown, name)), wanted);
});

test('a ClientHello without a name is parsed', () => {
  assert.deepEqual(parseTlsHello(hello()), { serverName: undefined, protocols: [] });
  assert.deepEqual(parseTlsHello(hello(serverName(''))), { serverName: undefined, protocols: [] });
});

test('unprintable bytes in a name are escaped', () => {
  assert.equal(parseTlsHello(hello(serverName('a\n\xff')))?.serverName, 'a\\010\\255');
});

test('a truncated ClientHello keeps the extensions before the cut', () => {
  const whole = hello(serverName('secret.example'), extension(51, Buffer.alloc(1200)), protocols('h2'));
  assert.deepEqual(parseTlsHello(whole.subarray(0, 600)), { serverName: 'secret.example', protocols: [] });
  for (let length = 0; length <= whole.length; length++) {
    const parsed = parseTlsHello(whole.subarray(0, length));
    assert.ok(parsed?.serverName === undefined || parsed.serverName === 'secret.example');
  }
});

test('a ServerHello, a later record and other traffic are not parsed', () => {
  const client = hello(serverName('x'));
  for (const [at, byte] of [
    [0, 23],
    [1, 2],
    [5, 2],
  ] as const) {
    const changed = Buffer.from(client);
    changed[at] = byte;
    assert.equal(parseTlsHello(changed), undefined);
  }
});

test('arbitrary bytes do not throw, and the result is bounded', () => {
  const begun = hello().subarray(0, 43);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 600 }), fc.boolean(), (rest, begins) => {
      const parsed = parseTlsHello(begins ? Buffer.concat([begun, rest]) : rest);
      assert.ok(parsed === undefined || parsed.protocols.length <= 16);
    }),
    { numRuns: 3000 },
  );
  const changed = hello(serverName('secret.example'), protocols('h2', 'http/1.1'));
  fc.assert(
    fc.property(fc.nat(changed.length - 1), fc.nat(255), (at, byte) => {
      const bytes = Buffer.from(changed);
      bytes[at] = byte;
      const parsed = parseTlsHello(bytes);
      assert.ok(parsed === undefined || (parsed.serverName?.length ?? 0) <= 4 * bytes.length);
    }),
    { numRuns: 2000 },
  );
});
