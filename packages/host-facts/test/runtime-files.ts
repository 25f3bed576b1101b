import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { ContainerDescription } from '@ringfence/host-kit';
import type { HostRoots } from '../src/runtimes/description.ts';
import { matchRuntime } from '../src/runtimes/runtimes.ts';

/** Id of a container. */
export const ID: string = 'a1'.repeat(32);

/** A folder with the files of container runtimes. */
export class RuntimeFiles implements Disposable {
  readonly path: string = mkdtempSync(join(tmpdir(), 'ringfence-containers-'));
  readonly roots: HostRoots = { root: this.path, dockerRoots: [] };

  write(name: string, content: unknown): void {
    const path = join(this.path, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  }

  describe(path: string): ContainerDescription | null {
    const match = matchRuntime(path);
    assert.ok(match);
    return match.runtime.describe(match.id, this.roots);
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true });
  }
}
