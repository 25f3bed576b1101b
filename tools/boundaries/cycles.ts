import type { Problem, Tree } from './tree.ts';

/** Circles of imports, of types too: strongly connected components of the graph of files (Tarjan 1972). */
export function checkCycles(tree: Tree): Problem[] {
  const graph = new Map(
    tree.typescript.map((file) => [
      file,
      tree.importsOf(file).flatMap(({ specifier }) => tree.resolve(file, specifier) ?? []),
    ]),
  );
  return components(graph)
    .filter((component) => component.length > 1 || graph.get(component[0] ?? '')?.includes(component[0] ?? '') === true)
    .map((component) => {
      const [file = '', ...rest] = component.sort();
      return { file, line: 0, text: `imports go in a circle with ${rest.join(', ') || 'itself'}` };
    });
}

interface Visit {
  readonly index: number;
  low: number;
  onStack: boolean;
}

function components(graph: ReadonlyMap<string, readonly string[]>): string[][] {
  const visits = new Map<string, Visit>();
  const stack: string[] = [];
  const found: string[][] = [];
  const visit = (file: string): Visit => {
    const mine: Visit = { index: visits.size, low: visits.size, onStack: true };
    visits.set(file, mine);
    stack.push(file);
    for (const target of graph.get(file) ?? []) {
      const seen = visits.get(target);
      if (seen === undefined) mine.low = Math.min(mine.low, visit(target).low);
      else if (seen.onStack) mine.low = Math.min(mine.low, seen.index);
    }
    if (mine.low === mine.index) {
      const component = stack.splice(stack.indexOf(file));
      for (const member of component) (visits.get(member) as Visit).onStack = false;
      found.push(component);
    }
    return mine;
  };
  for (const file of graph.keys()) if (!visits.has(file)) visit(file);
  return found;
}
