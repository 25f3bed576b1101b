export { readable } from './readable.ts';
export { releasedRecord } from './released.ts';
