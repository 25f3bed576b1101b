import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import * as records from '../src/generated/records.generated.ts';
import { recordsGolden } from './golden/records.ts';

type Reader = (view: DataView, at: number) => number;
interface Struct {
  readonly bytes: DataView;
  readonly numbers: readonly {
    readonly field: string;
    readonly offset: number;
    readonly size: number;
    readonly value: bigint;
  }[];
  readonly parts: readonly { readonly field: string; readonly offset: number }[];
}

const golden = join(import.meta.dirname, 'golden/records.golden.txt');
const exported = new Map<string, unknown>(Object.entries(records));
/** Readers are called far from zero, so that one that forgets where its struct begins is found out. */
const AT = 24;

function parse(text: string): Map<string, Struct> {
  const structs = new Map<
    string,
    { bytes: DataView; numbers: Struct['numbers'][number][]; parts: Struct['parts'][number][] }
  >();
  for (const line of text.trim().split('\n')) {
    if (line.startsWith('#')) continue;
    const [kind = '', name = '', first = '', second = '', third = ''] = line.split(' ');
    const [struct = '', field = ''] = name.split('.');
    if (kind === 'struct') {
      const bytes = Buffer.concat([Buffer.alloc(AT), Buffer.from(second, 'hex')]);
      assert.equal(bytes.length, AT + Number(first));
      structs.set(struct, { bytes: new DataView(new Uint8Array(bytes).buffer), numbers: [], parts: [] });
    } else if (kind === 'number') {
      structs
        .get(struct)
        ?.numbers.push({ field, offset: Number(first), size: Number(second), value: BigInt(`0x${third}`) });
    } else {
      structs.get(struct)?.parts.push({ field, offset: Number(first) });
    }
  }
  return structs;
}

const camel = (name: string): string => name.replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase());

function read(name: string, view: DataView): bigint {
  const reader = exported.get(name);
  assert.equal(typeof reader, 'function', `there is no reader ${name}`);
  return BigInt((reader as Reader)(view, AT));
}

describe('records as C writes them', () => {
  const structs = parse(readFileSync(golden, 'utf8'));
  const checked = new Set<string>();

  for (const [name, { bytes, numbers, parts }] of structs) {
    const short = name.replace(/^rf_/, '');
    test(`struct ${name} is read as the C compiler reads it`, () => {
      assert.equal(exported.get(`SIZEOF_${short.toUpperCase()}`), bytes.byteLength - AT);
      for (const { field, offset } of [...numbers, ...parts]) {
        assert.equal(exported.get(`${short}_${field}`.toUpperCase()), offset, `offset of ${name}.${field}`);
      }
      for (const { field, size, value } of numbers) {
        const reader = camel(`${short}_${field}`);
        if (size === 8) {
          assert.equal((read(`${reader}Hi`, bytes) << 32n) | read(`${reader}Lo`, bytes), value, `${name}.${field}`);
          checked.add(`${reader}Lo`).add(`${reader}Hi`);
        } else {
          assert.equal(BigInt.asUintN(64, read(reader, bytes)), value, `${name}.${field}`);
          checked.add(reader);
        }
      }
    });
  }

  test('every reader there is was checked', () => {
    const readers = [...exported].filter(([, value]) => typeof value === 'function').map(([name]) => name);
    assert.deepEqual(readers.sort(), [...checked].sort());
  });

  test('the golden bytes are what the header says today', { skip: noCompiler() }, () => {
    const message = `${golden} is out of step with bpf/ringfence.h; run: npm run golden`;
    assert.equal(recordsGolden(), readFileSync(golden, 'utf8'), message);
  });
});

function noCompiler(): string | false {
  try {
    execFileSync('cc', ['--version'], { stdio: 'ignore' });
    return false;
  } catch {
    return 'no C compiler (cc) is installed';
  }
}
