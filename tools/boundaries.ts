/**
 * Checks the tree: package borders, import cycles, type-checked files, the width of comments, and references to files,
 * sections and settings. Prints each problem with file and line. Exits with code 1 if there is a problem.
 */
import { dirname } from 'node:path';
import { checkBorders } from './boundaries/borders.ts';
import { checkCommentWidth } from './boundaries/comments.ts';
import { checkCycles } from './boundaries/cycles.ts';
import { checkReferences } from './boundaries/references.ts';
import { Tree } from './boundaries/tree.ts';
import { checkTypeChecked } from './boundaries/type-checked.ts';

const tree = Tree.ofCheckout(dirname(import.meta.dirname));
const problems = [
  ...checkBorders(tree),
  ...checkCycles(tree),
  ...checkTypeChecked(tree),
  ...checkCommentWidth(tree),
  ...checkReferences(tree),
];
for (const { file, line, text } of problems) console.log(`${file}${line === 0 ? '' : `:${line}`}: ${text}`);
process.exitCode = problems.length > 0 ? 1 : 0;
