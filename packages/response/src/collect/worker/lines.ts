import { readSync } from 'node:fs';
import { BUFFER } from './content.ts';

/** A longer line is given in pieces. */
const LINE_MAX = 1 << 20;
const LF = 10;

/** Reads the lines of an open file from `offset` on, without their ends, until `visit` returns false. */
export function forEachLine(fd: number, offset: number, visit: (line: Buffer) => boolean): void {
  let rest: Buffer = Buffer.alloc(0);
  for (let at = offset; ; ) {
    const length = readSync(fd, BUFFER, 0, BUFFER.length, at);
    if (length === 0) break;
    at += length;
    const chunk = BUFFER.subarray(0, length);
    let start = 0;
    for (let end = chunk.indexOf(LF); end >= 0; end = chunk.indexOf(LF, start)) {
      const line = chunk.subarray(start, end);
      if (!visit(rest.length === 0 ? line : Buffer.concat([rest, line]))) return;
      rest = Buffer.alloc(0);
      start = end + 1;
    }
    rest = Buffer.concat([rest, chunk.subarray(start)]);
    if (rest.length > LINE_MAX) {
      if (!visit(rest)) return;
      rest = Buffer.alloc(0);
    }
  }
  if (rest.length > 0) visit(rest);
}
