import { Batch } from '@ringfence/collector/batch';
import { isSound } from '@ringfence/sensor/record-check';
import { sample } from '@ringfence/sensor/test/records';
import { transcode } from '@ringfence/sensor/transcode';
import { createSigningKey, RawBatchReader, records } from '@ringfence/wire';
import fc from 'fast-check';
import { mutate } from '../lib/mutate.ts';
import type { Random } from '../lib/random.ts';
import type { FuzzTarget } from '../lib/target.ts';

/** Known kinds, and some that are not. */
const KINDS = 36;
const MAX_FIXED_BYTES = 4096;
const SAMPLES = 200;

/** Returns a record with a header that is mostly right, random fields, and texts that mostly lie behind them. */
function recordBy(random: Random): Buffer {
  const record = Buffer.alloc(records.SIZEOF_HEADER + random.below(random.once(4) ? MAX_FIXED_BYTES : 600));
  for (let at = records.SIZEOF_HEADER; at + 4 <= record.length; at += 4)
    record.writeInt32LE(random.once(2) ? random.below(record.length) : random.integer() | 0, at);
  record.writeUInt32LE(random.once(10) ? random.next() : record.length, records.HEADER_SIZE);
  record.writeUInt16LE(random.below(KINDS), records.HEADER_KIND);
  record.writeUInt32LE(random.once(10) ? random.next() : random.below(1 << 20), records.HEADER_KTIME + 4);
  record.writeUInt32LE(random.once(10) ? random.next() : random.below(4), records.HEADER_SEQUENCE + 4);
  return random.once(3) ? mutate(record, random) : record;
}

export const transcoder: FuzzTarget = {
  name: 'transcoder',
  description: 'records of the kernel rings: the check of a record, and the transcoder that writes its event',
  shortRuns: 6000,
  outcomes: ['accepted', 'not sound'],
  memoryMax: 8 << 20,
  open() {
    const key = createSigningKey();
    const identity = { hostId: 'h', bootId: 'b', agentVersion: '0', run: Buffer.alloc(8, 1) };
    const reader = new RawBatchReader();
    const batch = new Batch(identity, key, 512 * 1024);
    const genuine = fc.sample(sample, { numRuns: SAMPLES, seed: 1 }).map(({ record }) => record);
    return {
      generate: (random) => (random.once(2) ? mutate(random.pick(genuine), random) : recordBy(random)),
      run(input) {
        // The ring's memory ends with the record: a read beyond it throws.
        const bytes = Buffer.from(new Uint8Array(input).buffer);
        const view = new DataView(bytes.buffer, 0, bytes.length);
        if (!isSound(view, 0, bytes.length)) return 'not sound';
        transcode({ bytes, view }, 0, 0, false, batch);
        let events = 0;
        for (const finished of batch.takeFinished()) {
          reader.open(finished.bytes);
          while (reader.next()) events++;
        }
        if (events !== 1) throw new Error(`a record became ${events} events`);
        return 'accepted';
      },
    };
  },
};
