/** node:http. An import statement would read all that the module exports, and one of that (WebSocket) loads undici: 7 MB that stay. */
export const http: typeof import('node:http') = process.getBuiltinModule('node:http');
