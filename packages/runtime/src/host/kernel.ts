import { release } from 'node:os';
import { newerKernelCommand, osReleaseOf } from './kernel-package.ts';

const OLDEST_KERNEL = [6, 1] as const;

/**
 * Returns the command that installs a supported kernel, or null when the kernel is recent enough.
 *
 * @param version as uname prints it: 6.1.0-18-amd64
 */
export function kernelUpgradeCommand(hostRoot: string, version: string = release()): string | null {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const isOld = major < OLDEST_KERNEL[0] || (major === OLDEST_KERNEL[0] && minor < OLDEST_KERNEL[1]);
  return isOld ? newerKernelCommand(osReleaseOf(hostRoot)) : null;
}
