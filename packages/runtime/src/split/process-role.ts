/** Role of a process of an `up` that runs as an unprivileged user. */
export type ProcessRole =
  /** Has the capabilities, and runs the collector. `pid` is the services' process. */
  | { readonly name: 'sensor'; readonly fd: number; readonly pid: number; readonly ownUser: boolean }
  /** Has no capabilities, and runs every other service. `sensor` is null when no collector is configured. */
  | { readonly name: 'services'; readonly sensor: SensorConnection | null };

/** The connection of the services' process to the sensor's process. */
export interface SensorConnection {
  readonly fd: number;
  /** Pid of the sensor's process. */
  readonly pid: number;
  /** Whether the sensor's process has a user, a state directory and keys of its own. */
  readonly ownUser: boolean;
}

const VARIABLE = 'RINGFENCE_PART';
const OWN_USER = 'own-user';

export function processRoleEnvironment(role: ProcessRole): Record<string, string> {
  const connection = role.name === 'sensor' ? role : role.sensor;
  if (connection === null) return { [VARIABLE]: role.name };
  const { fd, pid, ownUser } = connection;
  return { [VARIABLE]: `${role.name}:${fd}:${pid}:${ownUser ? OWN_USER : ''}` };
}

/**
 * Returns the role of this process, or null when a person or a service manager started it. Removes the variable, so
 * that child processes do not inherit the role.
 */
export function takeProcessRole(env: NodeJS.ProcessEnv = process.env): ProcessRole | null {
  const text = env[VARIABLE];
  delete env[VARIABLE];
  const [name, fd, pid, user] = text?.split(':') ?? [];
  const connection: SensorConnection = { fd: Number(fd), pid: Number(pid), ownUser: user === OWN_USER };
  if (name === 'sensor') return { name, ...connection };
  if (name !== 'services') return null;
  return { name, sensor: fd === undefined ? null : connection };
}

/** Node ends a process at these signals, and writes a core dump at SIGQUIT. No part of Ringfence sends them. */
export function ignoreDebugSignals(): void {
  for (const signal of ['SIGUSR2', 'SIGQUIT'] as const) process.on(signal, () => {});
}
