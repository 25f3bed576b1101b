/** Offsets of registers in struct pt_regs, the context of a user-space probe. */
interface Registers {
  /** registers of a function's arguments, in order */
  readonly arguments: readonly number[];
  readonly result: number;
  /** by the names that USDT notes use, including those of parts of a register */
  readonly byName: ReadonlyMap<string, number>;
}

const X86 = ['r15', 'r14', 'r13', 'r12', 'bp', 'bx', 'r11', 'r10', 'r9', 'r8', 'ax', 'cx', 'dx', 'si', 'di'] as const;
/** Returns all names of a register: of its 64, 32 and 16 bits, and of its low byte. */
const x86Names = (name: string): string[] => {
  if (/^r\d/.test(name)) return [name, `${name}d`, `${name}w`, `${name}b`];
  const low = name.endsWith('x') ? `${name[0]}l` : `${name}l`;
  return [`r${name}`, `e${name}`, name, low];
};
const at = (name: (typeof X86)[number]): number => X86.indexOf(name) * 8;
const STACK_POINTER = 152;

const x64: Registers = {
  arguments: [at('di'), at('si'), at('dx'), at('cx'), at('r8'), at('r9')],
  result: at('ax'),
  byName: new Map([
    ...X86.flatMap((name, index) => x86Names(name).map((alias) => [alias, index * 8] as const)),
    ...x86Names('sp').map((alias) => [alias, STACK_POINTER] as const),
    ['rip', 128],
  ]),
};

const ARM_REGISTERS = Array.from({ length: 31 }, (_, index) => index);
const arm64: Registers = {
  arguments: ARM_REGISTERS.slice(0, 8).map((index) => index * 8),
  result: 0,
  byName: new Map([
    ...ARM_REGISTERS.flatMap((index) => [`x${index}`, `w${index}`].map((name) => [name, index * 8] as const)),
    ['sp', 31 * 8],
  ]),
};

export const REGISTERS: Readonly<Record<string, Registers>> = { x64, arm64 };
