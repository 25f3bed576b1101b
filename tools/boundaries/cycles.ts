import type { Problem, Tree } from './tree.ts';

/** Finds import cycles, including type imports: strongly connected components of the graph of files (Tarjan 1972). */
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
    const current: Visit = { index: visits.size, low: visits.size, onStack: true };
    visits.set(file, current);
    stack.push(file);
    for (const target of graph.get(file) ?? []) {
      const seen = visits.get(target);
      if (seen === undefined) current.low = Math.min(current.low, visit(target).low);
      else if (seen.onStack) current.low = Math.min(current.low, seen.index);
    }
    if (current.low === current.index) {
      const component = stack.splice(stack.indexOf(file));
      for (const member of component) (visits.get(member) as Visit).onStack = false;
      found.push(component);
    }
    return current;
  };
  for (const file of graph.keys()) if (!visits.has(file)) visit(file);
  return found;
}
