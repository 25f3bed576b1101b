/** What makes events, without the servers and kernels of the rest: commands use it, and it loads at once. */
export type { ExecValues } from './exec-body.ts';
export { O, TestHost } from './host.ts';
export { testLogs } from './logs.ts';
export { credentialsOf, TestProcess } from './process.ts';
export { testRecords } from './records.ts';
