import { mkdirSync, readdirSync, rmdirSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { isBpfFileSystem } from '@ringfence/libbpf-ts';
import { SensorError } from '../errors.ts';
import { lockDirectory } from './lock.ts';
import { isPinned, pinnedLinks, pinnedProbes } from './paths.ts';

/**
 * Errors with which the removal of a directory may fail: its parent belongs to root or is read-only in a sandbox, the
 * directory is a mount point, as the systemd unit makes it, or it has the rules of the network.
 */
const UNREMOVABLE: ReadonlySet<string | undefined> = new Set(['EACCES', 'EPERM', 'EROFS', 'EBUSY', 'ENOTEMPTY']);

/** Creates the pin directory. Throws SensorError if its parent is not in a bpf file system. */
export function makePinDirectory(path: string): void {
  try {
    if (isBpfFileSystem(dirname(path))) {
      mkdirSync(path, { recursive: true, mode: 0o700 });
      return;
    }
  } catch (cause) {
    throw new SensorError(`the pin directory ${path} can't be made: ${(cause as Error).message}`, { cause });
  }
  throw new SensorError(
    `${dirname(path)} is not a bpf file system: mount -t bpf bpf /sys/fs/bpf, or choose another sensor.pinPath`,
  );
}

/** Detaches all hooks, unless a process still holds their links open. */
export function removeLinks(pinPath: string): void {
  for (const name of pinnedLinks(pinPath)) rmSync(`${pinPath}/${name}`);
}

/** Removes the links of all probes. Each start sets them again, because settings and libraries may have changed. */
export function removeProbes(pinPath: string): void {
  for (const name of pinnedProbes(pinPath)) rmSync(`${pinPath}/${name}`);
}

/**
 * Removes all pins of the sensor; links first, because programs that still run need their maps. Directories stay: rules
 * of the network are in one, which hold while no sensor is loaded.
 */
export function removePins(pinPath: string): void {
  removeLinks(pinPath);
  for (const entry of readdirSync(pinPath, { withFileTypes: true }))
    if (!entry.isDirectory()) rmSync(`${pinPath}/${entry.name}`);
}

/** Removes all pins, and the directory itself where that is permitted. */
export function removePinDirectory(pinPath: string): void {
  removePins(pinPath);
  try {
    rmdirSync(pinPath);
  } catch (error) {
    if (!UNREMOVABLE.has((error as NodeJS.ErrnoException).code)) throw error;
  }
}

/** Removes the sensor of a dead agent from the kernel. Throws SecondAgentError while an agent runs. */
export function uninstallSensor(pinPath: string): void {
  if (!isPinned(pinPath)) return;
  using _lock = lockDirectory(pinPath);
  removePinDirectory(pinPath);
}
