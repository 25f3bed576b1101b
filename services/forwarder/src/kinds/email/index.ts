import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { ticketShape } from '../../encode/ticket.ts';
import { tlsShape } from '../../settings/common.ts';
import { line, readSecret, secret } from '../../settings/values.ts';
import { defineKind, type SinkKind } from '../../sink.ts';
import { tellChat } from '../../tickets/digest.ts';
import { Mailbox } from './mailbox.ts';
import { mailChat } from './messages.ts';

const ADDRESS = /^(smtps|starttls|smtp):\/\/(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]{1,253}):([1-9]\d{0,4})$/;
const mailAddress = z
  .string()
  .regex(/^[A-Za-z0-9.!#$%&'*+/=?^_{|}~-]{1,64}@[A-Za-z0-9.-]{1,253}$/, 'expected an address such as soc@example.com');

const shape = {
  /** `starttls` (port 587) and `smtps` (465) encrypt; `smtp` does not. */
  url: z.string().regex(ADDRESS, 'expected starttls://, smtps:// or smtp://, then host:port'),
  /** Address of the sender */
  from: mailAddress,
  /** Addresses of the recipients */
  to: z.array(mailAddress).min(1).max(50),
  /** `{user: NAME, password: file:/PATH}`, for a server that asks for them */
  login: z.strictObject({ user: line, password: secret }).optional(),
  ...ticketShape,
  ...tlsShape,
};

/** Mails by SMTP: an incident is one thread. */
export const email: SinkKind = defineKind({
  type: 'email',
  title: 'E-mail by SMTP: one thread for an incident; or a digest',
  shape,
  sends: ['incidents'],
  takes: ['incidents'],
  incidents: 'newest',
  keepsTickets: true,
  proof: 'smtp-server, the server of Nodemailer',
  open(settings, { name, common, log }) {
    const [, scheme = '', host = '', port = ''] = ADDRESS.exec(settings.url) ?? [];
    const { login, ca, cert, key } = settings;
    const file = (path: string | undefined) => (path === undefined ? undefined : readFileSync(path));
    const mailbox = new Mailbox({
      sink: name,
      url: settings.url,
      log,
      connection: () => ({
        host: host.replaceAll(/[[\]]/g, ''),
        port: Number(port),
        secure: scheme === 'smtps',
        requireTLS: scheme === 'starttls',
        ignoreTLS: scheme === 'smtp',
        tls: { ca: file(ca), cert: file(cert), key: file(key) },
        ...(login === undefined ? {} : { auth: { user: login.user, pass: readSecret(login.password) } }),
        connectionTimeout: common.timeout,
        greetingTimeout: common.timeout,
        socketTimeout: common.timeout,
        dnsTimeout: common.timeout,
      }),
    });
    const chat = mailChat(mailbox, settings);
    return {
      send: (items, context) => mailbox.during(() => tellChat(chat, settings, common, items, context)),
      close: async () => mailbox.close(),
    };
  },
});
