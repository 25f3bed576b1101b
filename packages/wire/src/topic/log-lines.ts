import { asBuffer } from '../avro/codec.ts';

const HEAD = Buffer.from('{"ringfence":');

/** Whether a record of logs-raw has lines that an agent has signed: they begin so, a document of a Filebeat and a RawBatch never do. */
export const isSignedLines = (record: Uint8Array): boolean => asBuffer(record).subarray(0, HEAD.length).equals(HEAD);
