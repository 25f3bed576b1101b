import { records } from '@ringfence/wire';

/** Forms (bits as in struct rf_interest) that are wanted for some ports of one end or the other. */
export interface PortRule {
  readonly bits: bigint;
  /** ranges: first and last port in turn */
  readonly peer: readonly number[];
  /** ranges: first and last port in turn */
  readonly local: readonly number[];
}

export interface PortClasses {
  /** class by port */
  readonly classes: Uint8Array;
  /** wanted forms by class of the peer's port */
  readonly peer: readonly bigint[];
  /** wanted forms by class of the local port */
  readonly local: readonly bigint[];
}

/** Ends of ranges in all rules together. Each is compared with each range, on the thread that reads the rings. */
const PORTS_MAX = 4096;

/**
 * Gives ports that all rules treat alike the same class. Returns null if there are more than `maxClasses`, or too many
 * ranges to look for them.
 */
export function portClasses(rules: readonly PortRule[], maxClasses: number): PortClasses | null {
  let ports = 0;
  for (const { peer, local } of rules) ports += peer.length + local.length;
  if (ports > PORTS_MAX) return null;
  const classes = new Uint8Array(records.INTEREST_PORTS_CLASSES_LENGTH);
  const peer = [0n];
  const local = [0n];
  const classByBits = new Map([['0/0', 0]]);
  const boundaries = [...new Set(rules.flatMap(boundariesOf))]
    .filter((port) => port >= 0 && port < classes.length)
    .sort((a, b) => a - b);
  for (const [index, from] of boundaries.entries()) {
    const bits = { peer: bitsAt(rules, 'peer', from), local: bitsAt(rules, 'local', from) };
    const key = `${bits.peer}/${bits.local}`;
    let number = classByBits.get(key);
    if (number === undefined) {
      number = classByBits.size;
      if (number >= maxClasses) return null;
      classByBits.set(key, number);
      peer.push(bits.peer);
      local.push(bits.local);
    }
    classes.fill(number, from, boundaries[index + 1] ?? classes.length);
  }
  return { classes, peer, local };
}

/** Returns the first port of each range, and the first port after it. */
function boundariesOf({ peer, local }: PortRule): number[] {
  return [peer, local].flatMap((ranges) => ranges.map((port, index) => Math.max(0, index % 2 === 0 ? port : port + 1)));
}

function bitsAt(rules: readonly PortRule[], end: 'peer' | 'local', port: number): bigint {
  return rules.filter((rule) => includesPort(rule[end], port)).reduce((bits, rule) => bits | rule.bits, 0n);
}

function includesPort(ranges: readonly number[], port: number): boolean {
  for (let i = 0; i < ranges.length; i += 2)
    if (port >= (ranges[i] as number) && port <= (ranges[i + 1] as number)) return true;
  return false;
}
