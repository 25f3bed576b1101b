import type { Network } from './network.ts';

/** The scope of a rule for the whole host. Other scopes are ids of cgroups, and hold for those below them too. */
export const HOST = 0n;

/** One thing that the kernel refuses, or lets through although its scope is isolated. */
export type BarrierRule =
  | {
      readonly what: 'block' | 'allow';
      readonly scope: bigint;
      readonly network: Network;
      /** 0: any */
      readonly port: number;
    }
  /** Queries for a domain and those below it are refused. */
  | { readonly what: 'block-domain'; readonly scope: bigint; readonly domain: string }
  /** Queries for this very domain pass the isolation. */
  | { readonly what: 'resolve'; readonly scope: bigint; readonly domain: string }
  | { readonly what: 'isolate'; readonly scope: bigint };

/** Maps of bpf/barrier.bpf.c. */
export type Table = 'barrier_blocked' | 'barrier_allowed' | 'barrier_names' | 'barrier_dns' | 'barrier_isolated';

const TABLES: Readonly<Record<BarrierRule['what'], Table>> = {
  block: 'barrier_blocked',
  allow: 'barrier_allowed',
  'block-domain': 'barrier_names',
  resolve: 'barrier_dns',
  isolate: 'barrier_isolated',
};

/** enum rf_barrier_use */
const USES = { blocks: 1, ports: 2, scopes: 4, isolation: 8, names: 16 } as const;

const SCOPE_BITS = 64;
const HEAD_BITS = 96;
const NAME_MAX = 248;

export const tableOf = ({ what }: BarrierRule): Table => TABLES[what];

/** Returns the kinds of rules, as the kernel's programs ask for them. */
export function usesOf(rules: Iterable<BarrierRule>): number {
  let uses = 0;
  for (const rule of rules) {
    if (rule.scope !== HOST) uses |= USES.scopes;
    if (rule.what === 'block') uses |= USES.blocks;
    if (rule.what === 'isolate') uses |= USES.isolation;
    if (rule.what === 'block-domain') uses |= USES.names;
    if ('port' in rule && rule.port !== 0) uses |= USES.ports;
  }
  return uses;
}

/** The key of a rule in its table: bpf/barrier.h. */
export function keyOf(rule: BarrierRule): Uint8Array {
  if (rule.what === 'isolate') {
    const key = Buffer.alloc(8);
    key.writeBigUInt64LE(rule.scope);
    return key;
  }
  if ('domain' in rule) return nameKey(rule.scope, rule.domain, rule.what === 'resolve');
  const key = Buffer.alloc(4 + 12 + 16);
  key.writeUInt32LE(prefixOf(rule));
  key.writeBigUInt64LE(rule.scope, 4);
  key.writeUInt16LE(rule.port, 12);
  key.set(rule.network.bytes, 16);
  return key;
}

/** The value of a rule that ends at `until` (ns, CLOCK_BOOTTIME). */
export function ruleValue(rule: BarrierRule, until: bigint): Uint8Array {
  if (rule.what === 'isolate') {
    const value = Buffer.alloc(8);
    value.writeBigUInt64LE(until);
    return value;
  }
  const value = Buffer.alloc(16);
  value.writeBigUInt64LE(until);
  value.writeUInt32LE(prefixOf(rule), 8);
  return value;
}

/** Bits of the key that are compared. A domain that must be the very same is compared with the byte behind its dot. */
function prefixOf(rule: Exclude<BarrierRule, { what: 'isolate' }>): number {
  if ('network' in rule) return HEAD_BITS + rule.network.bits;
  const bytes = rule.domain.length + (rule.what === 'resolve' ? 2 : 1);
  return SCOPE_BITS + 8 * bytes;
}

function nameKey(scope: bigint, domain: string, isExact: boolean): Uint8Array {
  const key = Buffer.alloc(4 + 8 + NAME_MAX);
  key.writeUInt32LE(SCOPE_BITS + 8 * (domain.length + (isExact ? 2 : 1)));
  key.writeBigUInt64LE(scope, 4);
  key.write([...`.${domain}`].reverse().join(''), 12, 'latin1');
  return key;
}
