import { createTestLineage } from '@ringfence/synthetic';
import { type Container, u64FromBigInt } from '@ringfence/wire';
import type { Item } from '../../src/sink.ts';
import { alertItem } from '../support.ts';

/** Texts that a kernel can report and that have ended fields, lines or programs elsewhere. */
export const HOSTILE: readonly string[] = [
  'two\nlines\r\nand a tab\t',
  'a|b\\|c\\\\ = "d" \'e\' {f} [g] <h> %20 $i `j`',
  'cs1=forged msg=forged | act=none',
  'ansi \u001b[2J and null \u0000 and delete \u007f and next line \u0085',
  'bidi \u202egnp.exe\u202c and zero\u200bwidth \ufeff',
  'emoji 🦀 and 漢字',
  '"}\n{"index":{}}\n{"a":"',
  '',
  'x'.repeat(5000),
];

export function createTestContainer(overrides: Partial<Container> = {}): Container {
  return {
    cgroupId: u64FromBigInt(77n),
    id: 'c0ffee',
    runtime: 'docker',
    name: 'web-1',
    image: 'shop/web:1.4',
    privileged: false,
    labels: {},
    path: '/docker/c0ffee',
    imageId: '',
    imageDigests: [],
    capabilities: null,
    mounts: [],
    namespaces: [],
    pod: '',
    podUid: '',
    namespace: '',
    serviceAccount: '',
    podLabels: {},
    startedAt: 0,
    described: true,
    ...overrides,
  };
}

/** Returns an alert whose texts are all hostile. */
export function hostileItem(sequence: number, text: string): Item {
  const process = { ...createTestLineage(100), executable: text, args: text, user: text };
  return alertItem(sequence, {
    description: text,
    output: text,
    tags: [text],
    fields: { 'file.path': text, 'source.ip': text },
    lineage: [process, { ...process, pid: 99 }],
    container: createTestContainer({ name: text, image: text, labels: { 'a.b': text } }),
  });
}
