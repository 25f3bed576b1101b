/**
 * Fetches Debian packages for a guest with apt. Another architecture has its own package lists, so that this system's
 * lists do not change.
 */
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheRoot, runTool, TestServerError } from '@ringfence/dev-servers/tools';
import { type Architecture, MACHINES } from './machine.ts';

export class Packages {
  readonly #env: NodeJS.ProcessEnv;

  private constructor(env: NodeJS.ProcessEnv) {
    this.#env = env;
  }

  static async of(architecture: Architecture): Promise<Packages> {
    if (architecture === process.arch) return new Packages(process.env);
    const { debian } = MACHINES[architecture];
    const place = join(cacheRoot(), `apt-${debian}`);
    for (const name of ['lists/partial', 'cache/archives/partial']) await mkdir(join(place, name), { recursive: true });
    const settings = [
      `APT::Architecture "${debian}"; APT::Architectures "${debian}";`,
      `Dir::State::lists "${place}/lists"; Dir::Cache "${place}/cache"; Dir::State::status "/dev/null";`,
      'Acquire::Languages "none";',
    ];
    const file = join(place, 'apt.conf');
    await writeFile(file, `${settings.join('\n')}\n`);
    return new Packages({ ...process.env, APT_CONFIG: file });
  }

  async names(prefix: string): Promise<string[]> {
    return (await runTool('apt-cache', ['pkgnames', prefix], { env: this.#env })).split('\n');
  }

  async update(): Promise<void> {
    await runTool('apt-get', ['update', '-q'], { env: this.#env });
  }

  /** Downloads a package into a directory that contains no other. Returns its path. */
  async download(name: string, into: string): Promise<string> {
    const fetch = (): Promise<string> => runTool('apt-get', ['download', '-q', name], { cwd: into, env: this.#env });
    try {
      await fetch();
    } catch {
      // Outdated lists name files that the archive no longer has.
      await this.update();
      await fetch();
    }
    const file = (await readdir(into)).find((entry) => entry.endsWith('.deb'));
    if (file === undefined) throw new TestServerError('ERR_TESTKIT_KERNEL', `apt-get download ${name} left no package`);
    return join(into, file);
  }
}
