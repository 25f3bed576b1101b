import { Closures } from './compile/closures.ts';
import { knownOnKind } from './compile/nodes/known.ts';
import type { Node } from './compile/nodes/node.ts';
import { Nodes } from './compile/nodes/nodes.ts';
import { Slots } from './compile/slots.ts';
import type { Diagnostic } from './diagnostics/diagnostics.ts';
import { Fault } from './diagnostics/errors.ts';
import { Names } from './language/resolve/names.ts';
import { Resolver } from './language/resolve/resolve.ts';
import { parseCondition } from './language/syntax/parser.ts';
import { type EventKinds, type FieldCatalogue, FieldIndex } from './model/catalogue.ts';

export interface Filter<E> {
  /** Whether the condition holds for an event; undefined: the condition has errors. */
  readonly holds: ((event: E) => boolean) | undefined;
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Compiles a condition alone, without macros and lists, for filters that people type. `name` is the name in
 * diagnostics, such as `--where`.
 */
export function compileFilter<E>(
  condition: string,
  name: string,
  catalogue: FieldCatalogue<E>,
  kinds: EventKinds<E>,
): Filter<E> {
  const diagnostics: Diagnostic[] = [];
  const report = (severity: Diagnostic['severity'], fault: Fault): void => {
    const before = condition.slice(0, fault.at).split('\n');
    const { code, message, hint } = fault;
    diagnostics.push({
      file: name,
      line: before.length,
      column: before.at(-1)!.length + 1,
      severity,
      code,
      message,
      hint,
      item: '',
    });
  };
  try {
    const resolver = new Resolver(new FieldIndex(catalogue), new Names<E>());
    const nodes = new Nodes<E>();
    const node = nodes.fold(resolver.resolve(parseCondition(condition), report));
    if (diagnostics.some(({ severity }) => severity === 'error')) return { holds: undefined, diagnostics };
    const slots = new Slots<E>();
    const byKind = new Map(kinds.names.map((kind) => [kind, onKind(nodes, node, kind, slots)]));
    const holds = (event: E): boolean => {
      const kind = kinds.of(event);
      const evaluate = byKind.get(typeof kind === 'number' ? (kinds.names[kind] ?? '') : kind);
      if (evaluate === undefined) return false;
      slots.begin(event);
      const result = evaluate();
      slots.end();
      return result;
    };
    return { holds, diagnostics };
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    report('error', error);
    return { holds: undefined, diagnostics };
  }
}

/** Builds the condition for events of one kind: fields that the kind never has are absent and not read. */
function onKind<E>(nodes: Nodes<E>, node: Node<E>, kind: string, slots: Slots<E>): () => boolean {
  const known = nodes.assume(node, knownOnKind<E>(kind), new Map());
  return new Closures(slots, [known], new Map()).build(known);
}
