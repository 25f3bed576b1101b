/** Returns the number of edits (insertions, deletions, replacements, swaps of neighbours) between two words. */
function distance(a: string, b: string): number {
  let secondPrevious: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let best = Math.min(previous[j]! + 1, row[j - 1]! + 1, previous[j - 1]! + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        best = Math.min(best, secondPrevious[j - 2]! + 1);
      row.push(best);
    }
    secondPrevious = previous;
    previous = row;
  }
  return previous[b.length]!;
}

/** Returns the candidate most similar to the text, or undefined if none is similar enough. */
export function suggest(written: string, candidates: readonly string[]): string | undefined {
  const word = written.slice(0, 80).toLowerCase();
  const near = candidates
    .map((candidate) => ({ candidate, edits: distance(word, candidate.toLowerCase()) }))
    .filter(({ candidate, edits }) => edits <= Math.max(1, Math.floor(candidate.length / 3)))
    .sort((a, b) => a.edits - b.edits);
  return near[0]?.candidate;
}
