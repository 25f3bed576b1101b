/** Runs the tests of a rule file: `node rule-file.ts rules/NAME.test.yaml`, from the root of the repository. */
import { relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const RULE_TESTS = /\.test\.yaml$/;

/** Returns what Node runs for a test file. */
export const programOf = (path: string): readonly string[] =>
  RULE_TESTS.test(path) ? [import.meta.filename, path] : [path];

/** Registers the tests of a file with node:test. */
export async function loadTests(path: string): Promise<void> {
  if (!RULE_TESTS.test(path)) {
    await import(pathToFileURL(resolve(path)).href);
    return;
  }
  const { registerRuleTests } = await import('@ringfence/rule-corpus/tests');
  registerRuleTests(process.cwd(), relative(process.cwd(), resolve(path)));
}

if (import.meta.main) await loadTests(process.argv[2] ?? '');
