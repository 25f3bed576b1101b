/** Appends numbered batches to the spool in argv[2] until it is killed. Prints each number after the write. */
import { writeSync } from 'node:fs';
import { Spool } from '../../src/delivery/spool.ts';

const spool = new Spool(process.argv[2] ?? '', 64 << 20);
for (let number = 1; ; number++) {
  spool.append(number % 3 === 0 ? 'bulk' : 'security', Buffer.alloc(20_000 + number, number & 0xff), [[0, 0, 1]]);
  writeSync(1, `${number}\n`);
}
