import assert from 'node:assert/strict';
import test from 'node:test';
import { createTestHost } from '@ringfence/testkit';
import fc from 'fast-check';
import { createFeed, createTestDetector } from './support.ts';

test('arbitrary bytes are handled or refused as poison, and a refused record changes nothing', () => {
  const host = createTestHost();
  const sh = host.spawn(host.init, '/tmp/sh');
  host.open(sh, '/etc/shadow');
  host.credentials(sh, 0);
  host.connect(sh, '10.0.0.1', 80);
  host.tick();
  const [record] = createFeed(host).next();
  const good = Buffer.from(record?.value ?? []);
  assert.ok(record !== undefined);
  const change = fc.record({
    at: fc.nat({ max: good.length - 1 }),
    bytes: fc.uint8Array({ minLength: 1, maxLength: 12 }),
  });
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
      const value = Buffer.from(good);
      for (const { at, bytes } of changes) value.set(bytes.subarray(0, value.length - at), at);
      const detector = createTestDetector();
      try {
        detector.handle([{ ...record, value }]);
      } catch (error) {
        assert.equal((error as { fate?: string }).fate, 'poison', String((error as Error).stack));
        assert.equal(detector.stats().events, 0);
      }
    }),
    { numRuns: 1000 },
  );
});

test('a batch under the key of another host is refused', () => {
  const host = createTestHost();
  host.tick();
  const [record] = createFeed(host).next();
  assert.ok(record !== undefined);
  assert.throws(() => createTestDetector().handle([{ ...record, key: 'other' }]), {
    code: 'ERR_DETECTOR_KEY',
    fate: 'poison',
  });
  assert.throws(() => createTestDetector().handle([{ ...record, value: null }]), { code: 'ERR_DETECTOR_BOUNDS' });
});
