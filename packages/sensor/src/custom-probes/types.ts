import { CodedError } from '@ringfence/base';
import type { SensorErrorCode } from '../errors.ts';

/** `pointer`: an address, shown in hexadecimal. The last four types read the memory at an address. */
export const ARGUMENT_TYPES = [
  'u8',
  'u16',
  'u32',
  'u64',
  's8',
  's16',
  's32',
  's64',
  'pointer',
  'string',
  'bytes',
  'ipv4',
  'ipv6',
] as const;
export type ArgumentType = (typeof ARGUMENT_TYPES)[number];

/** `*(*(base + offsets[0]) + offsets[1]) + offset` */
export interface Expression {
  readonly base: string;
  /** added before each dereference */
  readonly offsets: readonly number[];
  readonly offset: number;
}

export interface ArgumentSpec {
  readonly name: string;
  readonly from: Expression;
  readonly type: ArgumentType;
  /** maximum number of bytes kept; for `string` and `bytes` */
  readonly max: number;
  /** index of the argument that has the number of bytes; undefined: `max` bytes */
  readonly lengthOf: number | undefined;
}

export interface UprobeTarget {
  readonly kind: 'uprobe';
  /** path on the host */
  readonly path: string;
  /** if empty, `offset` counts from the start of the file */
  readonly symbol: string;
  /** bytes */
  readonly offset: number;
  readonly onReturn: boolean;
}

export interface UsdtTarget {
  readonly kind: 'usdt';
  readonly path: string;
  readonly provider: string;
  readonly name: string;
}

export interface TracepointTarget {
  readonly kind: 'tracepoint';
  readonly category: string;
  readonly name: string;
}

/** A probe as defined in its file. */
export interface ProbeSpec {
  readonly name: string;
  /** file:line:column */
  readonly defined: string;
  readonly target: UprobeTarget | UsdtTarget | TracepointTarget;
  readonly arguments: readonly ArgumentSpec[];
  /** events per second; further ones are dropped and counted */
  readonly perSecond: number;
}

/** The reason why a probe can't be set, for the user who defined it. */
export class ProbeProblem extends CodedError<SensorErrorCode> {
  constructor(message: string, options?: ErrorOptions) {
    super('ERR_COLLECTOR_PROBE', message, options);
  }
}

/** Describes for users where a probe is set. */
export function targetText({ target }: Pick<ProbeSpec, 'target'>): string {
  if (target.kind === 'tracepoint') return `tracepoint ${target.category}/${target.name}`;
  if (target.kind === 'usdt') return `usdt ${target.path} ${target.provider}:${target.name}`;
  const { path, symbol, offset, onReturn } = target;
  const place = symbol === '' ? `0x${offset.toString(16)}` : `${symbol}${offset === 0 ? '' : `+${offset}`}`;
  return `${onReturn ? 'uretprobe' : 'uprobe'} ${path} ${place}`;
}
