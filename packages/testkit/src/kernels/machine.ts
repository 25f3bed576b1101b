/** The machines that guests are booted in. */
export type Architecture = 'x64' | 'arm64';

export interface Machine {
  /** its name in Debian */
  readonly debian: string;
  readonly emulator: string;
  /** of Debian, that has the emulator */
  readonly emulatorPackage: string;
  /** of the emulator: the console goes to the file, what the command prints to the emulator's output */
  readonly arguments: (consoleFile: string) => readonly string[];
  /** the kernel's words */
  readonly console: string;
  /** what the command prints */
  readonly results: string;
}

export const MACHINES: { readonly [architecture in Architecture]: Machine } = {
  x64: {
    debian: 'amd64',
    emulator: 'qemu-system-x86_64',
    emulatorPackage: 'qemu-system-x86',
    // page tables of a level less, and copies by words, not bytes: what an emulator is slow at
    arguments: (console) => [
      ...['-machine', 'q35', '-cpu', 'max,-la57,-erms'],
      ...['-serial', `file:${console}`, '-serial', 'stdio'],
    ],
    console: 'ttyS0',
    results: 'ttyS1',
  },
  arm64: {
    debian: 'arm64',
    emulator: 'qemu-system-aarch64',
    emulatorPackage: 'qemu-system-arm',
    // the board has one serial line only; `max` would sign pointers, which takes long to emulate
    arguments: (console) => [
      ...['-machine', 'virt', '-cpu', 'cortex-a72', '-serial', `file:${console}`],
      ...['-chardev', 'stdio,id=results', '-device', 'pci-serial,chardev=results'],
    ],
    console: 'ttyAMA0',
    results: 'ttyS0',
  },
};
