import { matchesGlob } from 'node:path';
import type { Problem, Tree } from './tree.ts';

/** Finds TypeScript files that no tsconfig includes, so that they are never type-checked. */
export function checkTypeChecked(tree: Tree): Problem[] {
  const { include = [] } = JSON.parse(tree.read('tsconfig.json')) as { include?: readonly string[] };
  const patterns = include.map((pattern) => (pattern.includes('.ts') ? pattern : `${pattern}/**/*.ts`));
  return tree.typescript
    .filter((file) => !patterns.some((pattern) => matchesGlob(file, pattern)))
    .map((file) => ({ file, line: 0, text: 'no tsconfig includes this file: it is never type-checked' }));
}
