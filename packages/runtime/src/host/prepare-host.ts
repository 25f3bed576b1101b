import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { release } from 'node:os';
import { type Log, OperatorError } from '@ringfence/base';
import type { Config } from '@ringfence/config';
import { capabilitiesFor, missingCapabilities } from './capabilities.ts';
import { kernelUpgradeCommand } from './kernel-package.ts';
import { raisePriority } from './raise-priority.ts';

/** File systems that the sensor needs, with their usual mount points. */
const NEEDED = [
  { type: 'bpf', point: '/sys/fs/bpf' },
  { type: 'tracefs', point: '/sys/kernel/tracing' },
] as const;

/**
 * Mounts missing file systems and logs each mount, and gives this process its priority. Throws OperatorError when a
 * mount fails, on an unsupported kernel, and when the process lacks the privileges to load the sensor.
 */
export function prepareHost(log: Log, config: Config, kernelVersion: string = release()): void {
  const upgrade = kernelUpgradeCommand(config.collector.hostRoot, kernelVersion);
  if (upgrade !== null) throw new OperatorError(`Linux ${kernelVersion} is too old for the sensor: ${upgrade}`);
  const missing = missingCapabilities(capabilitiesFor(config));
  if (missing.length > 0) {
    const names = missing.map(({ name }) => name).join(', ');
    throw new OperatorError(
      `the sensor needs privileges that this process lacks (${names}): run it as root, sudo npm start`,
    );
  }
  const mounts = readFileSync('/proc/mounts', 'utf8').split('\n');
  for (const { type, point } of NEEDED) {
    if (mounts.some((line) => line.split(' ')[2] === type)) continue;
    const command = `mount -t ${type} ${type} ${point}`;
    const { status, stderr } = spawnSync('mount', ['-t', type, type, point], { encoding: 'utf8' });
    if (status !== 0)
      throw new OperatorError(
        `${type} is not mounted, and mounting it failed: ${stderr?.trim() || 'no mount command'}; try as root: ${command}`,
      );
    log.info({ command }, 'mounted a file system that the sensor needs');
  }
  raisePriority(config.sensor.nice, log);
}
