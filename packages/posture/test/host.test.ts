import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { hostFindings } from '../src/host-findings.ts';

test('the posture of the host names the command that fixes each weak setting, and skips settings that the kernel lacks', (t) => {
  const root = mkdtempSync(join(tmpdir(), 'rf-posture-'));
  t.after(() => rmSync(root, { recursive: true }));
  for (const [path, value] of [
    ['kernel/unprivileged_bpf_disabled', '0'],
    ['kernel/kptr_restrict', '2'],
    ['fs/protected_symlinks', '0'],
  ] as const) {
    const file = join(root, 'proc/sys', path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, `${value}\n`);
  }
  assert.deepEqual(
    hostFindings(root).map(({ severity, instead }) => [severity, ...instead]),
    [
      ['high', 'sysctl -w kernel.unprivileged_bpf_disabled=1'],
      ['medium', 'sysctl -w fs.protected_symlinks=1'],
    ],
  );
});
