import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { assertBillOfMaterials, type BillOfMaterials } from './lib/bill-of-materials.ts';

const root = dirname(dirname(import.meta.dirname));

describe('the bill of materials', () => {
  const print = () => execFileSync(process.execPath, ['deploy/image/sbom.mjs'], { cwd: root, encoding: 'utf8' });
  const bill = JSON.parse(print()) as BillOfMaterials;

  it('lists every installed package of npm with its hash in the lock file, Node among them', () => {
    assertBillOfMaterials(bill, readFileSync(join(root, 'package-lock.json'), 'utf8'));
  });

  it('lists every package of the system with its version', (t) => {
    if (!existsSync('/var/lib/dpkg/status')) return t.skip('this is not a system of Debian');
    const format = ['-W', '-f', `\${Status} \${Package} \${Version}\n`];
    const lines = execFileSync('dpkg-query', format, { encoding: 'utf8' }).split('\n');
    const expected = lines.flatMap((line) => /^.* installed (\S+ \S+)$/.exec(line)?.[1] ?? []);
    const listed = bill.components.filter(({ purl }) => purl.startsWith('pkg:deb/debian/'));
    assert.deepEqual(listed.map(({ name, version }) => `${name} ${version}`).sort(), expected.sort());
  });

  it('is the same for the same tree', () => assert.deepEqual(JSON.parse(print()), bill));
});
