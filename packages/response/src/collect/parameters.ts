import { isIP } from 'node:net';
import { z } from 'zod';
import { pathBytes } from './path-text.ts';

interface Limits {
  /** Bytes that are collected at most */
  readonly bytes?: number | undefined;
  readonly seconds?: number | undefined;
}

interface OfProcess {
  readonly pid: number;
  /** ns, CLOCK_BOOTTIME, decimal */
  readonly start: string;
}

/** The file system or network of this process instead of the host's */
type Within = { readonly [M in keyof OfProcess]?: OfProcess[M] | undefined };

interface Process extends OfProcess, Limits {
  readonly what: 'process';
}

interface Memory extends OfProcess, Limits {
  readonly what: 'memory';
  /** First address, and the one after the last. @default all private writable regions */
  readonly ranges?: readonly (readonly [number, number])[] | undefined;
  /** Whether the process is stopped while it is read */
  readonly freeze?: boolean | undefined;
  /** What becomes of a stopped process. @default resume */
  readonly afterwards?: 'resume' | 'kill' | undefined;
}

interface File extends Within, Limits {
  readonly what: 'file';
  readonly path: string;
  /** The file must be this one: `major:minor` of its device, and its inode */
  readonly device?: string | undefined;
  readonly inode?: string | undefined;
}

interface Directory extends Within, Limits {
  readonly what: 'directory';
  readonly path: string;
  /** Entries that are listed at most. @default 100000 */
  readonly entries?: number | undefined;
  /** Regular files of at most this many bytes are collected as well. @default 0: the listing only */
  readonly contents?: number | undefined;
}

interface LogWindow extends Within, Limits {
  readonly what: 'log';
  /** @default the journal */
  readonly path?: string | undefined;
  /** µs since the epoch */
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  /** Only the last bytes of the file */
  readonly last?: number | undefined;
}

interface Packets extends Within {
  readonly what: 'packets';
  readonly bytes?: number | undefined;
  readonly seconds: number;
  /** Packets from or to one of these. @default all */
  readonly addresses?: readonly string[] | undefined;
  readonly ports?: readonly number[] | undefined;
}

export type CollectParameters = Process | Memory | File | Directory | LogWindow | Packets;
export type ParametersOf<W extends CollectParameters['what']> = Extract<CollectParameters, { readonly what: W }>;

/** Highest pid of Linux */
const PID_MAX = 1 << 22;
const ADDRESS_END = 2n ** 56n;
const RANGES_MAX = 1024;

const number = (min: number, max: number): z.ZodType<number> =>
  z
    .string()
    .regex(/^\d{1,16}$/)
    .transform(Number)
    .pipe(z.int().min(min).max(max));

const path = z
  .string()
  .min(1)
  .max(16_384)
  .refine((text) => text.startsWith('/'), 'is not absolute')
  .refine((text) => pathBytes(text) !== null, 'has a backslash that is not the begin of \\xNN')
  .refine((text) => !pathBytes(text)?.includes(0), 'has a NUL');

const flag: z.ZodType<boolean> = z.enum(['true', 'false']).transform((text) => text === 'true');

/** `7f0000000000-7f0000001000,…`, hex, without the last byte, as in /proc/PID/maps */
const ranges = z
  .string()
  .max(RANGES_MAX * 34)
  .regex(/^[0-9a-f]{1,16}-[0-9a-f]{1,16}(,[0-9a-f]{1,16}-[0-9a-f]{1,16})*$/)
  .transform((text) => text.split(',').map((range) => range.split('-').map((part) => BigInt(`0x${part}`))))
  .refine((all) => all.length <= RANGES_MAX, `are more than ${RANGES_MAX}`)
  .refine((all) => all.every(([from = 0n, to = 0n]) => from < to && to <= ADDRESS_END), 'are not ascending addresses')
  .transform((all) => all.map(([from, to]): readonly [number, number] => [Number(from), Number(to)]));

const process = {
  pid: number(1, PID_MAX),
  start: z.string().regex(/^\d{1,19}$/),
};
const within = { pid: process.pid.optional(), start: process.start.optional() };
const limits = {
  bytes: number(1, Number.MAX_SAFE_INTEGER).optional(),
  seconds: number(1, 86_400).optional(),
};
const identity = {
  device: z
    .string()
    .regex(/^\d+:\d+$/)
    .optional(),
  inode: z
    .string()
    .regex(/^\d{1,20}$/)
    .optional(),
};
const microseconds = number(0, Number.MAX_SAFE_INTEGER);

const list = <T>(item: z.ZodType<T>, max: number): z.ZodType<readonly T[]> =>
  z
    .string()
    .max(64 * max)
    .transform((text): unknown => text.split(','))
    .pipe(z.array(item).max(max));

const forms = [
  z.strictObject({ what: z.literal('process'), ...process, ...limits }),
  z.strictObject({
    what: z.literal('memory'),
    ...process,
    ...limits,
    ranges: ranges.optional(),
    freeze: flag.optional(),
    afterwards: z.enum(['resume', 'kill']).optional(),
  }),
  z.strictObject({ what: z.literal('file'), path, ...identity, ...within, ...limits }),
  z.strictObject({
    what: z.literal('directory'),
    path,
    ...within,
    ...limits,
    entries: number(1, 10_000_000).optional(),
    contents: number(0, 1 << 30).optional(),
  }),
  z.strictObject({
    what: z.literal('log'),
    path: path.optional(),
    ...within,
    ...limits,
    from: microseconds.optional(),
    to: microseconds.optional(),
    last: number(1, Number.MAX_SAFE_INTEGER).optional(),
  }),
  z.strictObject({
    what: z.literal('packets'),
    ...within,
    bytes: limits.bytes,
    seconds: number(1, 3600),
    addresses: list(
      z.string().refine((text) => isIP(text) !== 0, 'is no address'),
      64,
    ).optional(),
    ports: list(number(0, 65_535), 64).optional(),
  }),
] as const;

/** Parameters of a collection: texts by name, as a Command has them, with its pid and start in decimal. */
export const collectParameters: z.ZodType<CollectParameters> = z
  .discriminatedUnion('what', forms)
  .refine((given) => (given.pid === undefined) === (given.start === undefined), 'pid and start belong together')
  .refine((given) => given.what !== 'memory' || given.afterwards === undefined || given.freeze === true, {
    error: '`afterwards` needs `freeze`',
  });
