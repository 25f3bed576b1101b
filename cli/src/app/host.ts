import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { Config } from '@ringfence/config';
import type { Log } from '@ringfence/telemetry';
import { type Check, checkKernel } from '../doctor/checks.ts';
import { CliError } from '../errors.ts';
import { capabilitiesFor, missingCapabilities } from './capabilities.ts';

/** File systems that the sensor needs, where they belong. */
const NEEDED = [
  { type: 'bpf', point: '/sys/fs/bpf' },
  { type: 'tracefs', point: '/sys/kernel/tracing' },
] as const;

/** Mounts what is missing, as root; says so. Throws CliError when it can't, or may not load the sensor. */
export function prepareHost(log: Log, config: Config, kernel: Check = checkKernel(config.collector.hostRoot)): void {
  if (!kernel.ok) throw new CliError(`${kernel.found} is too old for the sensor: ${kernel.fix}`);
  const missing = missingCapabilities(capabilitiesFor(config));
  if (missing.length > 0) {
    const names = missing.map(({ name }) => name).join(', ');
    throw new CliError(
      `the sensor needs privileges that this process lacks (${names}): run it as root, sudo npm start`,
    );
  }
  const mounts = readFileSync('/proc/mounts', 'utf8').split('\n');
  for (const { type, point } of NEEDED) {
    if (mounts.some((line) => line.split(' ')[2] === type)) continue;
    const command = `mount -t ${type} ${type} ${point}`;
    const { status, stderr } = spawnSync('mount', ['-t', type, type, point], { encoding: 'utf8' });
    if (status !== 0)
      throw new CliError(
        `${type} is not mounted and can't be: ${stderr?.trim() || 'no mount command'}; try as root: ${command}`,
      );
    log.info({ command }, 'mounted what the sensor needs');
  }
}
