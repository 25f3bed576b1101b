import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { domainOf, networkOf, networkText, overlap } from '../src/index.ts';

const read = (text: string): string | null => {
  const network = networkOf(text);
  return network === null ? null : networkText(network);
};

describe('networkOf', () => {
  it('reads addresses and networks of both families, and clears the bits behind the prefix', () => {
    assert.equal(read('192.0.2.7'), '192.0.2.7');
    assert.equal(read('192.0.2.7/24'), '192.0.2.0/24');
    assert.equal(read('0.0.0.0/0'), '0.0.0.0/0');
    assert.equal(read('2001:DB8:0:0::1'), '2001:db8::1');
    assert.equal(read('2001:db8:ffff::/33'), '2001:db8:8000::/33');
    assert.equal(read('::/0'), '::/0');
    assert.equal(read('::ffff:192.0.2.7'), '192.0.2.7');
  });

  it('refuses everything else, also forms that other programs read as an address', () => {
    for (const text of [
      '',
      '0300.0.2.7',
      '192.0.2',
      '3221225991',
      '192.0.2.7/33',
      '192.0.2.7/-1',
      '192.0.2.7/024',
      'a',
    ])
      assert.equal(read(text), null, text);
    for (const text of ['2001:db8::/129', 'fe80::1%eth0', ':::', '1:2:3:4:5:6:7:8:9', '192.0.2.7 ', '[::1]'])
      assert.equal(read(text), null, text);
  });
});

describe('overlap', () => {
  it('compares as many bits as both have', () => {
    const check = (one: string, other: string): boolean =>
      overlap(networkOf(one) as never, networkOf(other) as never) &&
      overlap(networkOf(other) as never, networkOf(one) as never);
    assert.equal(check('192.0.2.0/24', '192.0.2.7'), true);
    assert.equal(check('192.0.2.0/25', '192.0.2.128'), false);
    assert.equal(check('::/0', '192.0.2.7'), true);
    assert.equal(check('2001:db8::/32', '2001:db9::1'), false);
  });
});

describe('domainOf', () => {
  it('reads domains as DNS compares them', () => {
    assert.equal(domainOf('Example.COM.'), 'example.com');
    assert.equal(domainOf('_dmarc.example.com'), '_dmarc.example.com');
    assert.equal(domainOf('xn--bcher-kva.example'), 'xn--bcher-kva.example');
  });

  it('refuses everything else', () => {
    for (const text of [
      '',
      '.',
      'a..b',
      '-a.example',
      '192.0.2.7',
      'bücher.example',
      `${'a'.repeat(64)}.example`,
      'a b',
    ])
      assert.equal(domainOf(text), null, text);
    assert.equal(domainOf(`${'a'.repeat(49)}.`.repeat(5)), null);
  });
});
