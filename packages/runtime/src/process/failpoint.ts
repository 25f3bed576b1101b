import type { ServiceName } from '@ringfence/config';
import type { Failpoint } from '@ringfence/service-kit';

/**
 * Returns the `failpoint` option of a service, for crash tests. With RINGFENCE_FAILPOINT=service:point:n the process
 * kills itself by SIGKILL, as a power cut would, when that service reaches that point for the n-th time.
 */
export function failpointOption(service: ServiceName): { failpoint?: (point: Failpoint) => void } {
  const [target, point, count = '1'] = process.env['RINGFENCE_FAILPOINT']?.split(':') ?? [];
  if (target !== service) return {};
  let remaining = Number(count);
  return {
    failpoint: (reached) => {
      if (reached === point && --remaining === 0) process.kill(process.pid, 'SIGKILL');
    },
  };
}
