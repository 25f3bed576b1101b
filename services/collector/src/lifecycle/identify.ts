import type { Log } from '@ringfence/base';
import type { ProcessFacts, Sensor } from '@ringfence/sensor';

/**
 * Makes the sensor recognize this process and its partner, by whose cgroups it notices a freeze: call it again when one
 * was moved. In a pid namespace, the kernel's pid of this process differs from ours.
 * @param partner pid of the process that runs the rest of this program
 */
export function identifyAgent(sensor: Sensor, partner: number | undefined, log: Log): void {
  const { control } = sensor.filter;
  control.agent = sensor.process(process.pid) ?? null;
  control.partner = partner === undefined ? null : findPartner(sensor, partner, log);
}

function findPartner(sensor: Sensor, partner: number, log: Log): ProcessFacts | null {
  const process = sensor.process(partner);
  if (process === null)
    log.warn({ pid: partner }, 'the kernel knows no such partner process: tampering with it is not reported');
  return process;
}
