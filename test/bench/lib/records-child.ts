/** Writes records into a pinned ring until it is killed: records-child.ts OBJECT PIN RECORD, with RECORD in base64. */
import { BpfObject } from '@ringfence/libbpf-ts';

const RECORDS_PER_RUN = 100_000n;
const RECORD_MAX = 256;
const [path = '', pin = '', text = ''] = process.argv.slice(2);
const template = Buffer.from(text, 'base64');
using object = BpfObject.open(path);
object.definition('ring').pinAt(pin);
object.load();
const record = Buffer.concat([template, Buffer.alloc(RECORD_MAX - template.length)]);
object.map('templates').set(0, { size: template.length, record });
process.stdout.write('ready\n');
for (;;) {
  const order = Buffer.alloc(16);
  order.writeBigUInt64LE(RECORDS_PER_RUN);
  object.program('produce').run({ context: order });
}
