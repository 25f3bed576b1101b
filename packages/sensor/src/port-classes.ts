import { records } from '@ringfence/wire';

/** Forms (bits as in struct rf_interest) that are wanted for some ports of an end: first and last in turn. */
export interface PortRule {
  readonly bits: bigint;
  readonly peer: readonly number[];
  readonly local: readonly number[];
}

export interface PortClasses {
  /** class by port */
  readonly classes: Uint8Array;
  /** bits by class */
  readonly peer: readonly bigint[];
  readonly local: readonly bigint[];
}

/** Ports that are the same to all rules are of one class; null: there are more than `most`. */
export function portClasses(rules: readonly PortRule[], most: number): PortClasses | null {
  const classes = new Uint8Array(records.INTEREST_PORTS_CLASSES_LENGTH);
  const peer = [0n];
  const local = [0n];
  const known = new Map([['0/0', 0]]);
  const edges = [...new Set(rules.flatMap(edgesOf))]
    .filter((port) => port >= 0 && port < classes.length)
    .sort((a, b) => a - b);
  for (const [index, from] of edges.entries()) {
    const bits = { peer: bitsAt(rules, 'peer', from), local: bitsAt(rules, 'local', from) };
    const key = `${bits.peer}/${bits.local}`;
    let number = known.get(key);
    if (number === undefined) {
      number = known.size;
      if (number >= most) return null;
      known.set(key, number);
      peer.push(bits.peer);
      local.push(bits.local);
    }
    classes.fill(number, from, edges[index + 1] ?? classes.length);
  }
  return { classes, peer, local };
}

/** Where something begins, or has ended. */
function edgesOf({ peer, local }: PortRule): number[] {
  return [peer, local].flatMap((ranges) => ranges.map((port, index) => Math.max(0, index % 2 === 0 ? port : port + 1)));
}

function bitsAt(rules: readonly PortRule[], end: 'peer' | 'local', port: number): bigint {
  return rules.filter((rule) => holds(rule[end], port)).reduce((bits, rule) => bits | rule.bits, 0n);
}

function holds(ranges: readonly number[], port: number): boolean {
  for (let i = 0; i < ranges.length; i += 2)
    if (port >= (ranges[i] as number) && port <= (ranges[i + 1] as number)) return true;
  return false;
}
