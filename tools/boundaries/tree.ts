import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { type Scanned, scan } from './scan.ts';

export interface Import {
  readonly line: number;
  readonly specifier: string;
}

/** A workspace package: packages/NAME, services/NAME or cli. */
export interface Package {
  /** Without the scope: `wire`. */
  readonly name: string;
  /** Folder below the root: `packages/wire`. */
  readonly folder: string;
  /** Source file of each export, below the root, by its specifier. */
  readonly entries: ReadonlyMap<string, string>;
  readonly dependencies: ReadonlySet<string>;
  /** Includes `dependencies`. */
  readonly devDependencies: ReadonlySet<string>;
}

/** A problem that a check found. */
export interface Problem {
  readonly file: string;
  /** 0: the whole file. */
  readonly line: number;
  readonly text: string;
}

export const SCOPE = '@ringfence/';

interface Manifest {
  readonly name?: string;
  readonly exports?: Readonly<Record<string, string | Readonly<Record<string, string>>>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/** The tracked files of a checkout, with their packages, comments and imports. */
export class Tree {
  readonly root: string;
  /** Tracked files below the root, as git lists them. */
  readonly files: readonly string[];
  readonly packages: readonly Package[];
  readonly #scanned = new Map<string, Scanned>();
  readonly #known: ReadonlySet<string>;

  constructor(root: string, files: readonly string[]) {
    this.root = root;
    this.files = files;
    this.#known = new Set(files);
    this.packages = files
      .filter((file) => /^(?:(?:packages|services)\/[^/]+|cli)\/package\.json$/.test(file))
      .map((file) => this.#package(file));
  }

  static ofCheckout(root: string): Tree {
    const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '-z'], {
      cwd: root,
      encoding: 'utf8',
      maxBuffer: 1 << 26,
    });
    return new Tree(
      root,
      listed.split('\0').filter((file) => file !== '' && existsSync(join(root, file))),
    );
  }

  read(file: string): string {
    return readFileSync(join(this.root, file), 'utf8');
  }

  has(file: string): boolean {
    return this.#known.has(file);
  }

  /** TypeScript files, including generated files. */
  get typescript(): readonly string[] {
    return this.files.filter((file) => file.endsWith('.ts'));
  }

  scanned(file: string): Scanned {
    const known = this.#scanned.get(file) ?? scan(this.read(file));
    this.#scanned.set(file, known);
    return known;
  }

  importsOf(file: string): Import[] {
    const { code } = this.scanned(file);
    const found = code.matchAll(
      /^(?:import|export)\b[^;]*?from '([^'\n]+)'|^import '([^'\n]+)'|\bimport\('([^'\n]+)'\)/gm,
    );
    return Array.from(found, ({ 1: from, 2: effect, 3: dynamic, index }) => ({
      line: code.slice(0, index).split('\n').length,
      specifier: from ?? effect ?? dynamic ?? '',
    }));
  }

  /** Returns undefined for files outside of packages: tools, test, rules, policies. */
  packageOf(file: string): Package | undefined {
    return this.packages.find(({ folder }) => file.startsWith(`${folder}/`));
  }

  packageNamed(specifier: string): Package | undefined {
    const [name] = specifier.slice(SCOPE.length).split('/');
    return specifier.startsWith(SCOPE) ? this.packages.find((candidate) => candidate.name === name) : undefined;
  }

  /** Returns the file that an import resolves to; undefined outside of the tree. */
  resolve(from: string, specifier: string): string | undefined {
    if (!specifier.startsWith('.')) return this.packageNamed(specifier)?.entries.get(specifier);
    const file = normalize(join(dirname(from), specifier));
    return this.has(file) ? file : undefined;
  }

  #package(path: string): Package {
    const folder = dirname(path);
    const manifest = JSON.parse(this.read(path)) as Manifest;
    const full = manifest.name ?? '';
    const entries = Object.entries(manifest.exports ?? {}).map(([key, target]): [string, string] => {
      const source = typeof target === 'string' ? target : (target[`${SCOPE}source`] ?? '');
      return [key === '.' ? full : `${full}${key.slice(1)}`, normalize(join(folder, source))];
    });
    const dependencies = Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies });
    return {
      name: full.slice(SCOPE.length),
      folder,
      entries: new Map(entries),
      dependencies: new Set(dependencies),
      devDependencies: new Set([...dependencies, ...Object.keys(manifest.devDependencies ?? {})]),
    };
  }
}
