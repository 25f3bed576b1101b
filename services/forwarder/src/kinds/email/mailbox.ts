import { type Log, messageOf } from '@ringfence/base';
import type { createTransport } from 'nodemailer';
import { lineOf } from '../../encode/text.ts';
import { SinkRefusedError, SinkSecretError, SinkUnavailableError } from '../../errors.ts';

/** What a mail has besides its sender and its recipients. */
export interface Mail {
  readonly id: string;
  readonly subject: string;
  readonly text: string;
  /** Id of the first mail of the thread; empty: this is the first */
  readonly thread: string;
}

export interface Addresses {
  readonly from: string;
  readonly to: readonly string[];
}

type Connection = NonNullable<Extract<Parameters<typeof createTransport>[0], { host?: string | undefined }>>;

export interface MailboxOptions {
  /** Name of the sink, for messages */
  readonly sink: string;
  readonly url: string;
  readonly log: Log;
  /** Read anew for each batch, so that secrets and certificates can be rotated. */
  readonly connection: () => Connection;
}

const REASON_MAX_CHARS = 300;

/** Sends mails over one connection at a time, which lasts for a batch. */
export class Mailbox {
  readonly #options: MailboxOptions;
  #transport: ReturnType<typeof createTransport> | undefined;

  constructor(options: MailboxOptions) {
    this.#options = options;
  }

  /** Closes the connection after `work`. */
  during<T>(work: () => Promise<T>): Promise<T> {
    return work().finally(() => this.close());
  }

  /** Resolves once the server has taken the mail for at least one recipient. */
  async send({ from, to }: Addresses, { id, subject, text, thread }: Mail, signal: AbortSignal): Promise<void> {
    const { log, sink } = this.#options;
    try {
      this.#transport ??= await this.#connect();
      const { rejected } = await this.#transport.sendMail({
        from: { name: 'Ringfence', address: from },
        to: [...to],
        subject,
        text,
        messageId: id,
        ...(thread === '' ? {} : { inReplyTo: thread, references: thread }),
        headers: { 'Auto-Submitted': 'auto-generated' },
        disableFileAccess: true,
        disableUrlAccess: true,
        signal,
      });
      if (rejected.length > 0) log.warn({ sink, rejected }, 'the mail server knows some of the recipients not');
    } catch (error) {
      throw this.#failure(error);
    }
  }

  /** Imported lazily, because most forwarders send no mail. */
  async #connect(): Promise<ReturnType<typeof createTransport>> {
    const nodemailer = await import('nodemailer');
    return nodemailer.createTransport({ pool: true, maxConnections: 1, ...this.#options.connection() });
  }

  /** A refused message stays refused; a refused login, sender or recipient is a setting that can be mended. */
  #failure(error: unknown): Error {
    if (error instanceof SinkSecretError) return error;
    const { sink, url } = this.#options;
    const { code, responseCode = 0 } = error as { readonly code?: string; readonly responseCode?: number };
    const reason = `${url}: ${lineOf(messageOf(error), REASON_MAX_CHARS)}`;
    const options = { cause: error };
    return code === 'EMESSAGE' && responseCode >= 500
      ? new SinkRefusedError(sink, reason, options)
      : new SinkUnavailableError(sink, reason, options);
  }

  close(): void {
    this.#transport?.close();
    this.#transport = undefined;
  }
}
