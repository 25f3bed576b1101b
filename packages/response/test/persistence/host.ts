import { chmodSync, chownSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { makeFile, TestFiles } from '../files/file-systems.ts';

/** A root of a host, with the files that a test writes. */
export class TestHost implements Disposable {
  readonly #files = new TestFiles();
  readonly vault: string = this.#files.vault;
  readonly root: string = this.#files.make('same', 'root');

  /** Path of this process for a path of the host. */
  at(path: string): string {
    return join(this.root, path);
  }

  write(path: string, text: string, mode = 0o600): void {
    mkdirSync(dirname(this.at(path)), { recursive: true });
    writeFileSync(this.at(path), text);
    chownSync(this.at(path), 1234, 2345);
    chmodSync(this.at(path), mode);
  }

  /** Writes a file with attributes and times that an edit must keep. */
  writeRich(path: string, text: string): void {
    mkdirSync(dirname(this.at(path)), { recursive: true });
    makeFile(this.at(path), text);
  }

  read(path: string): string {
    return readFileSync(this.at(path), 'latin1');
  }

  [Symbol.dispose](): void {
    this.#files[Symbol.dispose]();
  }
}
