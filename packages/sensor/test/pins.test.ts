import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { removePinDirectory } from '../src/pins/directory.ts';

const unshareSkip =
  spawnSync('unshare', ['-m', 'true']).status === 0 ? false : "unshare can't create a mount namespace";

describe('the pin directory', () => {
  const directory = mkdtempSync(join(tmpdir(), 'ringfence-pins-'));
  after(() => rmSync(directory, { recursive: true }));

  function filled(name: string): string {
    const path = join(directory, name);
    mkdirSync(path);
    writeFileSync(join(path, 'link_a'), '');
    writeFileSync(join(path, 'rf_run'), '');
    return path;
  }

  it('is removed with its contents', () => {
    const path = filled('own');
    removePinDirectory(path);
    assert.ok(!existsSync(path));
  });

  it('stays, empty, if it is a mount point, as in the sandbox of the systemd unit', { skip: unshareSkip }, () => {
    const path = filled('mounted');
    const module = JSON.stringify(join(import.meta.dirname, '../src/pins/directory.ts'));
    const remove = `import { removePinDirectory } from ${module}; removePinDirectory(process.argv[1]);`;
    const command =
      'mount --bind "$1" "$1" && exec "$0" --conditions=@ringfence/source --input-type=module -e "$2" "$1"';
    execFileSync('unshare', ['-m', 'sh', '-c', command, process.execPath, path, remove]);
    assert.deepEqual(readdirSync(path), []);
  });

  it('stays with the directories in it, which outlive the sensor', () => {
    const path = filled('kept');
    mkdirSync(join(path, 'barrier'));
    removePinDirectory(path);
    assert.deepEqual(readdirSync(path), ['barrier']);
  });
});
