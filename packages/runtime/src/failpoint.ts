import type { Failpoint } from '@ringfence/service-kit';

/**
 * For crash tests: RINGFENCE_FAILPOINT=service:point:n kills this process with SIGKILL when that service comes to that point for the n-th time, as a
 * power cut would. Unset, there is none.
 */
export function failpointOf(
  service: string,
  env: NodeJS.ProcessEnv = process.env,
): ((point: Failpoint) => void) | undefined {
  const [wanted, point, count = '1'] = env['RINGFENCE_FAILPOINT']?.split(':') ?? [];
  if (wanted !== service) return undefined;
  let left = Number(count);
  return (at) => {
    if (at === point && --left === 0) process.kill(process.pid, 'SIGKILL');
  };
}
