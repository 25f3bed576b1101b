/**
 * Finds the requirements of a program of this repository, besides Node and npm packages, from its imports: a module
 * that uses a compiler, a server or the kernel has a line in SIGNS, and every program that imports it, directly or not,
 * has its needs.
 */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

/**
 * compiler: builds C programs; clang: builds BPF objects; libbpf: loads BPF objects; sensor: the built sensor; servers:
 * Kafka, Redis, Elasticsearch, the schema registry and servers written in Go; guests: other kernels in QEMU; engine:
 * container engines and the base of an image; btrfs: makes file systems with subvolumes.
 */
export const ALL_NEEDS = ['compiler', 'clang', 'libbpf', 'sensor', 'servers', 'guests', 'engine', 'btrfs'];

/** Modules with external requirements, by their path or by a program that they start. */
const SIGNS = [
  { needs: ['clang', 'libbpf', 'sensor'], path: /^packages\/sensor\/src\/build\/build-sensor\.ts$/ },
  { needs: ['clang', 'libbpf'], path: /^packages\/libbpf-ts\/test\/kernel\.ts$/ },
  { needs: ['libbpf'], path: /^packages\/libbpf-ts\/src\/native\/library\.ts$/ },
  { needs: ['servers'], path: /^packages\/dev-servers\/src\/(?:duckdb|go-program|kafka|redis|registry|search)\.ts$/ },
  { needs: ['guests'], path: /^packages\/testkit\/src\/kernels\/(?:guest|module)\.ts$/ },
  { needs: ['engine'], path: /^test\/deploy\/lib\/engine-files\.ts$/ },
  { needs: ['btrfs'], text: /\b(?:exec|spawn)\w*\(\s*'mkfs\.btrfs'/ },
  { needs: ['compiler'], text: /\b(?:exec|spawn)\w*\(\s*'(?:cc|gcc)'/ },
];

const IMPORT =
  /(?:^|\n)[ \t]*(?:import|export)\s+(type\b)?\s*([\w*$,\s{}]*?)(?:\bfrom\s*)?'([^']+)'|\bimport\(\s*'([^']+)'\s*\)/g;
/** Path of a source file in a string: a program that a test starts. */
const SOURCE_PATH = /'([\w@./-]+\.(?:ts|mjs))'/g;
/** This module imports all commands lazily, so its imports add no needs. */
const COMMAND_TABLE = 'cli/src/commands.ts';
/** Runs the tests of a rule file. */
const RULE_TESTS = 'tools/test-runner/rule-file.ts';
/** Sources of the product start no file by its path. Tests of the tools start files of a temporary repository. */
const STARTS_NO_SOURCE = /(?:^|\/)src\/|^test\/tools\//;

/** Returns the source of each entry point that the workspaces export, by its name. */
function entryPoints(root) {
  const sources = new Map();
  const parents = ['packages', 'services'].filter((parent) => existsSync(join(root, parent)));
  const workspaces = parents.flatMap((parent) => readdirSync(join(root, parent)).map((name) => join(parent, name)));
  for (const workspace of [...workspaces, 'cli']) {
    const manifest = join(root, workspace, 'package.json');
    if (!existsSync(manifest)) continue;
    const { name, exports = {} } = JSON.parse(readFileSync(manifest, 'utf8'));
    for (const [entry, target] of Object.entries(exports)) {
      const source = typeof target === 'string' ? target : target['@ringfence/source'];
      if (source !== undefined) sources.set(name + entry.slice(1), join(root, workspace, source));
    }
  }
  return sources;
}

/** Returns whether an import has no effect when the program runs. */
function isTypeOnly(type, names) {
  if (type !== undefined) return true;
  const braces = /\{([^}]*)\}/.exec(names)?.[1];
  const importedNames =
    braces
      ?.split(',')
      .map((name) => name.trim())
      .filter(Boolean) ?? [];
  return importedNames.length > 0 && importedNames.every((name) => name.startsWith('type '));
}

const isFile = (path) => statSync(path, { throwIfNoEntry: false })?.isFile() === true;

class Walker {
  #root;
  #entryPoints;
  #needs = new Set();
  #seen = new Set();

  constructor(root) {
    this.#root = root;
    this.#entryPoints = entryPoints(root);
  }

  walk(paths) {
    const pending = paths.map((path) => join(this.#root, path));
    for (let file = pending.pop(); file !== undefined; file = pending.pop()) {
      if (this.#seen.has(file)) continue;
      this.#seen.add(file);
      const text = readFileSync(file, 'utf8');
      this.#addNeeds(relative(this.#root, file), text);
      pending.push(...this.#nextOf(file, text));
    }
    return this.#needs;
  }

  #addNeeds(path, text) {
    for (const sign of SIGNS)
      if (sign.path?.test(path) || sign.text?.test(text)) for (const need of sign.needs) this.#needs.add(need);
  }

  #nextOf(file, text) {
    const path = relative(this.#root, file);
    const next = path.endsWith('.test.yaml') ? [join(this.#root, RULE_TESTS)] : [];
    const imported = new Set();
    for (const [, type, names = '', fixed, lazy] of text.matchAll(IMPORT)) {
      const name = fixed ?? lazy;
      imported.add(name);
      if (isTypeOnly(type, names) || (lazy !== undefined && path === COMMAND_TABLE)) continue;
      next.push(name.startsWith('.') ? resolve(dirname(file), name) : this.#entryPoints.get(name));
    }
    const starts = STARTS_NO_SOURCE.test(path) ? [] : [...text.matchAll(SOURCE_PATH)].map(([, name]) => name);
    for (const name of starts.filter((name) => !imported.has(name)))
      next.push(resolve(dirname(file), name), join(this.#root, name));
    const isTestFile = (candidate) => candidate.endsWith('.test.ts');
    return next.filter(
      (candidate) => candidate?.startsWith(`${this.#root}/`) && !isTestFile(candidate) && isFile(candidate),
    );
  }
}

/** Returns the needs of the programs whose paths, relative to `root`, are given. */
export function needsOf(root, paths) {
  return new Walker(root).walk(paths);
}
