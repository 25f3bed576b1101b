/** Parameters of `block` and `isolate`, which a command carries as text. */
import { domainOf, type Network, networkOf } from '@ringfence/barrier';
import { z } from 'zod';
import { decimal, unsigned } from '../parameter-types.ts';

const PORT_MAX = 65_535;
const LIST_MAX = 256;
const ITEM_MAX = 256;

/** A process stands for its cgroup; without one the whole host is meant. */
export interface ScopeParameters {
  readonly pid?: number | undefined;
  /** ns, CLOCK_BOOTTIME */
  readonly start?: string | undefined;
}

export interface BlockParameters extends ScopeParameters {
  readonly address?: Network | undefined;
  readonly domain?: string | undefined;
  readonly port?: number | undefined;
}

export interface IsolateParameters extends ScopeParameters {
  /** What can be reached still */
  readonly allow?: readonly Network[] | undefined;
  /** The domains that can be resolved still */
  readonly resolve?: readonly string[] | undefined;
}

const network = readBy(networkOf, 'expected an address or a network, such as 192.0.2.7 or 2001:db8::/32');
const domain = readBy(domainOf, 'expected a domain, such as example.com');

const port: z.ZodType<number> = z
  .string()
  .regex(/^[1-9]\d{0,4}$/)
  .transform(Number)
  .pipe(z.number().max(PORT_MAX));

const scope: { readonly pid: z.ZodType<number | undefined>; readonly start: z.ZodType<string | undefined> } = {
  pid: unsigned.optional(),
  start: decimal.optional(),
};

export const blockParameters: z.ZodType<BlockParameters> = z
  .strictObject({ ...scope, address: network.optional(), domain: domain.optional(), port: port.optional() })
  .refine((given) => (given.address === undefined) !== (given.domain === undefined), 'expected address or domain')
  .refine((given) => given.domain === undefined || given.port === undefined, 'a domain has no port');

export const isolateParameters: z.ZodType<IsolateParameters> = z.strictObject({
  ...scope,
  allow: listOf(network).optional(),
  resolve: listOf(domain).optional(),
});

function readBy<T>(read: (text: string) => T | null, expected: string): z.ZodType<T> {
  return z
    .string()
    .max(ITEM_MAX)
    .transform((text, context) => {
      const value = read(text);
      if (value !== null) return value;
      context.addIssue({ code: 'custom', message: expected });
      return z.NEVER;
    });
}

/** Texts with commas between them. */
function listOf<T>(item: z.ZodType<T>): z.ZodType<T[]> {
  return z
    .string()
    .max(LIST_MAX * ITEM_MAX)
    .transform((text): unknown[] => text.split(',').map((part) => part.trim()))
    .pipe(z.array(item).max(LIST_MAX) as unknown as z.ZodType<T[], unknown[]>);
}
