/** The kinds of machines for guests. */
export type Architecture = 'x64' | 'arm64';

export interface Machine {
  /** name of the architecture in Debian */
  readonly debian: string;
  readonly emulator: string;
  /** Debian package of the emulator */
  readonly emulatorPackage: string;
  /** arguments of the emulator, which write the console to the file and the command's output to standard output */
  readonly arguments: (consoleFile: string) => readonly string[];
  /** device for the kernel's messages */
  readonly console: string;
  /** device for the command's output */
  readonly results: string;
}

export const MACHINES: { readonly [architecture in Architecture]: Machine } = {
  x64: {
    debian: 'amd64',
    emulator: 'qemu-system-x86_64',
    emulatorPackage: 'qemu-system-x86',
    // Four-level page tables, and copies by words instead of bytes, are faster to emulate.
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
    // The board has only one serial line. `max` would sign pointers, which is slow to emulate.
    arguments: (console) => [
      ...['-machine', 'virt', '-cpu', 'cortex-a72', '-serial', `file:${console}`],
      ...['-chardev', 'stdio,id=results', '-device', 'pci-serial,chardev=results'],
    ],
    console: 'ttyAMA0',
    results: 'ttyS0',
  },
};
