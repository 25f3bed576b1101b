/** Of an `up` that runs as an unprivileged user: the process that has the capabilities, or the one that does all the rest without any. */
export type Part =
  | { readonly name: 'sensor'; readonly fd: number /** of the other process */; readonly pid: number }
  | { readonly name: 'services' /** null: no sensor is wanted */; readonly link: PartLink | null };

export interface PartLink {
  readonly fd: number;
  /** of the sensor's process */
  readonly pid: number;
}

const VARIABLE = 'RINGFENCE_PART';

export function partEnvironment(part: Part): Record<string, string> {
  if (part.name === 'sensor') return { [VARIABLE]: `sensor:${part.fd}:${part.pid}` };
  return { [VARIABLE]: part.link === null ? 'services' : `services:${part.link.fd}:${part.link.pid}` };
}

/** Which part this process is; null: none, it was started by a person or a service manager. What it starts is none either. */
export function takePart(env: NodeJS.ProcessEnv = process.env): Part | null {
  const text = env[VARIABLE];
  delete env[VARIABLE];
  const [name, fd, pid] = text?.split(':') ?? [];
  if (name === 'sensor') return { name, fd: Number(fd), pid: Number(pid) };
  if (name !== 'services') return null;
  return { name, link: fd === undefined ? null : { fd: Number(fd), pid: Number(pid) } };
}
