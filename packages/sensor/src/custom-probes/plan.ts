import { join } from 'node:path';
import { realPathWithin } from '@ringfence/host-kit';
import type { BtfValue } from '@ringfence/libbpf-ts';
import { records } from '@ringfence/wire';
import { ElfFile } from './elf-file.ts';
import { type TracepointField, tracepointFields } from './format.ts';
import { REGISTERS } from './registers.ts';
import {
  type ArgumentSpec,
  ProbeProblem,
  type ProbeSpec,
  type TracepointTarget,
  type UprobeTarget,
  type UsdtTarget,
} from './types.ts';
import { parseUsdtArgument, type UsdtSite, usdtSites } from './usdt.ts';

type Values = { readonly [member: string]: BtfValue };

/** enum rf_custom_source */
const SOURCE = { constant: 1, context: 2, inline: 3, dataLoc: 4 } as const;
const STEPS_MAX = 5;
const ADDRESS_BYTES = 8;
/** Length of rf_custom_plan.fetches. */
const FETCHES = 8;

/** The start of a fetch: the first members of struct rf_custom_fetch. */
interface Base {
  readonly source: number;
  readonly at?: number;
  readonly constant?: bigint;
  /** bytes; negative for a signed number */
  readonly size?: number;
  /** memory to read first, if the base itself is in memory */
  readonly step?: { readonly offset: number; readonly size: number };
  /** maximum number of bytes available */
  readonly room?: number;
  readonly kernel?: boolean;
}

/** A place in which a probe is set, with the plan that the kernel side follows. */
export interface PlacePlan {
  /** bytes from the start of the file; 0 for a tracepoint */
  readonly offset: number;
  readonly semaphore: number;
  /** struct rf_custom_plan without its member `probe` */
  readonly plan: Values;
}

/** A probe's places on this host. */
export interface ProbePlan {
  /** the file's path, with links resolved; empty for a tracepoint */
  readonly path: string;
  readonly places: readonly PlacePlan[];
}

/** Computes where a probe is set and how its arguments are fetched. @throws ProbeProblem */
export function planProbe(spec: ProbeSpec, hostRoot: string): ProbePlan {
  const { target } = spec;
  if (target.kind === 'tracepoint') return { path: '', places: [tracepointPlan(spec, target)] };
  const path = realPathWithin(join(hostRoot, target.path), hostRoot);
  if (path === null) throw new ProbeProblem(`${target.path} does not exist`);
  using elf = new ElfFile(path);
  return { path, places: target.kind === 'usdt' ? usdtPlans(spec, target, elf) : [uprobePlan(spec, target, elf)] };
}

function tracepointPlan(spec: ProbeSpec, target: TracepointTarget): PlacePlan {
  const fields = tracepointFields(target);
  // Pointers among the arguments of a system call point to the caller's memory; those of other tracepoints to the
  // kernel's.
  const inUser = target.category === 'syscalls';
  const baseOf = (argument: ArgumentSpec): Base => fieldBase(argument, fields, inUser);
  return { offset: 0, semaphore: 0, plan: planOf(spec, records.ProbePlace.PLACE_TRACEPOINT, baseOf, inUser) };
}

function uprobePlan(spec: ProbeSpec, { symbol, offset, onReturn }: UprobeTarget, elf: ElfFile): PlacePlan {
  const start = symbol === '' ? 0 : elf.functionOffset(symbol);
  const place = onReturn ? records.ProbePlace.PLACE_URETPROBE : records.ProbePlace.PLACE_UPROBE;
  return { offset: start + offset, semaphore: 0, plan: planOf(spec, place, registerBase) };
}

function usdtPlans(spec: ProbeSpec, target: UsdtTarget, elf: ElfFile): PlacePlan[] {
  return usdtSites(elf, target).map((site) => ({
    offset: site.offset,
    semaphore: site.semaphore,
    plan: planOf(spec, records.ProbePlace.PLACE_USDT, (argument) => usdtBase(argument, site)),
  }));
}

function planOf(spec: ProbeSpec, place: number, baseOf: (argument: ArgumentSpec) => Base, caller = true): Values {
  const name = Buffer.from(spec.name);
  const fetches = spec.arguments.map((argument) => fetchOf(argument, baseOf(argument)));
  return {
    arguments: fetches.length,
    place,
    source_caller: caller ? 1 : 0,
    per_second: spec.perSecond,
    name_length: name.length,
    name,
    fetches: Array.from({ length: FETCHES }, (_, index) => fetches[index] ?? {}),
  };
}

function fetchOf(argument: ArgumentSpec, base: Base): Values {
  const { offsets, offset } = argument.from;
  const { type, numberBytes, maximum } = kernelType(argument);
  const steps = offsets.map((before) => ({ offset: before, size: ADDRESS_BYTES }));
  // The last step reads only the bytes that are needed, because the memory after them may not be mapped.
  const last = steps.at(-1);
  if (last !== undefined && numberBytes !== 0 && offset === 0) last.size = numberBytes;
  if (base.step !== undefined) steps.unshift(base.step);
  const word = {
    source: base.source,
    at: base.at ?? 0,
    constant: base.constant ?? 0n,
    size: base.size ?? ADDRESS_BYTES,
  };
  return {
    ...word,
    offsets: Array.from({ length: STEPS_MAX }, (_, index) => steps[index]?.offset ?? 0),
    sizes: Uint8Array.from({ length: STEPS_MAX }, (_, index) => steps[index]?.size ?? 0),
    steps: steps.length,
    offset,
    as: numberBytes,
    // room for the NUL that ends a string
    maximum: Math.min(maximum, base.room ?? maximum) + (type === records.ProbeType.TYPE_STRING ? 1 : 0),
    type,
    kernel: base.kernel ? 1 : 0,
    length_of: argument.lengthOf === undefined ? 0 : argument.lengthOf + 1,
    name: Buffer.from(argument.name),
  };
}

/** `numberBytes`: size of a number, negative if it is signed; 0 for other types. */
function kernelType({ type, max }: ArgumentSpec): {
  readonly type: number;
  readonly numberBytes: number;
  readonly maximum: number;
} {
  const { ProbeType } = records;
  switch (type) {
    case 'pointer':
      return { type: ProbeType.TYPE_POINTER, numberBytes: ADDRESS_BYTES, maximum: 0 };
    case 'string':
      return { type: ProbeType.TYPE_STRING, numberBytes: 0, maximum: max };
    case 'bytes':
      return { type: ProbeType.TYPE_BYTES, numberBytes: 0, maximum: max };
    case 'ipv4':
      return { type: ProbeType.TYPE_IPV4, numberBytes: 0, maximum: 4 };
    case 'ipv6':
      return { type: ProbeType.TYPE_IPV6, numberBytes: 0, maximum: 16 };
    default: {
      const bytes = Number(type.slice(1)) / 8;
      const signed = type.startsWith('s');
      return {
        type: signed ? ProbeType.TYPE_SIGNED : ProbeType.TYPE_UNSIGNED,
        numberBytes: signed ? -bytes : bytes,
        maximum: 0,
      };
    }
  }
}

function registerBase({ name, from }: ArgumentSpec): Base {
  const registers = REGISTERS[process.arch];
  const at = from.base === 'retval' ? registers?.result : registers?.arguments[Number(from.base.slice(3))];
  if (at !== undefined) return { source: SOURCE.context, at };
  const last = (registers?.arguments.length ?? 0) - 1;
  throw new ProbeProblem(`argument ${name}: ${from.base} is not in a register; only arg0 to arg${last} are`);
}

function usdtBase({ name, from }: ArgumentSpec, site: UsdtSite): Base {
  const written = site.arguments[Number(from.base.slice(3))];
  if (written === undefined)
    throw new ProbeProblem(
      `argument ${name}: there is no ${from.base}; the probe has ${site.arguments.length} arguments`,
    );
  try {
    const argument = parseUsdtArgument(written);
    if (argument.kind === 'constant') return { source: SOURCE.constant, constant: BigInt.asUintN(64, argument.value) };
    if (argument.kind === 'register') return { source: SOURCE.context, at: argument.at, size: argument.size };
    return { source: SOURCE.context, at: argument.at, step: { offset: argument.offset, size: argument.size } };
  } catch (error) {
    if (!(error instanceof ProbeProblem)) throw error;
    throw new ProbeProblem(`argument ${name}: ${from.base} ${error.message}`);
  }
}

function fieldBase({ name, from, type }: ArgumentSpec, fields: readonly TracepointField[], inUser: boolean): Base {
  const field = fields.find((candidate) => candidate.name === from.base);
  if (field === undefined)
    throw new ProbeProblem(
      `argument ${name}: there is no field ${from.base}; the fields are ${fields.map((candidate) => candidate.name).join(', ')}`,
    );
  const { is, offset, size, signed, declared } = field;
  const readsMemory = ['string', 'bytes', 'ipv4', 'ipv6'].includes(type);
  if (is === 'number' || is === 'pointer') {
    if (![1, 2, 4, 8].includes(size))
      throw new ProbeProblem(`argument ${name}: ${from.base} (${declared}) has ${size} bytes`);
    return { source: SOURCE.context, at: offset, size: signed ? -size : size, kernel: !inUser };
  }
  if (!readsMemory && from.offsets.length === 0)
    throw new ProbeProblem(
      `argument ${name}: ${from.base} (${declared}) is not a number; use string, bytes, ipv4 or ipv6`,
    );
  if (is === 'data_loc' && from.offsets.length === 0 && from.offset !== 0)
    throw new ProbeProblem(`argument ${name}: ${from.base} (${declared}) can't be read from an offset`);
  if (is === 'data_loc') return { source: SOURCE.dataLoc, at: offset, kernel: true };
  const room = from.offsets.length === 0 ? Math.max(0, size - from.offset) : Number.POSITIVE_INFINITY;
  return { source: SOURCE.inline, at: offset, kernel: true, room };
}
