import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';

interface Package {
  readonly version?: string;
  readonly integrity?: string;
  readonly link?: boolean;
  readonly hasInstallScript?: boolean;
  readonly cpu?: string | readonly string[];
}

const root = join(import.meta.dirname, '../..');
const read = (path: string) => JSON.parse(readFileSync(join(root, path), 'utf8'));
const { packages } = read('package-lock.json') as { packages: Readonly<Record<string, Package>> };
const { allowScripts, optionalDependencies } = read('package.json') as Record<string, Record<string, unknown>>;

describe('the lock file', () => {
  it('has the integrity of every package from the registry', () => {
    const fetched = Object.entries(packages).filter(([path, { link }]) => path.includes('node_modules/') && !link);
    assert.ok(fetched.length > 300);
    for (const [path, { integrity }] of fetched) assert.match(integrity ?? '', /^sha512-[\w+/]{86}==$/, path);
  });

  it('has the Node that runs the program, for both architectures, without an install script', () => {
    for (const architecture of ['x64', 'arm64']) {
      const name = `node-linux-${architecture}`;
      const { version, cpu, hasInstallScript = false } = packages[`node_modules/${name}`] ?? {};
      assert.deepEqual([version, [cpu].flat(), hasInstallScript], ['24.21.0', [architecture], false], name);
      assert.equal(optionalDependencies?.[name], version);
    }
    assert.equal(packages['node_modules/node'], undefined, 'its install script fetches a program that nothing pins');
  });

  it('names each package whose install script may run', () => {
    const allowed = Object.entries(allowScripts ?? {}).filter(([, isAllowed]) => isAllowed === true);
    assert.deepEqual(
      allowed.map(([name]) => name),
      ['koffi'],
    );
    const scripts = Object.entries(packages).filter(([, { hasInstallScript }]) => hasInstallScript);
    for (const [path] of scripts)
      assert.ok(path.replace(/^.*node_modules\//, '') in (allowScripts ?? {}), `${path} is not in allowScripts`);
  });
});
