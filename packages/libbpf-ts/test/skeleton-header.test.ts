import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { objectFromSkeleton } from '../src/index.ts';

const header = (body: string): string =>
  `static inline const void *probe__elf_bytes(size_t *sz)\n{\n\t*sz = 6;\n\treturn (const void *)"${body}";\n}\n`;

describe('the object inside a C skeleton', () => {
  test('is extracted with its name from continued lines', () => {
    const { name, bytes } = objectFromSkeleton(header('\\\n\\x7f\\x45\\x4c\\\n\\x46\\0\\x02'));
    assert.equal(name, 'probe');
    assert.deepEqual([...bytes], [0x7f, 0x45, 0x4c, 0x46, 0, 2]);
  });

  test('is extracted from a static array', () => {
    const text =
      'probe__elf_bytes(size_t *sz)\n{\n\tstatic const char data[] __attribute__((__aligned__(8))) = "\\\n\\x7f\\0";\n';
    assert.deepEqual([...objectFromSkeleton(text).bytes], [0x7f, 0]);
  });

  for (const [description, text] of [
    ['a file that is not a skeleton', 'int main(void) { return 0; }'],
    ['a truncated skeleton', header('\\x7f').slice(0, -8).replace('"\\x7f"', '"\\x7f')],
    ['a literal with characters that bpftool does not write', header('\\x7f<script>')],
    ['an incomplete escape sequence', header('\\x7')],
  ] as const) {
    test(`${description} is an error`, () => {
      assert.throws(() => objectFromSkeleton(text), { code: 'ERR_BPF_OPEN' });
    });
  }
});
