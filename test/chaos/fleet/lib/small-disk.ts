import { execFileSync } from 'node:child_process';
import { closeSync, cpSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { KafkaBroker } from '@ringfence/dev-servers';

const BLOCK = Buffer.alloc(64 * 1024);

export interface SmallDisk extends AsyncDisposable {
  /** Fills the disk, so that writes fail. */
  fill(): void;
  /** Frees the space again. */
  clear(): void;
}

/**
 * Moves a broker's data to a small file system in memory, mounted inside the broker's directory, and back on disposal.
 * Needs root.
 */
export async function onSmallDisk(broker: KafkaBroker): Promise<SmallDisk> {
  const directory = directoryOf(broker);
  const data = join(directory, 'data');
  const copy = join(directory, 'data-on-disk');
  const ballast = join(data, 'ballast');
  await broker.stop();
  cpSync(data, copy, { recursive: true });
  const size = megabytes(copy) + 64;
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}m,mode=700`, 'tmpfs', data]);
  cpSync(copy, data, { recursive: true });
  await broker.start();
  return {
    fill: () => fill(ballast),
    clear: () => rmSync(ballast, { force: true }),
    async [Symbol.asyncDispose]() {
      await broker.stop();
      rmSync(copy, { recursive: true });
      mkdirSync(copy);
      rmSync(ballast, { force: true });
      cpSync(data, copy, { recursive: true });
      execFileSync('umount', ['--lazy', data]);
      rmSync(data, { recursive: true });
      cpSync(copy, data, { recursive: true });
      rmSync(copy, { recursive: true });
      await broker.start();
    },
  };
}

function directoryOf({ id, pid }: KafkaBroker): string {
  if (pid === undefined) throw new Error(`broker ${id} is not running`);
  const settings = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').filter(Boolean).at(-1);
  if (!settings?.endsWith('server.properties'))
    throw new Error(`broker ${id} has no server.properties: its last argument is ${settings}`);
  return dirname(settings);
}

/** Returns the apparent size: Kafka's indexes are sparse files, and a copy fills their holes. */
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
