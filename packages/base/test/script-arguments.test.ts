/** Arguments of the scripts that `npm run` starts. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

const folder = mkdtempSync(join(tmpdir(), 'ringfence-script-'));
after(() => rmSync(folder, { recursive: true }));
const script = join(folder, 'script.ts');
writeFileSync(
  script,
  `/**
 * Counts sheep:
 *
 *   npm run sheep -- [--fast]
 */
import { scriptArguments } from '${join(import.meta.dirname, '../src/script-arguments.ts')}';
console.log(scriptArguments(import.meta.filename, { options: { fast: { type: 'boolean' } } }).values.fast);
`,
);

function run(...args: readonly string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, ['--disable-warning=ExperimentalWarning', script, ...args], { encoding: 'utf8' });
}

test('a script gets its arguments, prints the comment at its head for --help, and refuses others', () => {
  assert.equal(run('--fast').stdout, 'true\n');
  assert.equal(run('--fast', '--help').stdout, 'Counts sheep:\n\n  npm run sheep -- [--fast]\n');
  const { status, stdout, stderr } = run('--slow');
  assert.deepEqual([status, stdout], [2, '']);
  assert.match(stderr, /^Unknown option '--slow'.*\n--help shows the arguments\.\n$/s);
});
