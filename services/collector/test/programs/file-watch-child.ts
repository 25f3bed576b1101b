/**
 * Follows the files below ROOT: `file-watch-child.ts ROOT`. Prints what it follows at the start, and after ten ticks
 * for each line on its input. Exits with 7 at the end of its input.
 */
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { silentLog } from '@ringfence/base';
import type { WatchedFile } from '@ringfence/sensor';
import { FileWatch } from '../../src/file-watch.ts';
import { identifyOpenFiles } from '../open-files.ts';

const [root = ''] = process.argv.slice(2);
let files: ReadonlyMap<string, WatchedFile> = new Map();
const watch = new FileWatch({
  hostRoot: root,
  stateDir: join(root, 'state'),
  table: {
    set(now) {
      files = now;
      return true;
    },
  },
  identify: () => identifyOpenFiles(1),
  log: silentLog,
  callMaxMs: 100,
});

async function print(): Promise<void> {
  await watch.settled();
  const inodes = Array.from(files, ([path, { keys }]) => [
    path,
    keys.map((key) => String(Buffer.from(key).readBigUInt64LE())),
  ]);
  process.stdout.write(`${JSON.stringify({ inodes: Object.fromEntries(inodes), stuck: watch.stats().stuck })}\n`);
}

watch.start();
await print();
for await (const _ of createInterface(process.stdin)) {
  for (let tick = 0; tick < 10; tick++) watch.tick();
  await print();
}
process.exit(7);
