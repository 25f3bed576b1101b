import { readFileSync } from 'node:fs';

/**
 * Returns a framed record that Ringfence 0.1.0 wrote: the incident of two hosts, or the join with the whole chain of
 * the second host. In both, reasons and the story are sentences.
 */
export const releasedRecord = (record: 'incident' | 'join'): Buffer =>
  readFileSync(new URL(`../released/${record}-0.1.0.avro`, import.meta.url));
