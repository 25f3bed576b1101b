export { readable } from './readable.ts';
export { releasedRecord } from './released.ts';
export { repeatedKeys } from './repeated-keys.ts';
