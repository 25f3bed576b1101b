export type { SchemaBook } from './book.ts';
export { exchangeSchemas } from './exchange.ts';
