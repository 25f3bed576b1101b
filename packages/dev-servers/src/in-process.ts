// Certificates, proxies and token issuers of tests. They run in the caller's process and need no installed server.

export { createTestCa, type IssueOptions, type TestCa, type TestCertificate } from './certificates.ts';
export { TestServerError } from './errors.ts';
export { type Faults, startTcpProxy, type TcpProxy } from './tcp-proxy.ts';
export { createTokenIssuer, type TokenIssuer } from './tokens.ts';
