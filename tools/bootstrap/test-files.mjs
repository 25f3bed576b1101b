import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const DIRECTORIES = ['packages', 'services', 'cli', 'rules', 'policies', 'test'];
const TEST_FILE =
  /^(?:(?:(?:packages|services)\/[^/]+\/test|cli\/test|policies|test)\/.*\.test\.ts|rules\/[^/]+\.test\.yaml)$/;
const SKIPPED_DIRECTORIES = new Set(['node_modules', 'dist']);
const BENCH = 'test/bench/';

/** Parses the arguments of `npm test`. Throws a TypeError if an option is unknown or lacks its value. */
export function parseTestArguments(argv) {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      only: { type: 'string' },
      timeout: { type: 'string', default: '600' },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const { only, timeout, list, help } = values;
  return { filters: positionals, only, timeout, list, help };
}

function filesBelow(root, directory) {
  let entries;
  try {
    entries = readdirSync(join(root, directory), { withFileTypes: true });
  } catch (error) {
    if (error.code === 'ENOENT') return [];
    throw error;
  }
  return entries.flatMap((entry) => {
    const path = `${directory}/${entry.name}`;
    if (!entry.isDirectory()) return [path];
    return SKIPPED_DIRECTORIES.has(entry.name) ? [] : filesBelow(root, path);
  });
}

/** Returns the paths of test files, relative to `root`. If there are filters, a path must contain one of them. */
export function testPaths(root, filters) {
  return DIRECTORIES.flatMap((directory) => filesBelow(root, directory))
    .filter((path) => TEST_FILE.test(path) && !path.startsWith(BENCH))
    .filter((path) => filters.length === 0 || filters.some((filter) => join(root, path).includes(filter)))
    .sort();
}
