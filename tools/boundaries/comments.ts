import type { Problem, Tree } from './tree.ts';

const WIDTH = 120;

/** Finds comments wider than 120 columns, because Biome does not wrap comments. */
export function checkCommentWidth(tree: Tree): Problem[] {
  return tree.files
    .filter((file) => /\.(?:ts|mjs|c|h|java)$/.test(file) && !file.includes('.generated.'))
    .flatMap((file) => {
      const lines = tree.read(file).split('\n');
      return tree.scanned(file).comments.flatMap(({ line, text }) =>
        text.split('\n').flatMap((_, offset): Problem[] => {
          const columns = lines[line - 1 + offset]?.length ?? 0;
          return columns > WIDTH
            ? [{ file, line: line + offset, text: `a comment of ${columns} columns; ${WIDTH} at most` }]
            : [];
        }),
      );
    });
}
