/** Role of a process of an `up` that runs as an unprivileged user. */
export type ProcessRole =
  /** Has the capabilities, and runs the collector. `pid` is the services' process. */
  | { readonly name: 'sensor'; readonly fd: number; readonly pid: number }
  /** Has no capabilities, and runs every other service. `sensor` is null when no collector is configured. */
  | { readonly name: 'services'; readonly sensor: SensorConnection | null };

/** The connection of the services' process to the sensor's process. */
export interface SensorConnection {
  readonly fd: number;
  /** Pid of the sensor's process. */
  readonly pid: number;
}

const VARIABLE = 'RINGFENCE_PART';

export function processRoleEnvironment(role: ProcessRole): Record<string, string> {
  if (role.name === 'sensor') return { [VARIABLE]: `sensor:${role.fd}:${role.pid}` };
  return { [VARIABLE]: role.sensor === null ? 'services' : `services:${role.sensor.fd}:${role.sensor.pid}` };
}

/**
 * Returns the role of this process, or null when a person or a service manager started it. Removes the variable, so
 * that child processes do not inherit the role.
 */
export function takeProcessRole(env: NodeJS.ProcessEnv = process.env): ProcessRole | null {
  const text = env[VARIABLE];
  delete env[VARIABLE];
  const [name, fd, pid] = text?.split(':') ?? [];
  if (name === 'sensor') return { name, fd: Number(fd), pid: Number(pid) };
  if (name !== 'services') return null;
  return { name, sensor: fd === undefined ? null : { fd: Number(fd), pid: Number(pid) } };
}
