import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { memoryBus } from '@ringfence/testkit/agent';
import { type Document, documentsOn, LogPlace, startReader } from './support.ts';

const JOURNALD = ['/lib/systemd/systemd-journald', '/usr/lib/systemd/systemd-journald'].find((path) =>
  existsSync(path),
);
const CHILD = join(import.meta.dirname, 'journal-child.ts');
const NOT_AMBIENT = join(import.meta.dirname, 'not-ambient-child.ts');

function skip(): string | false {
  if (JOURNALD === undefined) return 'systemd-journald is not installed';
  if (process.getuid?.() !== 0) return 'needs root, for a mount namespace in which journald has a /run of its own';
  try {
    execFileSync('unshare', ['-m', 'true']);
    return false;
  } catch (error) {
    return `no mount namespace can be made: ${(error as Error).message}`;
  }
}

describe('journald', () => {
  it('is followed from the first start, when journalctl ends and when the reader restarts', { skip: skip() }, () => {
    const command = `mount -t tmpfs tmpfs /run && exec "$0" --conditions=@ringfence/source ${CHILD} ${JOURNALD}`;
    const args = ['-m', '--propagation', 'private', 'sh', '-c', command, process.execPath];
    const output = execFileSync('unshare', args, { encoding: 'utf8', timeout: 60_000 });
    const { documents, happened, capabilities } = JSON.parse(output) as {
      documents: Document[];
      happened: Record<string, number>;
      capabilities: string[];
    };
    assert.deepEqual(
      documents.map(({ message }) => message),
      ['one', 'two \x1b[31mred', 'three', 'four'],
    );
    assert.deepEqual(
      documents.map(({ ringfence }) => ringfence.sequence),
      [1, 2, 3, 4],
    );
    assert.equal(happened['journal_restarts'], 1);
    assert.equal(documents[0]?.log.syslog?.appname, 'sshd');
    assert.ok((documents[0]?.process?.pid ?? 0) > 1);
    // Only CAP_DAC_READ_SEARCH, although root started it.
    assert.deepEqual(capabilities, ['4', '4', '4']);
  });

  it('is read with only those privileges that this process can pass on: its ambient capabilities', {
    skip: process.getuid?.() === 0 ? false : 'needs root, to become somebody else',
  }, () => {
    const args = ['--conditions=@ringfence/source', NOT_AMBIENT];
    const ended = JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8', timeout: 60_000 }));
    assert.deepEqual(ended, { code: 0, signal: null, complaint: '' });
  });

  it("is retried if it can't be read", async () => {
    using place = new LogPlace();
    await using bus = await memoryBus();
    await using reader = startReader(place, bus, { journald: 'on', journalctl: '/nonexistent/journalctl' });
    while ((reader.stats().logEvents['journal_restarts'] ?? 0) < 2) await sleep(20);
    assert.deepEqual(await documentsOn(bus), []);
  });
});
