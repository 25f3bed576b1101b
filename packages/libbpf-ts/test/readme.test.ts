import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { bpfErrorCodes } from '../src/index.ts';
import { compileFile, scratch, skip } from './kernel.ts';

const readme = readFileSync(join(import.meta.dirname, '../README.md'), 'utf8');

function block(language: string): string {
  const text = new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'ms').exec(readme)?.[1];
  assert.ok(text, `README has no ${language} block`);
  return text;
}

describe('README', () => {
  test('the example runs as written', { skip, timeout: 30_000 }, async () => {
    using directory = scratch();
    const source = join(directory.path, 'exec.bpf.c');
    writeFileSync(source, block('c'));
    const object = compileFile(source, join(directory.path, 'exec.bpf.o'));
    const script = block('ts').replace("'exec.bpf.o'", JSON.stringify(object));
    const child = spawn(
      process.execPath,
      ['--conditions=@ringfence/source', '--input-type=module-typescript', '-e', script],
      {
        cwd: import.meta.dirname,
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
    const ended = once(child, 'exit');
    const provoke = setInterval(() => execFileSync('true'), 20);
    const [code] = await ended;
    clearInterval(provoke);
    assert.equal(code, 0);
    assert.match(output, /^(\d+ \S+ 0 lost\n){3}$/);
  });

  test('the table of error codes is complete', () => {
    const explained = Array.from(readme.matchAll(/^\| `(ERR_BPF_\w+)` \|/gm), (match) => match[1]);
    assert.deepEqual(explained.sort(), [...bpfErrorCodes].sort());
  });
});
