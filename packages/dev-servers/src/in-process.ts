// Certificates, proxies, token issuers and a mail server of tests. They run in the process of the caller.

export { createTestCa, type IssueOptions, type TestCa, type TestCertificate } from './certificates.ts';
export { TestServerError } from './errors.ts';
export { type Mail, type SmtpOptions, type SmtpServer, startSmtpServer } from './smtp.ts';
export { type Faults, startTcpProxy, type TcpProxy } from './tcp-proxy.ts';
export { createTokenIssuer, type TokenIssuer } from './tokens.ts';
