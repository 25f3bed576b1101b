/**
 * Checks types, lint, format, dead code, boundaries and generated files: `npm run check [-- --fix]`. Prints each step
 * with its result and fails if a step fails.
 */
import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { scriptArguments } from '@ringfence/base/script';

const root = dirname(import.meta.dirname);

/** The launchers of the tools find node in PATH, so this Node comes first. */
const environment = { ...process.env, PATH: `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}` };

interface Step {
  readonly title: string;
  readonly command: readonly string[];
  /** With --fix a failure ends the run, because later steps check what this one writes. */
  readonly generates?: boolean;
}

function bin(name: string): string {
  return join(root, 'node_modules/.bin', name);
}

function steps(fix: boolean): Step[] {
  const generator = (file: string) => [process.execPath, ...process.execArgv, file, ...(fix ? [] : ['--check'])];
  // The generators come first: with --fix they write files that the other steps check.
  return [
    { title: 'wire types match their schemas', command: generator('tools/generate-types.ts'), generates: true },
    { title: 'record readers match bpf/ringfence.h', command: generator('tools/generate-records.ts'), generates: true },
    { title: 'generated documents', command: generator('tools/docs.ts'), generates: true },
    { title: 'types (tsc)', command: [bin('tsc'), '-p', 'tsconfig.json', '--noEmit', '--pretty', 'false'] },
    {
      title: 'lint and format (biome)',
      command: [bin('biome'), 'check', ...(fix ? ['--write'] : []), '--error-on-warnings', '--max-diagnostics=50', '.'],
    },
    { title: 'dead code (knip)', command: [bin('knip'), '--no-progress', '--no-config-hints'] },
    { title: 'boundaries and references', command: [process.execPath, ...process.execArgv, 'tools/boundaries.ts'] },
  ];
}

/** Runs a step, prints its result and returns whether it passed. */
async function runStep({ title, command: [program = '', ...args] }: Step): Promise<boolean> {
  const started = performance.now();
  const child = spawn(program, args, { cwd: root, env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  const [out, err, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  console.log(`${code === 0 ? 'ok  ' : 'FAIL'} ${title} (${((performance.now() - started) / 1000).toFixed(1)} s)`);
  if (code !== 0) console.log(`${out}${err}`.trimEnd());
  return code === 0;
}

const { values } = scriptArguments(import.meta.filename, { options: { fix: { type: 'boolean', default: false } } });
const selected = steps(values.fix);
/** Steps run in parallel, but with --fix one after the other, because they write files. */
const results = values.fix ? [] : await Promise.all(selected.map(runStep));
if (values.fix) {
  for (const step of selected) {
    const passed = await runStep(step);
    results.push(passed);
    if (passed || step.generates !== true) continue;
    console.log('The remaining steps did not run: they check what this generator writes.');
    break;
  }
}
process.exitCode = results.every((passed) => passed) ? 0 : 1;
