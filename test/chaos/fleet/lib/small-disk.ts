import { execFileSync } from 'node:child_process';
import { closeSync, cpSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { KafkaBroker } from '@ringfence/testkit/servers';

const BLOCK = Buffer.alloc(64 * 1024);

export interface SmallDisk extends AsyncDisposable {
  /** Nothing can be written any more. */
  fill(): void;
  /** There is room again. */
  clear(): void;
}

/**
 * Moves a broker's data to a file system of its own, in memory and small, and back when disposed of. Needs root; the mount is below the broker's own
 * directory.
 */
export async function onSmallDisk(broker: KafkaBroker): Promise<SmallDisk> {
  const directory = directoryOf(broker);
  const data = join(directory, 'data');
  const kept = join(directory, 'data-on-disk');
  const ballast = join(data, 'ballast');
  await broker.stop();
  cpSync(data, kept, { recursive: true });
  const size = megabytes(kept) + 64;
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}m,mode=700`, 'tmpfs', data]);
  cpSync(kept, data, { recursive: true });
  await broker.start();
  return {
    fill: () => fill(ballast),
    clear: () => rmSync(ballast, { force: true }),
    async [Symbol.asyncDispose]() {
      await broker.stop();
      rmSync(kept, { recursive: true });
      mkdirSync(kept);
      rmSync(ballast, { force: true });
      cpSync(data, kept, { recursive: true });
      execFileSync('umount', ['--lazy', data]);
      rmSync(data, { recursive: true });
      cpSync(kept, data, { recursive: true });
      rmSync(kept, { recursive: true });
      await broker.start();
    },
  };
}

function directoryOf({ id, pid }: KafkaBroker): string {
  if (pid === undefined) throw new Error(`broker ${id} isn't running`);
  const settings = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').filter(Boolean).at(-1);
  if (!settings?.endsWith('server.properties')) throw new Error(`broker ${id} runs with ${settings}`);
  return dirname(settings);
}

/** What its files take now; Kafka's indexes are mostly holes, which a copy fills. */
function megabytes(path: string): number {
  return Number(/^\d+/.exec(execFileSync('du', ['-sm', '--apparent-size', path], { encoding: 'utf8' }))?.[0] ?? '0');
}

function fill(path: string): void {
  writeFileSync(path, '');
  const fd = openSync(path, 'a');
  try {
    for (;;) writeSync(fd, BLOCK);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  } finally {
    closeSync(fd);
  }
}
