import assert from 'node:assert/strict';

/** A bill of materials in CycloneDX, as far as the tests read it. */
export interface BillOfMaterials {
  readonly bomFormat: string;
  readonly specVersion: string;
  readonly metadata: { readonly component: { readonly name: string; readonly version: string } };
  readonly components: readonly Component[];
}

interface Component {
  readonly 'bom-ref': string;
  readonly name: string;
  readonly version: string;
  readonly purl: string;
  readonly hashes?: readonly { readonly alg: string; readonly content: string }[];
}

/** Throws unless the packages of npm are those of the lock file, with its hashes, and the Node that runs is listed. */
export function assertBillOfMaterials(bill: BillOfMaterials, lockFile: string): void {
  const { packages } = JSON.parse(lockFile) as { packages: Record<string, { version: string; integrity?: string }> };
  const { bomFormat, specVersion, metadata, components } = bill;
  assert.deepEqual([bomFormat, specVersion, metadata.component.name], ['CycloneDX', '1.6', 'ringfence']);
  const references = components.map((component) => component['bom-ref']);
  assert.equal(new Set(references).size, references.length, 'each reference is unique');
  const npm = components.filter(({ purl }) => purl.startsWith('pkg:npm/'));
  for (const component of npm) {
    const { version, integrity } = packages[component['bom-ref'].split('#')[1] ?? ''] ?? {};
    const hash = Buffer.from(component.hashes?.[0]?.content ?? '', 'hex').toString('base64');
    assert.deepEqual([component.version, `sha512-${hash}`], [version, integrity], component.purl);
  }
  const names = npm.map(({ name }) => name);
  for (const name of [`node-linux-${process.arch}`, 'better-sqlite3', 'koffi']) assert.ok(names.includes(name), name);
}
