import { createHash } from 'node:crypto';
import { type CheckResult, result } from './check.ts';
import type { KernelView } from './kernel-view.ts';
import type { Symbols } from './symbols.ts';

export interface KernelCode {
  readonly memory: Pick<KernelView, 'read'>;
  readonly symbols: Symbols;
  /** hashes of code at the last run in this boot; undefined for the first run */
  readonly before: Readonly<Record<string, string>> | undefined;
}

type Found = (readonly [subject: string, detail: string])[];

/** Prefixes of the functions for system calls on x86-64 and arm64. */
const ENTRIES = ['__x64_sys_', '__arm64_sys_'];
/** Since Linux 6.9, x86-64 calls system calls from this function instead of through a table. */
const DISPATCHER = 'x64_sys_call';
const TABLE = 'sys_call_table';
const TABLE_MAX = 600;
/** Number of bytes at the start of a function that are checked. A hook is placed there. */
const ENTRY_BYTES = 16;
const DISPATCHER_MAX = 64 * 1024;
const ARM64 = process.arch === 'arm64';

/**
 * Address of the interrupt table of all CPUs: the first page of the CPU entry area
 * (arch/x86/include/asm/pgtable_areas.h).
 */
const INTERRUPT_TABLE = 0xfffffe0000000000n;
const GATES = 256;
/** nopl 0x0(%rax,%rax,1), where ftrace can place a call */
const FTRACE_NOP = 0x0f1f440000;
const GATE_BYTES = 16;

/**
 * Checks the table or the dispatcher, and the first instructions of each system call. Returns hashes of the code for
 * the next run.
 */
export function checkSystemCalls({ memory, symbols, before }: KernelCode): {
  readonly checked: CheckResult;
  readonly code: Readonly<Record<string, string>>;
} {
  if (symbols.hidden !== '') return { checked: result('syscall-dispatch', [], symbols.hidden), code: before ?? {} };
  const found: Found = [];
  const unseen: string[] = [];
  const table = symbols.find(TABLE);
  if (table !== undefined) found.push(...checkTable(memory, symbols, table));
  else if (symbols.find(DISPATCHER) === undefined) unseen.push(`this kernel doesn't reveal the address of ${TABLE}`);
  const code = readCode(memory, symbols);
  if (code.size === 0) unseen.push("the kernel's code can't be read (lockdown)");
  for (const [name, bytes] of code) {
    const jump = ARM64 ? undefined : jumpAway(bytes, symbols.find(name) as bigint, symbols);
    if (jump !== undefined) found.push([name, `its first instruction goes to ${jump}`]);
  }
  const hashes = Object.fromEntries([...code].map(([name, bytes]) => [name, sha256(bytes)]));
  for (const [name, hash] of Object.entries(hashes)) {
    if (before?.[name] !== undefined && before[name] !== hash && !found.some(([subject]) => subject === name))
      found.push([name, 'its code has changed since the last check']);
  }
  return { checked: result('syscall-dispatch', found, unseen.join('; ')), code: hashes };
}

function readCode(memory: KernelCode['memory'], symbols: Symbols): Map<string, Buffer> {
  const code = new Map<string, Buffer>();
  for (const prefix of ENTRIES)
    for (const [name, address] of symbols.withPrefix(prefix)) {
      const bytes = memory.read(address, ENTRY_BYTES);
      if (bytes !== null) code.set(name, bytes);
    }
  const dispatcher = symbols.find(DISPATCHER);
  const whole = dispatcher === undefined ? null : memory.read(dispatcher, sizeOf(symbols, dispatcher));
  if (whole !== null) code.set(DISPATCHER, whole);
  return code;
}

/** Returns the number of bytes up to the next symbol. */
function sizeOf(symbols: Symbols, address: bigint): number {
  for (let size = 16; size < DISPATCHER_MAX; size++) if (symbols.at(address + BigInt(size)) !== undefined) return size;
  return DISPATCHER_MAX;
}

function checkTable(memory: KernelCode['memory'], symbols: Symbols, table: bigint): Found {
  const found: Found = [];
  const entries = memory.read(table, TABLE_MAX * 8) ?? Buffer.alloc(0);
  for (let number = 0; number < entries.length / 8; number++) {
    const entry = entries.readBigUInt64LE(number * 8);
    // The table ends at the first value that is not a kernel address.
    if (entry < 1n << 63n) break;
    if (symbols.isKernelCode(entry)) continue;
    found.push([`system call ${number}`, `its entry in ${TABLE} leads to ${symbols.describe(entry)}`]);
  }
  return found;
}

/**
 * Returns where a hook's jump at the start of a function leads, after an optional endbr64 and the five bytes of ftrace.
 * Returns undefined if there is no jump, or if it leads to kernel code. x86-64 only.
 */
function jumpAway(code: Buffer, address: bigint, symbols: Symbols): string | undefined {
  const begins = code.readUInt32LE() === 0xfa1e0ff3 ? 4 : 0;
  for (const at of [begins, begins + 5]) {
    const opcode = code[at];
    if (opcode === 0xcc && at === begins) return 'a breakpoint';
    if (opcode === 0xff && code[at + 1] === 0x25) return 'an address read from memory';
    if (opcode === 0x48 && code[at + 1] === 0xb8 && code[at + 10] === 0xff) return 'an address in its code';
    if ((opcode === 0xe9 || opcode === 0xe8) && at + 5 <= code.length) {
      const target = address + BigInt(at + 5) + BigInt(code.readInt32LE(at + 1));
      if (!symbols.isKernelCode(target) && !symbols.isTrampoline(target)) return symbols.describe(target);
    }
    // After anything but ftrace's nop, the function's own code begins.
    if (code.readUIntBE(at, 5) !== FTRACE_NOP) return undefined;
  }
  return undefined;
}

export function checkInterrupts({ memory, symbols }: KernelCode): CheckResult {
  if (ARM64) return result('interrupt-table', [], 'arm64 has no interrupt table');
  if (symbols.hidden !== '') return result('interrupt-table', [], symbols.hidden);
  const table = memory.read(INTERRUPT_TABLE, GATES * GATE_BYTES);
  if (table === null) return result('interrupt-table', [], "the table can't be read (lockdown)");
  const found: Found = [];
  for (let vector = 0; vector < GATES; vector++) {
    const gate = table.subarray(vector * GATE_BYTES);
    const low = BigInt(gate.readUInt16LE()) | (BigInt(gate.readUInt16LE(6)) << 16n);
    const handler = low | (BigInt(gate.readUInt32LE(8)) << 32n);
    if (handler === 0n || symbols.isKernelCode(handler)) continue;
    found.push([`interrupt ${vector}`, `its handler is ${symbols.describe(handler)}`]);
  }
  return result('interrupt-table', found);
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
