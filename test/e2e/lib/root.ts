import { existsSync, readFileSync } from 'node:fs';
import { sensorMissing } from '@ringfence/testkit/sensor';

/** For `test(..., { skip })`: false if the whole program can run here, otherwise the reason. */
export const skip: string | false = skipReason() ?? false;

function skipReason(): string | undefined {
  if (process.getuid?.() !== 0) return 'loading the sensor and making containers needs root';
  if (!existsSync('/sys/kernel/btf/vmlinux')) return 'the kernel has no BTF';
  if (!readFileSync('/proc/mounts', 'utf8').includes(' cgroup2 ')) return 'cgroup2 is not mounted';
  return sensorMissing;
}
