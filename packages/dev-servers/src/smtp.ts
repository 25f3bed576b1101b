import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { TestCertificate } from './certificates.ts';

export interface SmtpOptions {
  readonly certificate: TestCertificate;
  /** TLS from the first byte, instead of STARTTLS. */
  readonly secure?: boolean;
  /** Passwords by user. @default nobody need log in */
  readonly users?: Readonly<Record<string, string>>;
  /** Refuses a message by its text or a recipient, with this reply code and text. */
  readonly refuse?: (message: string) => { readonly code: number; readonly reason: string } | undefined;
}

export interface Mail {
  readonly to: readonly string[];
  readonly encrypted: boolean;
  readonly user: string;
  /** The mail with its headers and its body, as the client sent it */
  readonly source: string;
}

export interface SmtpServer extends AsyncDisposable {
  readonly port: number;
  readonly mails: Mail[];
}

/** Starts an SMTP server on a free port of 127.0.0.1, which keeps what it is sent. */
export async function startSmtpServer({ certificate, secure, users, refuse }: SmtpOptions): Promise<SmtpServer> {
  const { SMTPServer } = await import('smtp-server');
  const mails: Mail[] = [];
  const failure = (code: number, reason: string): Error => Object.assign(new Error(reason), { responseCode: code });
  const server = new SMTPServer({
    secure: secure ?? false,
    cert: certificate.certificate,
    key: certificate.key,
    authOptional: users === undefined,
    disableReverseLookup: true,
    onAuth({ username = '', password }, _, done) {
      if (users?.[username] === password) done(null, { user: username });
      else done(failure(535, 'wrong password'));
    },
    onData(stream, session, done) {
      text(stream).then((source) => {
        const refusal = refuse?.(source);
        if (refusal !== undefined) return done(failure(refusal.code, refusal.reason));
        const to = session.envelope.rcptTo.map(({ address }) => address);
        mails.push({ to, encrypted: Boolean(session.secure), user: String(session.user ?? ''), source });
        return done();
      }, done);
    },
  });
  // A client that dislikes the certificate is an error of the connection.
  server.on('error', () => {});
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    port: (server.server.address() as AddressInfo).port,
    mails,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(resolve);
      }),
  };
}
