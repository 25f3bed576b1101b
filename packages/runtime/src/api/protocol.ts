/** node:http. An import statement would evaluate all exports, and the one named WebSocket loads undici, 7 MB. */
export const http: typeof import('node:http') = process.getBuiltinModule('node:http');

/** Most stored records that one request may ask for. */
export const MAX_LISTED = 100_000;

/** Header with what a client claims about its operator: JSON in base64url. */
export const CLAIMS_HEADER = 'ringfence-operator';
