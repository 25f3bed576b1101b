import type { ProbeOptions } from './attach/user-space-probes.ts';
import type { ProbeSpec } from './custom-probes/types.ts';

export interface SensorOptions {
  /** path of the compiled sensor */
  readonly sensorObject: string;
  /** directory in a bpf file system for pinned maps, links and programs */
  readonly pinPath: string;
  /** bytes, a power of two */
  readonly ringSecurityBytes: number;
  /** bytes, a power of two */
  readonly ringBulkBytes: number;
  /** which user-space probes are attached */
  readonly probes: ProbeOptions;
  /** root of the host's file system */
  readonly hostRoot: string;
  /** cgroup v2 root, where cgroup hooks attach; null leaves these hooks out */
  readonly cgroupRoot: string | null;
  /** user-defined probes. @default none */
  readonly customProbes?: readonly ProbeSpec[];
}
