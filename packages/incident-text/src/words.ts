import type { ProcessName } from '@ringfence/wire';

const PATH_MAX = 256;

export const short = (text: string, max: number): string => (text.length > max ? `${text.slice(0, max)}…` : text);

/** "/usr/bin/curl (pid 12)"; without a pid if it is 0, as in state of 0.1.0 */
export const nameOf = ({ executable, pid }: Pick<ProcessName, 'executable' | 'pid'>): string =>
  executable === '' ? `process ${pid}` : `${short(executable, PATH_MAX)}${pid === 0 ? '' : ` (pid ${pid})`}`;

/** "14:02:11", UTC */
export const clockOf = (micros: number): string => new Date(Math.floor(micros / 1000)).toISOString().slice(11, 19);

/** "command and control" */
export const tacticText = (tactic: string): string => tactic.replaceAll('-', ' ');
