import type { Node } from '../compile/nodes/node.ts';
import type { Test } from '../model/expression.ts';

/** An end of a connection, as this host sees it. */
export type End = 'peer' | 'local';

/** By the field's name: the ends whose port it may hold. */
export type PortsOf = Readonly<Record<string, readonly End[]>>;

/** Ranges of ports: first and last alternate, ascending, without overlap. */
export type Ranges = readonly number[];

/** Matches an event if the port of one of its ends is in range. */
export type Ports = Readonly<Record<End, Ranges>>;

const LAST = 65_535;

/**
 * Returns the ports of which an event must have one for the node to be true; null: the node does not bound them. The
 * result may be too wide but never too narrow.
 */
export function necessaryPorts<E>(node: Node<E>, fields: PortsOf): Ports | null {
  switch (node.kind) {
    case 'constant':
      return node.value ? null : NONE;
    case 'test':
      return at(node.test, fields, portsOf(node.test));
    case 'not': {
      if (node.item.kind !== 'test') return null;
      const ports = portsOf(node.item.test);
      // Port 0 means no port, and the negation of a test holds for an absent field.
      return at(node.item.test, fields, ports && joined([...complement(ports), 0, 0]));
    }
    case 'and':
      return node.items
        .map((item) => necessaryPorts(item, fields))
        .filter((ports) => ports !== null)
        .reduce<Ports | null>((best, ports) => (best === null || size(ports) < size(best) ? ports : best), null);
    case 'or':
      return portsOfAll(node.items.map((item) => necessaryPorts(item, fields)));
  }
}

/** Returns null if one of them is null, or if they cover all ports. */
export function portsOfAll(all: readonly (Ports | null)[]): Ports | null {
  if (!all.every((ports) => ports !== null)) return null;
  const ports = { peer: joined(all.flatMap(({ peer }) => peer)), local: joined(all.flatMap(({ local }) => local)) };
  return ports.peer[1] === LAST && ports.peer[0] === 0 ? null : ports;
}

const NONE: Ports = { peer: [], local: [] };

function at<E>({ operand }: Test<E>, fields: PortsOf, ports: Ranges | null): Ports | null {
  const { name } = operand.field;
  if (ports === null || operand.transforms.length > 0 || !Object.hasOwn(fields, name)) return null;
  const ends = fields[name] as readonly End[];
  return { peer: ends.includes('peer') ? ports : [], local: ends.includes('local') ? ports : [] };
}

function portsOf<E>({ operator, values, negated }: Test<E>): Ranges | null {
  const numbers = values.filter((value) => typeof value === 'number');
  if (numbers.length < values.length) return null;
  const ranges = joined(numbers.flatMap((value) => rangeOf(operator, value) ?? []));
  if (rangeOf(operator, 0) === null) return null;
  return negated ? complement(ranges) : ranges;
}

function rangeOf(operator: Test<unknown>['operator'], value: number): Ranges | null {
  switch (operator) {
    case 'equals':
      return [Math.ceil(value), Math.floor(value)];
    case 'less':
      return [0, Math.ceil(value) - 1];
    case 'lessOrEqual':
      return [0, Math.floor(value)];
    case 'greater':
      return [Math.floor(value) + 1, LAST];
    case 'greaterOrEqual':
      return [Math.ceil(value), LAST];
    default:
      return null;
  }
}

/** Joins ranges in any order, and drops those that are empty or beyond the last port. */
export function joined(pairs: readonly number[]): Ranges {
  const ranges: [number, number][] = [];
  for (let i = 0; i < pairs.length; i += 2)
    ranges.push([Math.max(0, pairs[i] as number), Math.min(LAST, pairs[i + 1] as number)]);
  const out: number[] = [];
  for (const [first, last] of ranges.filter(([start, end]) => start <= end).sort(([a], [b]) => a - b)) {
    const before = out.at(-1);
    if (before === undefined || first > before + 1) out.push(first, last);
    else out[out.length - 1] = Math.max(before, last);
  }
  return out;
}

function complement(ranges: Ranges): Ranges {
  const edges = [-1, ...ranges, LAST + 1];
  const out: number[] = [];
  for (let i = 0; i < edges.length; i += 2) out.push((edges[i] as number) + 1, (edges[i + 1] as number) - 1);
  return joined(out);
}

function size({ peer, local }: Ports): number {
  let ports = 0;
  for (const ranges of [peer, local])
    for (let i = 0; i < ranges.length; i += 2) ports += (ranges[i + 1] as number) - (ranges[i] as number) + 1;
  return ports;
}
